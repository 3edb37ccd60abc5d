import io

import numpy as np
import pytest
from PIL import Image

from segmentation.compose import (
    composite,
    crop_box,
    cut,
    render_cutout,
    render_gray,
    render_thumbnail,
)
from segmentation.encode import join_alpha
from segmentation.options import Box, Color, CutoutOptions, Output
from segmentation.visualize import draw_ids, palette
from tests.segmentation.pictures import astronaut, disc

ALPHA = np.rint(disc(512, 180, 20) * 255).astype(np.uint8)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_colour_under_a_clear_pixel_is_zeroed_and_every_other_kept():
    rgba = join_alpha(astronaut(), ALPHA)
    assert not rgba[ALPHA == 0].any()
    assert np.array_equal(rgba[..., :3][ALPHA > 0], astronaut()[ALPHA > 0])
    assert np.array_equal(rgba[..., 3], ALPHA)


def test_a_composite_is_the_weighted_mean_of_subject_and_background():
    background = Color(10, 200, 30)
    share = ALPHA[..., None] / 255
    expected = np.rint(astronaut() * share + np.array([10, 200, 30]) * (1 - share))
    assert np.abs(composite(astronaut(), ALPHA, background) - expected).max() <= 1


def test_a_composite_is_exact_where_the_subject_is_opaque_or_gone():
    drawn = composite(astronaut(), ALPHA, Color(10, 200, 30))
    assert np.array_equal(drawn[ALPHA == 255], astronaut()[ALPHA == 255])
    assert (drawn[ALPHA == 0] == (10, 200, 30)).all()


def test_a_transparent_png_holds_the_pixels_exactly():
    rendered = render_cutout(astronaut(), ALPHA, CutoutOptions())
    assert np.array_equal(np.asarray(opened(rendered.data)), join_alpha(astronaut(), ALPHA))
    assert (rendered.content_type, rendered.extension) == ("image/png", ".png")


def test_a_png_on_a_colour_has_no_alpha():
    image = opened(render_cutout(astronaut(), ALPHA, CutoutOptions(background="#ff0000")).data)
    assert image.mode == "RGB"
    assert image.getpixel((0, 0)) == (255, 0, 0)


def test_a_jpeg_without_a_colour_is_drawn_on_white():
    rendered = render_cutout(astronaut(), ALPHA, CutoutOptions(format="jpeg"))
    image = opened(rendered.data)
    assert (image.format, rendered.content_type, rendered.extension) == ("JPEG", "image/jpeg", ".jpg")
    assert min(image.getpixel((2, 2))) > 250
    # The colours arrive in the right order.
    assert np.abs(np.asarray(image)[250:260, 250:260].astype(int) - astronaut()[250:260, 250:260]).mean() < 6


def test_a_jpeg_on_a_colour_has_it():
    image = opened(render_cutout(astronaut(), ALPHA, CutoutOptions(format="jpeg", background="#0000ff")).data)
    assert np.abs(np.array(image.getpixel((2, 2))) - (0, 0, 255)).max() < 8


def test_a_webp_keeps_its_alpha_exactly():
    rendered = render_cutout(astronaut(), ALPHA, CutoutOptions(format="webp"))
    pixels = np.asarray(opened(rendered.data))
    assert rendered.content_type == "image/webp"
    assert np.array_equal(pixels[..., 3], ALPHA)
    assert np.abs(pixels[250:260, 250:260, :3].astype(int) - astronaut()[250:260, 250:260]).mean() < 8


def test_a_mask_is_one_channel_of_eight_bits():
    image = opened(render_gray(Output.MASK, ALPHA).data)
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), ALPHA)


def test_a_crop_adds_its_margin_on_every_side():
    assert crop_box(Box(100, 50, 200, 90), 0.1, 1000, 1000) == Box(90, 40, 210, 100)


def test_a_crop_ends_at_the_picture():
    assert crop_box(Box(5, 5, 95, 95), 0.5, 100, 98) == Box(0, 0, 100, 98)


def test_a_crop_of_nothing_is_the_whole_picture():
    picture = np.zeros((30, 40))
    assert cut(picture, crop_box(None, 0.2, 40, 30)).shape == (30, 40)


@pytest.mark.parametrize(
    ("size", "expected"), [((1080, 1920), (384, 216)), ((3000, 40), (5, 384)), ((30, 20), (20, 30))]
)
def test_a_thumbnail_fits_and_is_never_enlarged(size, expected):
    rgb, alpha = np.full((*size, 3), 200, np.uint8), np.full(size, 255, np.uint8)
    image = opened(render_thumbnail(rgb, alpha).data)
    assert (image.format, image.size) == ("WEBP", expected)


def test_what_was_cut_away_does_not_bleed_into_a_thumbnail():
    alpha = np.zeros((768, 768), np.uint8)
    alpha[:, 384 + 1 :] = 255
    rgb = np.where(alpha[..., None] > 0, np.uint8(200), np.uint8(0)).repeat(3, axis=2)
    image = np.asarray(opened(render_thumbnail(rgb, alpha).data))
    seen = image[image[..., 3] > 8][:, :3]
    assert np.abs(seen.astype(int) - 200).max() < 30


def test_no_two_people_have_one_colour_and_the_first_are_far_apart():
    colours = palette().astype(int)
    assert colours.shape == (255, 3)
    assert len(np.unique(colours, axis=0)) == 255
    apart = np.abs(colours[:20, None] - colours[None, :20]).sum(2) + 999 * np.eye(20, dtype=int)
    assert apart.min() > 60


def test_a_visualization_colours_each_id_and_leaves_the_background():
    ids = np.zeros((512, 512), np.uint8)
    ids[100:200, 100:200], ids[300:400, 300:400] = 1, 2
    drawn = draw_ids(astronaut(), ids)
    assert np.array_equal(drawn[ids == 0], astronaut()[ids == 0])
    assert not np.array_equal(drawn[150, 150], astronaut()[150, 150])
    # The outlines are of the pure colours, and the two differ.
    assert not np.array_equal(drawn[100, 150], drawn[300, 350])
