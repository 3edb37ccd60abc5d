import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from segmentation import find as finding
from segmentation.engines.base import Instance, Matte
from segmentation.errors import BoxInvalid, InvalidParameter
from segmentation.find import limit_to
from segmentation.image import Limits
from segmentation.options import AlphaMode, Box, CutoutOptions, Output, Subject
from segmentation.pipeline import NOTHING_SURE, cut_out, read_alpha, render_variant
from segmentation.postprocess import shape_alpha
from tests.fakes import EmptyEngine, FakeEngine
from tests.segmentation.pictures import astronaut, disc, encoded

LIMITS = Limits()
PHOTO = encoded(astronaut(), "JPEG", quality=95)


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.fixture(autouse=True)
def _plain_names(monkeypatch):
    """Replace the classification: each subject is an object, and no photo shows a stamp."""
    monkeypatch.setattr(finding, "which_subject", lambda rgb, matte: Subject.OBJECT)
    monkeypatch.setattr(finding, "is_stamped_paper", lambda rgb: False)


def test_a_photo_becomes_a_transparent_cutout_of_its_size():
    result = cut_out(PHOTO, CutoutOptions(), FakeEngine(), LIMITS)
    (cutout,) = result.outputs
    pixels = opened(cutout.data)
    assert pixels.shape == (512, 512, 4)
    assert (result.width, result.height, cutout.width, cutout.height) == (512, 512, 512, 512)
    assert pixels[256, 256, 3] == 255
    assert not pixels[5, 5].any()
    assert np.abs(pixels[200:300, 200:300, :3].astype(int) - astronaut()[200:300, 200:300]).mean() < 6


def test_the_outputs_are_those_asked_for():
    result = cut_out(PHOTO, CutoutOptions(outputs=tuple(Output)), FakeEngine(), LIMITS)
    assert [rendered.kind for rendered in result.outputs] == list(Output)
    cutout, mask, alpha, visualization = (opened(rendered.data) for rendered in result.outputs)
    assert np.array_equal(mask, cutout[..., 3])
    assert alpha.dtype == np.uint16
    assert visualization.shape == (512, 512, 3)


def test_the_alpha_comes_before_any_threshold():
    options = CutoutOptions(alpha_mode=AlphaMode.BINARY, threshold=40, erosion=3, outputs=("mask",))
    plain = cut_out(PHOTO, CutoutOptions(), FakeEngine(), LIMITS)
    shaped = cut_out(PHOTO, options, FakeEngine(), LIMITS)
    assert shaped.alpha == plain.alpha
    assert np.array_equal(opened(shaped.outputs[0].data), shape_alpha(read_alpha(shaped.alpha.data), options))


def test_a_thumbnail_is_a_small_cutout():
    thumbnail = cut_out(PHOTO, CutoutOptions(), FakeEngine(), LIMITS).thumbnail
    pixels = opened(thumbnail.data)
    assert (thumbnail.kind, thumbnail.content_type) == (Output.CUTOUT, "image/webp")
    assert pixels.shape == (384, 384, 4)
    assert (pixels[192, 192, 3], pixels[3, 3, 3]) == (255, 0)


def test_the_files_own_transparency_multiplies_the_alpha():
    image = Image.fromarray(astronaut()).convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat(np.array([255, 51], np.uint8), 256)[None].repeat(512, axis=0)))
    alpha = read_alpha(cut_out(encoded(image), CutoutOptions(), FakeEngine(), LIMITS).alpha.data)
    assert alpha[256, 200] == 1
    assert alpha[256, 300] == pytest.approx(0.2, abs=1e-4)
    assert alpha[5, 300] == 0


class Looking(FakeEngine):
    """A fake inference engine that stores its last input in `seen`."""

    def auto(self, rgb):
        self.seen = rgb
        return super().auto(rgb)


@pytest.mark.parametrize(("color", "paper"), [((200, 30, 40), 255), ((250, 250, 250), 160)])
def test_what_lies_hidden_under_transparency_is_not_shown_to_the_engine(color, paper):
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[16:48, 16:48] = (*color, 255)
    engine = Looking()
    cut_out(encoded(rgba), CutoutOptions(), engine, LIMITS)
    assert (engine.seen[0, 0] == paper).all()
    assert (engine.seen[32, 32] == color).all()


@pytest.mark.parametrize("hidden", [0, 255])
def test_colours_beside_the_files_own_transparency_keep_nothing_of_what_it_hides(hidden):
    soft = disc(512, 120, 12)
    rgba = np.full((512, 512, 4), hidden, np.uint8)
    rgba[soft > 0, :3] = (128, 90, 60)
    rgba[..., 3] = np.rint(soft * 255)
    (cutout,) = cut_out(encoded(rgba), CutoutOptions(), FakeEngine(), LIMITS).outputs
    pixels = opened(cutout.data)
    assert np.abs(pixels[pixels[..., 3] > 0][:, :3].astype(int) - (128, 90, 60)).max() <= 3


def test_a_softened_outline_shows_nothing_of_the_old_background():
    mask = disc(512, 150, 1)
    photo = np.where(mask[..., None] > 0.5, (200, 20, 20), (20, 200, 20)).astype(np.uint8)

    class Exact(FakeEngine):
        def auto(self, rgb):
            return Matte((mask > 0.5).astype(np.float32))

    (cutout,) = cut_out(encoded(photo), CutoutOptions(feathering=True), Exact(), LIMITS).outputs
    pixels = opened(cutout.data)
    edge = pixels[(pixels[..., 3] > 0) & (pixels[..., 3] < 255)].astype(int)
    assert len(edge) > 500
    assert (edge[:, 1] > edge[:, 0]).mean() < 0.01


def test_a_variant_of_ink_in_boxes_has_the_same_colours():
    page = np.full((300, 400, 3), 250, np.uint8)
    page[20:60, 20:380] = (30, 60, 200)  # print, with a larger area than the seal
    page[200:260, 300:360] = (200, 40, 50)
    page[220:240, 320:340] = 250
    options = CutoutOptions(method="boxes", boxes=((290, 190, 370, 270),), subject="stamp")
    made = cut_out(encoded(page), options, FakeEngine(), LIMITS)
    variant = render_variant(encoded(page), made.alpha.data, options, LIMITS)
    assert made.outputs[0].data == variant.outputs[0].data


def test_a_turned_photo_comes_out_upright_and_boxes_are_meant_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(np.ascontiguousarray(np.rot90(astronaut()[:, :300])), "JPEG", exif=exif)
    options = CutoutOptions(method="boxes", boxes=((0, 300, 300, 512),))
    result = cut_out(data, options, FakeEngine(), LIMITS)
    assert (result.width, result.height) == (300, 512)
    assert result.foreground.top > 300


def test_outside_every_box_nothing_is_left():
    class Unbounded(FakeEngine):
        def boxes(self, rgb, boxes):
            return [Matte(np.ones(self.size, np.float32)) for _ in boxes]

    options = CutoutOptions(method="boxes", boxes=((100, 100, 200, 200), (300, 250, 400, 500)))
    alpha = read_alpha(cut_out(PHOTO, options, Unbounded(), LIMITS).alpha.data)
    # Grown by 4 % of the longer side: 4 and 10 pixels.
    expected = np.zeros((512, 512), bool)
    expected[96:204, 96:204] = True
    expected[240:510, 290:410] = True
    assert np.array_equal(alpha > 0, expected)


def test_two_boxes_give_the_union_of_what_they_hold():
    options = CutoutOptions(method="boxes", boxes=((20, 20, 220, 220), (260, 260, 500, 500)))
    alpha = read_alpha(cut_out(PHOTO, options, FakeEngine(), LIMITS).alpha.data)
    assert (alpha[120, 120], alpha[380, 380], alpha[240, 240]) == (1, 1, 0)


def test_a_box_off_the_picture_is_refused_before_the_model_runs():
    engine = FakeEngine()
    with pytest.raises(BoxInvalid):
        cut_out(PHOTO, CutoutOptions(method="boxes", boxes=((600, 600, 700, 700),)), engine, LIMITS)
    assert engine.calls == []


def test_a_box_smaller_than_its_door_allows_is_refused():
    options = CutoutOptions(method="boxes", boxes=((10, 10, 30, 30),))
    with pytest.raises(BoxInvalid, match="32x32"):
        cut_out(PHOTO, options, FakeEngine(), Limits(min_box_side_px=32))


def test_a_person_is_the_part_of_the_subject_that_belongs_to_people():
    alpha = read_alpha(cut_out(PHOTO, CutoutOptions(subject="person"), FakeEngine(), LIMITS).alpha.data)
    assert (alpha[256, 200], alpha[256, 320]) == (1, 0)


def test_an_object_is_what_remains_beside_the_people():
    alpha = read_alpha(cut_out(PHOTO, CutoutOptions(subject="object"), FakeEngine(), LIMITS).alpha.data)
    assert (alpha[256, 200], alpha[256, 320]) == (0, 1)


class CarAndWoman(FakeEngine):
    """A fake inference engine whose subject is a car and the head of a woman above it.

    It also finds two separate people: the complete woman and a stranger.
    """

    def auto(self, rgb):
        rows, columns = np.mgrid[:64, :64]
        woman = (columns >= 10) & (columns < 22)
        stranger = (columns >= 50) & (rows > 20)
        car = (rows >= 30) & (columns >= 14) & (columns < 48)
        head = woman & (rows >= 10) & (rows < 20)
        self.body = (woman & (rows >= 10)).astype(np.float32)
        return Matte((car | head).astype(np.float32), np.maximum(self.body, stranger.astype(np.float32)))

    def instances(self, rgb):
        alphas = [self.body, self.auto(rgb).people - self.body]
        return [Instance(Box(0, 0, 9, 9), 0.9, alpha) for alpha in alphas]


def found_by(engine, subject):
    matte = engine.auto(astronaut())
    return limit_to(subject, matte, lambda: engine.instances(astronaut()))


def test_a_person_of_whom_the_subject_holds_a_part_is_taken_complete_and_a_stranger_is_not():
    engine = CarAndWoman()
    alpha, notes = found_by(engine, Subject.PERSON)
    np.testing.assert_array_equal(alpha > 0.5, engine.body > 0.5)
    assert notes == ()


class HeadAndWheel(CarAndWoman):
    """The same picture, but the people map contains only the woman's head and, by mistake, a wheel of the car."""

    def auto(self, rgb):
        matte = super().auto(rgb)
        people = np.zeros((64, 64), np.float32)
        people[10:20, 10:22] = people[40:44, 44:48] = 1
        return Matte(matte.alpha, people)

    def instances(self, rgb):
        return [Instance(Box(0, 0, 9, 9), 0.9, self.body)]


def test_a_person_is_complete_although_the_people_map_contains_only_the_head():
    engine = HeadAndWheel()
    alpha, _ = found_by(engine, Subject.PERSON)
    np.testing.assert_array_equal(alpha > 0.5, engine.body > 0.5)


def test_a_small_part_of_the_people_map_that_is_no_person_stays_with_the_object():
    engine = HeadAndWheel()
    alpha, _ = found_by(engine, Subject.OBJECT)
    assert alpha[42, 46] == 1
    assert not alpha[engine.body > 0.5].any()


def test_people_are_not_separated_if_the_subject_contains_none():
    class Engine(FakeEngine):
        def auto(self, rgb):
            return Matte(np.ones((8, 8), np.float32), np.zeros((8, 8), np.float32))

    engine = Engine()
    found_by(engine, Subject.OBJECT)
    assert "instances" not in engine.calls


def test_people_are_separated_once_for_several_boxes():
    class Engine(FakeEngine):
        def boxes(self, rgb, boxes):
            return [Matte(matte.alpha, matte.alpha) for matte in super().boxes(rgb, boxes)]

    engine = Engine()
    options = CutoutOptions(method="boxes", boxes=((0, 0, 300, 500), (10, 10, 200, 400)), subject="person")
    cut_out(PHOTO, options, engine, LIMITS)
    assert engine.calls.count("instances") == 1


def test_an_object_is_the_subject_without_its_people():
    engine = CarAndWoman()
    alpha, notes = found_by(engine, Subject.OBJECT)
    assert alpha[40, 30] == 1
    assert not (alpha[engine.body > 0.5]).any()
    assert notes == ()


@pytest.mark.parametrize(
    ("subject", "people", "note"),
    [(Subject.PERSON, 0.0, "person: no person"), (Subject.OBJECT, 1.0, "object: nothing but people")],
)
def test_a_subject_that_is_not_there_gives_nothing_and_says_so(subject, people, note):
    class Engine(FakeEngine):
        def auto(self, rgb):
            return Matte(np.ones((8, 8), np.float32), np.full((8, 8), people, np.float32))

    result = cut_out(PHOTO, CutoutOptions(subject=subject), Engine(), LIMITS)
    assert result.foreground is None
    assert [said for said in result.notes if said.startswith(note)]


def test_a_picture_in_which_nothing_is_found_says_so():
    result = cut_out(PHOTO, CutoutOptions(), EmptyEngine(), LIMITS)
    assert result.foreground is None
    assert "nothing: no subject was found" in result.notes


def test_a_threshold_that_removes_all_is_not_called_a_missing_subject():
    result = cut_out(PHOTO, CutoutOptions(alpha_mode="binary", threshold=50), FakeEngine(), LIMITS)
    assert result.foreground is None
    assert result.notes == ("nothing: threshold and erosion removed the whole subject",)


def test_points_select_one_subject_and_reach_beyond_its_boxes():
    engine = FakeEngine()
    options = CutoutOptions(method="boxes", boxes=((0, 0, 100, 100),), points=((384, 256, 1),))
    result = cut_out(PHOTO, options, engine, LIMITS)
    assert engine.calls == ["boxes", "points"]
    left, top, right, bottom = (getattr(result.foreground, side) for side in ("left", "top", "right", "bottom"))
    assert (left + right) / 2 == pytest.approx(384, abs=4)
    assert (top + bottom) / 2 == pytest.approx(256, abs=4)


def test_points_off_the_picture_or_for_a_model_without_them_are_refused():
    engine = FakeEngine()
    with pytest.raises(BoxInvalid, match="not on a picture of 512x512"):
        cut_out(PHOTO, CutoutOptions(method="points", points=((512, 3, 1),)), engine, LIMITS)
    engine.takes_points = False
    with pytest.raises(InvalidParameter, match="fake does not take them"):
        cut_out(PHOTO, CutoutOptions(points=((5, 3, 0),)), engine, LIMITS)
    assert engine.calls == []


def test_an_engine_that_cannot_tell_people_gives_its_whole_alpha():
    alpha = np.ones((4, 4), np.float32)
    assert limit_to(Subject.PERSON, Matte(alpha), list)[0] is alpha


def test_people_are_mapped_at_the_size_of_the_picture():
    options = CutoutOptions(method="instances", outputs=("cutout", "mask", "visualization"), crop=True)
    result = cut_out(PHOTO, options, FakeEngine(), LIMITS)
    ids = opened(result.outputs[1].data)
    assert (ids.shape, ids.dtype) == ((512, 512), np.uint8)
    assert np.unique(ids).tolist() == [0, 1, 2]
    assert [(person.id, person.area_px) for person in result.instances] == [
        (1, (ids == 1).sum()),
        (2, (ids == 2).sum()),
    ]
    assert ids[256, 140] == 1
    assert ids[256, 370] == 2
    assert result.subject is Subject.PERSON
    visualization = opened(result.outputs[2].data)
    assert not np.array_equal(visualization[256, 140], astronaut()[256, 140])


def test_a_photo_without_people_gives_an_empty_map_and_no_error():
    options = CutoutOptions(method="instances", outputs=("mask", "visualization"))
    result = cut_out(PHOTO, options, EmptyEngine(), LIMITS)
    assert not opened(result.outputs[0].data).any()
    assert (result.instances, result.foreground, result.uncertainty) == ((), None, NOTHING_SURE)


@pytest.mark.parametrize(
    ("options", "format_name"),
    [
        (CutoutOptions(), "JPEG"),
        (
            CutoutOptions(method="boxes", boxes=(Box(0, 0, 1500, 1800),), erosion=4, crop=True, background="#ff0000"),
            "JPEG",
        ),
        (CutoutOptions(subject="stamp"), "PNG"),
    ],
    ids=["subject", "box", "stamp"],
)
def test_a_draft_is_the_cutout_at_screen_size(options: CutoutOptions, format_name: str):
    photo = encoded(np.asarray(Image.fromarray(astronaut()).resize((2000, 1900))), format_name)
    drafts = []
    result = cut_out(photo, options, FakeEngine(), LIMITS, on_draft=drafts.append)
    whole = render_variant(photo, result.alpha.data, replace(options, crop=False, background=None), LIMITS).outputs[0]
    (draft,) = drafts
    assert (draft.content_type, draft.width, draft.height) == ("image/webp", 1024, 973)
    alpha, expected = (
        opened(draft.data)[..., 3],
        np.asarray(Image.open(io.BytesIO(whole.data)).resize((1024, 973)))[..., 3],
    )
    assert np.abs(alpha.astype(int) - expected).mean() < 2


def test_the_draft_of_a_transparent_picture_is_transparent_too():
    image = Image.fromarray(astronaut()).convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat(np.array([255, 51], np.uint8), 256)[None].repeat(512, axis=0)))
    drafts = []
    result = cut_out(encoded(image), CutoutOptions(), FakeEngine(), LIMITS, on_draft=drafts.append)
    alpha, expected = (opened(rendered.data)[..., 3] for rendered in (drafts[0], result.outputs[0]))
    assert expected[256, 300] < expected[256, 200]
    assert np.abs(alpha.astype(int) - expected).mean() < 2


@pytest.mark.parametrize(
    ("size", "box"),
    [((2400, 1700), Box(2398, 10, 2400, 25)), ((3000, 60), Box(0, 58, 5, 60)), ((3000, 4), Box(0, 0, 9, 4))],
    ids=["at the right border", "at the lower border", "in a picture whose draft is one pixel high"],
)
def test_a_draft_never_fails_a_picture(size: tuple[int, int], box: Box):
    photo = encoded(np.asarray(Image.fromarray(astronaut()).resize(size)))
    drafts = []
    cut_out(photo, CutoutOptions(method="boxes", boxes=(box,)), FakeEngine(), LIMITS, on_draft=drafts.append)
    assert len(drafts) == (size[1] > 4)
