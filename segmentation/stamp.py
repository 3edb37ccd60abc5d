"""Separation of the ink of seals and stamps from the paper by classical methods, without a model.

All steps use the stored sRGB values, not linear light. In these values too, a shadow multiplies the three channels by
the same factor. Alpha is later also applied to sRGB values. The steps:

1. Light. The logarithm of the paper's colour is a smooth surface, fitted to the picture by reweighted least squares
   with a small weight for pixels darker than the paper (asymmetric least squares, Eilers & Boelens 2005), then
   corrected locally by normalised convolution over paper-like pixels (Knutsson & Westin 1993).
2. Optical density, by the Beer-Lambert law: D = -ln(picture / paper). The densities of ink and print add up.
3. Inks. The densities of the strongest coloured pixels, grouped by hue. Yellow and brown are stains, not ink.
4. Unmixing, as colour deconvolution does for dyes (Ruifrok & Johnston 2001): D = amount * ink + print * (1, 1, 1), in
   the least squares sense. The picture without its print is T = exp(-amount * ink).
5. Alpha of the ink over white paper, T = alpha * C + (1 - alpha), in the least squares sense over the channels, as in
   matting against a known background (Smith & Blinn 1996). C is the colour of the ink at full strength.
6. Under dense print, almost no colour can be measured. There alpha is the normalised convolution of the surrounding
   alphas.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

MODEL_SIDE_PX = 900  # the longer side at which light and inks are estimated
PAPER_SIDE_PX = 150  # the longer side at which the paper's surface is fitted
STRIP_ROWS = 512  # rows processed at a time, to limit the memory for 50 megapixels
DARKEST = 6 / 255  # below this channel value (0..1), densities are mostly noise
STAIN_HUES_DEG = (56.0, 140.0)  # yellow, brown and olive, on the hue circle of `hue_of`
MIN_INK_DENSITY = 0.14  # difference of two channels' densities; a smaller one is a tint of the paper or the light
FULL_INK_DENSITY = 0.7  # a paler ink counts as a thin layer of a stronger one, and becomes translucent
MAX_INKS = 3
MIN_INK_PIXELS = 20
MIN_INK_SHARE = 0.12  # share of the strongest ink's weight: smaller groups of another hue are fringes and mixtures
HUE_APART_DEG = 45.0
COLOUR_BLUR_PX = 1.2  # radius over which ink and print are separated
NOISE_FLOOR = 2.5  # times the paper's own colour noise; weaker pixels are not ink
COLOUR_LOSS = 0.4  # for thin strokes in JPEG: this much gray beside the ink's colour still counts as ink
_LOG_LEVELS = np.log(np.maximum(np.arange(256, dtype=np.float32) / 255, DARKEST))


class Stamp(NamedTuple):
    """The ink of a stamp.

    alpha: (H, W) float32 0..1.
    colour: (H, W, 3) uint8, without paper, print and shadow.
    """

    alpha: np.ndarray
    colour: np.ndarray


@dataclass(frozen=True, slots=True)
class Ink:
    """One ink colour.

    density: (3,) float32, the optical density (natural logarithm) of each RGB channel at full strength.
    hue_deg: the hue in degrees, 0..360.
    """

    density: np.ndarray
    hue_deg: float


@dataclass(frozen=True, slots=True)
class Page:
    """Estimates of the paper and the inks in a picture.

    paper: (h, w, 3) float32, the natural logarithm of the paper's colour on a small grid.
    inks: the inks, the strongest first.
    noise: the colour noise of the bare paper. For each pixel without ink or print, take the largest minus the smallest
    density of its three channels. The noise is the 90th percentile of these differences.
    brightest: (3,) float32 0..1, the 95th percentile of the paper's colour in each channel.
    """

    paper: np.ndarray
    inks: tuple[Ink, ...]
    noise: float
    brightest: np.ndarray


def lift_stamp(rgb: np.ndarray) -> Stamp:
    """Return the coloured ink of a picture, (H, W, 3) uint8, separated from its paper.

    If there is no ink, the alpha is 0 everywhere.
    """
    height, width = rgb.shape[:2]
    page = read_page(rgb)
    alpha = np.zeros((height, width), np.float32)
    colour = np.empty((height, width, 3), np.uint8)
    colour[:] = np.rint(255 * page.brightest)
    if not page.inks:
        return Stamp(alpha, colour)
    reach = max(1.2, max(height, width) / 450)  # about half the width of a stroke of print
    border = int(4 * reach) + 1
    for top in range(0, height, STRIP_ROWS):
        first, past = max(0, top - border), min(height, top + STRIP_ROWS + border)
        density = density_of(rgb, page.paper, rows=slice(first, past))
        strip_alpha, strip_colour = _lift_strip(density, page, reach)
        rows = slice(top, min(height, top + STRIP_ROWS))
        alpha[rows] = strip_alpha[rows.start - first : rows.stop - first]
        colour[rows] = strip_colour[rows.start - first : rows.stop - first]
    return Stamp(alpha, colour)


def read_page(rgb: np.ndarray) -> Page:
    """Return estimates of the paper's colour, the inks and the noise of a picture, (H, W, 3) uint8.

    The estimates are computed from a small copy of the picture.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, MODEL_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    paper = _paper(small)
    density = density_of(small, paper)
    least, most = extremes(density)
    strength, hue = most - least, hue_of(density)
    bare = (strength < MIN_INK_DENSITY) & (most < 0.12) & (least > -0.12)
    noise = float(np.percentile(strength[bare], 90)) if bare.sum() > 100 else MIN_INK_DENSITY / 2
    coloured = (strength > max(2 * MIN_INK_DENSITY, 4 * noise)) & ~is_stain(hue)
    return Page(
        paper=paper,
        inks=tuple(_inks(density[coloured], strength[coloured], hue[coloured])),
        noise=noise,
        brightest=np.exp(np.percentile(paper.reshape(-1, 3), 95, axis=0)).astype(np.float32),
    )


def extremes(density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest of the three channels at each pixel, both (h, w).

    density: (h, w, 3).
    """
    first, second, third = cv2.split(density)
    return np.minimum(np.minimum(first, second), third), np.maximum(np.maximum(first, second), third)


@lru_cache(maxsize=16)
def _surface_terms(rows: int, columns: int) -> np.ndarray:
    """Return the ten terms of a cubic surface at each pixel of a grid, (rows * columns, 10)."""
    down, across = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    return np.stack([across**i * down**j for i in range(4) for j in range(4 - i)], axis=-1).reshape(-1, 10)


def _paper(small: np.ndarray) -> np.ndarray:
    """Estimate the natural logarithm of the bare paper's colour, (h, w, 3) float32, on a coarse grid.

    Bare paper is paper without ink and print.

    small: a small copy of the picture.
    """
    step = max(1, -(-max(small.shape[:2]) // PAPER_SIDE_PX))
    size = (max(1, small.shape[1] // step), max(1, small.shape[0] // step))
    tiny = np.log(np.maximum(cv2.resize(small, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255, DARKEST))
    rows, columns = tiny.shape[:2]
    terms = _surface_terms(rows, columns)
    values = tiny.reshape(-1, 3).astype(np.float64)
    brightness = values.mean(axis=1)
    weight = (brightness > np.percentile(brightness, 50)).astype(np.float64)
    for _ in range(8):
        weighted = terms * weight[:, None]
        surface = terms @ np.linalg.solve(terms.T @ weighted + 1e-3 * np.eye(10), weighted.T @ values)
        residual = values - surface
        first, second, third = np.ascontiguousarray(residual.T)  # resizing short rows takes ten times as long
        tint = np.maximum(np.maximum(first, second), third) - np.minimum(np.minimum(first, second), third)
        mean = (first + second + third) / 3
        darker, brighter = np.maximum(-mean, 0), np.maximum(mean, 0)
        weight = np.exp(-((darker / 0.06) ** 2) - (brighter / 0.3) ** 2 - (tint / 0.10) ** 2) + 1e-4
    is_paper = np.exp(-((darker / 0.16) ** 2) - (tint / 0.12) ** 2).reshape(rows, columns, 1).astype(np.float32)
    residual = residual.reshape(rows, columns, 3).astype(np.float32)
    sigma = max(rows, columns) / 14
    local = cv2.GaussianBlur(residual * is_paper, (0, 0), sigma) / (
        cv2.GaussianBlur(is_paper, (0, 0), sigma)[..., None] + 0.03
    )
    return (surface.reshape(rows, columns, 3) + local).astype(np.float32)


def _paper_rows(paper: np.ndarray, first: int, past: int, height: int, width: int) -> np.ndarray:
    """Return the logarithm of the paper's colour for some rows of a picture, (past - first, width, 3) float32.

    paper: the field `paper` of the picture's Page.
    first, past: the first row, and the row after the last one.
    height, width: the picture's size in pixels.
    """
    rows, columns = paper.shape[:2]
    down = ((np.arange(first, past) + 0.5) * rows / height - 0.5).astype(np.float32)
    across = ((np.arange(width) + 0.5) * columns / width - 0.5).astype(np.float32)
    x, y = np.meshgrid(across, down)
    return cv2.remap(paper, x, y, interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def density_of(rgb: np.ndarray, paper: np.ndarray, rows: slice | None = None) -> np.ndarray:
    """Return the optical density relative to the paper, (rows, W, 3) float32; bare paper has 0.

    rgb: (H, W, 3) uint8.
    paper: the field `paper` of the picture's Page.
    rows: the rows to measure; None means all rows.
    """
    height, width = rgb.shape[:2]
    rows = rows or slice(0, height)
    return _paper_rows(paper, rows.start, rows.stop, height, width) - cv2.LUT(rgb[rows], _LOG_LEVELS)


def hue_of(density: np.ndarray) -> np.ndarray:
    """Return the hue of densities, (H, W, 3), in degrees 0..360.

    Red ink has a hue near 20, green 170, blue 245 and violet 315.
    """
    across = cv2.transform(density, np.array([[-1.0, 1.0, 0.0]]))
    down = cv2.transform(density, np.array([[-0.5, -0.5, 1.0]]))
    return cv2.phase(across, down, angleInDegrees=True)


def is_stain(hue_deg: np.ndarray) -> np.ndarray:
    return (hue_deg > STAIN_HUES_DEG[0]) & (hue_deg < STAIN_HUES_DEG[1])


def hues_apart(first_deg: np.ndarray, second_deg: float) -> np.ndarray:
    """Return the angles, 0..180 degrees, between hues (H, W) and one hue, all in degrees 0..360."""
    difference = np.abs(first_deg - np.float32(second_deg))
    return np.minimum(difference, 360 - difference)


def _inks(density: np.ndarray, strength: np.ndarray, hue_deg: np.ndarray) -> list[Ink]:
    """Return the inks among coloured pixels, the strongest first.

    density: (n, 3).
    strength, hue_deg: (n,).

    Each ink is a peak in the histogram of hues.
    """
    counts = np.histogram(hue_deg, bins=72, range=(0, 360), weights=strength)[0]
    kernel = np.exp(-0.5 * (np.arange(-4, 5) / 2.0) ** 2)
    counts = np.convolve(np.concatenate([counts[-4:], counts, counts[:4]]), kernel, mode="valid")
    inks: list[Ink] = []
    first = counts.max()
    while len(inks) < MAX_INKS and counts.max() > MIN_INK_SHARE * first and strength.size >= MIN_INK_PIXELS:
        centre = (int(counts.argmax()) + 0.5) * 5.0
        near = hues_apart(hue_deg, centre) < HUE_APART_DEG / 2
        ink = _full_ink(density[near], centre) if near.sum() >= MIN_INK_PIXELS else None
        if ink is not None:
            inks.append(ink)
        counts[hues_apart((np.arange(72) + 0.5) * 5.0, centre) < HUE_APART_DEG] = 0
    return inks


def _full_ink(density: np.ndarray, hue_deg: float) -> Ink | None:
    """Return the ink at full strength: the median density of the most colourful pixels.

    The colourfulness of a pixel is the difference between its channels' transmittances. The pixels between the 90th and
    the 99th percentile of the colourfulness are used. Print under the ink lowers the colourfulness, so these pixels
    contain no print. Return None if they have little colour.
    """
    first, second, third = np.exp(-density.T)
    colourfulness = np.maximum(np.maximum(first, second), third) - np.minimum(np.minimum(first, second), third)
    low, high = np.percentile(colourfulness, (90, 99))
    full = np.clip(np.median(density[(colourfulness >= low) & (colourfulness <= high)], axis=0), 0.02, None)
    spread = float(np.ptp(full))
    if spread < MIN_INK_DENSITY:
        return None
    return Ink((full * max(1.0, FULL_INK_DENSITY / spread)).astype(np.float32), hue_deg)


def _lift_strip(density: np.ndarray, page: Page, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ink's alpha, (H, W) float32, and colour, (H, W, 3) uint8, in a strip of rows.

    density: the densities of the strip, (H, W, 3).
    reach: the standard deviation, in pixels, of the blur that interpolates alpha under print.
    """
    hue = hue_of(density)
    alpha, sight = _unmix(density, hue, page.inks[0], page.noise)
    nearest, best = np.zeros(hue.shape, np.uint8), hues_apart(hue, page.inks[0].hue_deg)
    for index, ink in enumerate(page.inks[1:], start=1):
        apart = hues_apart(hue, ink.hue_deg)
        nearer = apart < best
        found, seen = _unmix(density, hue, ink, page.noise)
        alpha[nearer], sight[nearer], best[nearer], nearest[nearer] = found[nearer], seen[nearer], apart[nearer], index
    trust = sight * sight
    around = cv2.GaussianBlur(alpha * trust, (0, 0), reach) / (cv2.GaussianBlur(trust, (0, 0), reach) + 1e-3)
    alpha = around + trust * (alpha - around)
    colours = np.stack([np.exp(-ink.density) for ink in page.inks]) * page.brightest
    return alpha, np.rint(255 * np.clip(colours, 0, 1)).astype(np.uint8)[nearest]


def _unmix(density: np.ndarray, hue_deg: np.ndarray, ink: Ink, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Split densities, (H, W, 3), into ink and print. Return the ink's alpha and visibility, both (H, W) float32 0..1.

    The share of ink in a pixel's darkness is measured over the pixel's neighbourhood, because JPEG stores colour at
    half the resolution. Colour that is missing in the middle of a thin stroke appears next to the stroke. There the
    paper becomes lighter by the same amount, so that the two errors cancel out.
    """
    ink_sum, power = float(ink.density.sum()), float(ink.density @ ink.density)
    slope = (3 * ink.density - ink_sum) / (3 * power - ink_sum**2)  # amount = density . slope
    rest = (1 - ink_sum * slope) / 3  # print = density . rest
    split = cv2.GaussianBlur(cv2.transform(density, np.stack([slope, rest])), (0, 0), COLOUR_BLUR_PX)
    inky = np.clip(split[..., 0], 0, None) * (ink_sum / 3)
    # A pixel of another hue contains none of this ink, even if the densities match.
    inky *= np.clip((75 - hues_apart(hue_deg, ink.hue_deg)) / 30, 0, 1)
    printed = np.clip(split[..., 1] - COLOUR_LOSS * inky, 0, None)
    share = inky / (inky + printed + 1e-4)
    total = np.clip(cv2.transform(density, np.full((1, 3), 1 / 3)), 0, None)
    amounts = np.linspace(0, 2, 512, dtype=np.float32)
    absorbed = 1 - np.exp(-ink.density)
    floor = min(0.2, NOISE_FLOOR * noise / float(np.ptp(ink.density)))
    table = ((1 - np.exp(-amounts[:, None] * ink.density)) @ absorbed / (absorbed @ absorbed)).astype(np.float32)
    table = np.clip((table - floor) / (1 - floor), 0, 1)
    alpha = np.interp(share * total * (3 / ink_sum), amounts, table).astype(np.float32)
    return alpha, cv2.exp(-1.2 * (1 - share) * total)
