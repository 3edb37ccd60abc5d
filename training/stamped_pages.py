"""Generated pages with a stamp, like pages that are scanned or photographed, and the alpha of the ink.

The pages have the faults of real pages: print under the ink, paper texture, uneven ink, a tilted camera, uneven light
with a shadow's edge, lens blur, sensor noise and JPEG artefacts. The geometric effects and the blur are applied to the
alpha too. In all functions, `random` is the source of random numbers; H and W are HEIGHT_PX and WIDTH_PX.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH_PX, HEIGHT_PX = 720, 560
INKS = {"red": (196, 32, 44), "blue": (34, 66, 170), "violet": (104, 48, 158)}
PAPERS = {"white": (250, 250, 248), "cream": (246, 236, 212), "grey": (206, 207, 210)}
SHAPES = ("round", "oval", "square")
Random = np.random.Generator


@dataclass(frozen=True)
class StampedPage:
    """A generated page and its stamp.

    rgb: (H, W, 3) uint8.
    alpha: the ink's alpha, (H, W) float32 0..1.
    box: the ink's left, top, right and bottom in pixels.
    words: a short description of the page.
    """

    rgb: np.ndarray
    alpha: np.ndarray
    box: tuple[int, int, int, int]
    words: str


def stamped_page(seed: int) -> StampedPage:
    """Return the generated page for a seed; 18 consecutive seeds cover all inks, papers, shapes and effects."""
    random = np.random.default_rng(seed)
    ink = list(INKS)[seed % 3]
    paper = list(PAPERS)[seed // 3 % 3]
    shape = SHAPES[(seed + seed // 3) % 3]
    printed, photographed = seed % 2 == 0, seed % 6 >= 2
    page = paper_texture(random, PAPERS[paper])
    if printed:
        page = page * (1 - 0.88 * print_cover(random)[..., None])
    ink_alpha = placed(random, SHAPE_MAKERS[shape](random)) * inking(random)
    page = inked(page, ink_alpha, np.array(INKS[ink], np.float32) / 255 + random.uniform(-0.03, 0.03, 3))
    if photographed:
        page, ink_alpha = tilted(random, page, ink_alpha)
        page *= light(random)
    blur = random.uniform(0.5, 1.3)
    page, ink_alpha = (cv2.GaussianBlur(layer, (0, 0), blur) for layer in (page, ink_alpha))
    page = page + random.normal(0, random.uniform(0.004, 0.014), page.shape)
    rgb = through_jpeg(page, quality=int(random.integers(62, 93)))
    rows, columns = np.nonzero(ink_alpha > 0.02)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    words = f"{ink} {shape} on {paper}{', printed' * printed}{', photographed' * photographed}"
    return StampedPage(rgb, ink_alpha.astype(np.float32), box, words)


def plain_page(seed: int) -> np.ndarray:
    """Return a generated printed page without a stamp, (H, W, 3) uint8."""
    random = np.random.default_rng(seed)
    page = paper_texture(random, list(PAPERS.values())[seed % 3]) * (1 - 0.88 * print_cover(random)[..., None])
    page = cv2.GaussianBlur(page * light(random), (0, 0), random.uniform(0.5, 1.3))
    return through_jpeg(page + random.normal(0, 0.01, page.shape), quality=int(random.integers(62, 93)))


def smooth_noise(random: Random, scale_px: float) -> np.ndarray:
    """Return noise, (H, W) float32, without details smaller than `scale_px` pixels; mean 0, standard deviation 1."""
    rows, columns = (max(2, round(side / scale_px)) for side in (HEIGHT_PX, WIDTH_PX))
    noise = cv2.resize(random.normal(size=(rows, columns)), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def paper_texture(random: Random, color: tuple[int, int, int]) -> np.ndarray:
    """Return a picture of empty paper, (H, W, 3) float32 around 0..1, with fibres and slow changes of brightness.

    color: the paper's colour, RGB, 0..255.
    """
    tone = 1 + 0.010 * smooth_noise(random, 90) + 0.012 * smooth_noise(random, 3)
    return (np.array(color, np.float32) / 255) * tone[..., None]


def print_cover(random: Random) -> np.ndarray:
    """Return a map of the print on a page, (H, W) float32 0..1; 1 is full print.

    The print is a heading, lines of random words and a horizontal line.
    """
    sheet = Image.new("L", (WIDTH_PX, HEIGHT_PX))
    draw = ImageDraw.Draw(sheet)
    size = int(random.integers(13, 21))
    draw.text((60, 24), words(random, 3).title(), 255, ImageFont.load_default(size * 1.7))
    for top in range(80, HEIGHT_PX - 40, round(size * random.uniform(1.5, 2.2))):
        draw.text((60, top), words(random, 12), 255, ImageFont.load_default(size))
    draw.line((60, HEIGHT_PX // 2, WIDTH_PX - 60, HEIGHT_PX // 2), 255, 2)
    return np.asarray(sheet, np.float32) / 255


def words(random: Random, count: int) -> str:
    return " ".join(
        "".join(random.choice(list(string.ascii_lowercase), int(random.integers(2, 9)))) for _ in range(count)
    )


def capitals(random: Random, count: int) -> str:
    return "".join(random.choice(list(string.ascii_uppercase), count))


def round_seal(random: Random) -> np.ndarray:
    """Return a round seal, (480, 480) float32 0..1: two rings, letters between them and a star in the middle."""
    seal = Image.new("L", (480, 480))
    draw = ImageDraw.Draw(seal)
    draw.ellipse((10, 10, 470, 470), outline=255, width=int(random.integers(10, 20)))
    draw.ellipse((120, 120, 360, 360), outline=255, width=6)
    font = ImageFont.load_default(58)
    for index, letter in enumerate(capitals(random, 16)):
        tile = Image.new("L", (480, 480))
        ImageDraw.Draw(tile).text((240, 72), letter, 255, font, anchor="mm")
        seal.paste(255, mask=tile.rotate(index * 360 / 16))
    turn = np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2, 38, 92)
    star = np.stack([240 + reach * np.sin(turn), 240 - reach * np.cos(turn)], 1)
    draw.polygon([tuple(point) for point in star.tolist()], fill=255)
    return np.asarray(seal, np.float32) / 255


def oval_seal(random: Random) -> np.ndarray:
    """Return an oval seal, (380, 560) float32 0..1: two ovals with three lines of text."""
    seal = Image.new("L", (560, 380))
    draw = ImageDraw.Draw(seal)
    draw.ellipse((8, 8, 552, 372), outline=255, width=int(random.integers(8, 16)))
    draw.ellipse((34, 34, 526, 346), outline=255, width=4)
    for top, size, count in ((110, 50, 8), (190, 68, 9), (270, 44, 9)):
        draw.text((280, top), capitals(random, count), 255, ImageFont.load_default(size), anchor="mm")
    return np.asarray(seal, np.float32) / 255


def square_seal(random: Random) -> np.ndarray:
    """Return a square seal with four letters, (400, 400) float32 0..1.

    The letters are gaps in a filled square, or they are inked and a frame surrounds them.
    """
    full = random.random() < 0.5
    seal = Image.new("L", (400, 400), 255 if full else 0)
    draw = ImageDraw.Draw(seal)
    draw.rectangle((8, 8, 392, 392), outline=255, width=18)
    for column, row in ((120, 115), (280, 115), (120, 285), (280, 285)):
        letter = capitals(random, 1)
        draw.text((column, row), letter, 0 if full else 255, ImageFont.load_default(150), anchor="mm", stroke_width=4)
    return np.asarray(seal, np.float32) / 255


SHAPE_MAKERS: dict[str, Callable[[Random], np.ndarray]] = {
    "round": round_seal, "oval": oval_seal, "square": square_seal,
}  # fmt: skip


def placed(random: Random, seal: np.ndarray) -> np.ndarray:
    """Return the seal, (H, W) float32, rotated and scaled to about half of the page's height, at a random place."""
    height, width = seal.shape
    scale = HEIGHT_PX * random.uniform(0.42, 0.62) / max(height, width)
    seal = cv2.GaussianBlur(seal, (0, 0), 0.35 / scale)  # prevents aliasing when it is reduced
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-28, 28), scale)
    margin = 0.6 * scale * max(height, width)
    matrix[0, 2] += random.uniform(margin, WIDTH_PX - margin) - width / 2
    matrix[1, 2] += random.uniform(margin, HEIGHT_PX - margin) - height / 2
    return cv2.warpAffine(seal, matrix, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_LINEAR)


def inking(random: Random) -> np.ndarray:
    """Return a map of the amount of ink, (H, W) float32 0..1: more ink on one side, and less ink in small pores."""
    down, across = np.mgrid[-1 : 1 : HEIGHT_PX * 1j, -1 : 1 : WIDTH_PX * 1j]
    turn = random.uniform(0, 2 * np.pi)
    pressure = 0.93 + 0.10 * (np.cos(turn) * across + np.sin(turn) * down) + 0.06 * smooth_noise(random, 60)
    pores = np.clip(1.6 - 0.9 * smooth_noise(random, 2.2), 0.25, 1)
    return (np.clip(pressure, 0.45, 1) * pores).astype(np.float32)


def inked(page: np.ndarray, alpha: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Return a page, (H, W, 3) float32, stamped with translucent ink; print below the ink stays visible.

    page: (H, W, 3) float32 0..1.
    alpha: (H, W) float32.
    ink: (3,), the ink's colour 0..1.
    """
    paper = np.median(page, axis=(0, 1))
    through = np.clip(page / paper, 0, 1)
    return (page * (1 - alpha[..., None]) + ink * through * alpha[..., None]).astype(np.float32)


def tilted(random: Random, page: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the page and its alpha in the same random perspective, as if photographed slightly from the side."""
    corners = np.array([[0, 0], [WIDTH_PX, 0], [WIDTH_PX, HEIGHT_PX], [0, HEIGHT_PX]], np.float32)
    moved = corners + random.uniform(-0.07, 0.07, (4, 2)).astype(np.float32) * WIDTH_PX
    matrix = cv2.getPerspectiveTransform(corners, moved)
    size = (WIDTH_PX, HEIGHT_PX)
    return (
        cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        cv2.warpPerspective(alpha, matrix, size, flags=cv2.INTER_LINEAR),
    )


def light(random: Random) -> np.ndarray:
    """Return the illumination of a page as factors, (H, W, 3) float32, by which the page's colours are multiplied.

    One side is brighter and slightly warmer than the other side, and a shadow with a soft edge lies on the page.
    """
    down, across = np.mgrid[-1 : 1 : HEIGHT_PX * 1j, -1 : 1 : WIDTH_PX * 1j]
    turn = random.uniform(0, 2 * np.pi)
    slope = np.cos(turn) * across + np.sin(turn) * down
    falling = 0.86 + 0.14 * slope - 0.05 * (across**2 + down**2)
    turn = random.uniform(0, 2 * np.pi)
    edge = (np.cos(turn) * across + np.sin(turn) * down - random.uniform(0.1, 0.8)) / random.uniform(0.05, 0.3)
    shadow = 1 - random.uniform(0.1, 0.35) / (1 + np.exp(-np.clip(edge, -30, 30)))
    warmth = np.stack([0.015 * slope, 0 * slope, -0.03 * slope], 2)
    return ((falling * shadow)[..., None] * (1 + warmth)).astype(np.float32)


def through_jpeg(page: np.ndarray, *, quality: int) -> np.ndarray:
    levels = np.clip(page * 255 + 0.5, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", levels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded one line above
    return np.ascontiguousarray(decoded[..., ::-1])
