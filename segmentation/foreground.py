"""Remove the old background's colour from half-transparent edges, without changing alpha.

A pixel of hair shows alpha * F + (1 - alpha) * B. If its colour is used unchanged, B remains visible as a halo on a new
background. As in blur fusion (Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021), F and B are first
estimated from local averages, and the remaining difference to the photo is then added to F. Here the averages form a
pyramid from coarse to fine: each level uses the nearly certain colours, and the coarser level where there are none.
Only half-transparent pixels are computed at full size. This is faster and more exact than two wide blurs.
"""

from __future__ import annotations

import cv2
import numpy as np

from .beside import beside, each, row_blocks
from .encode import quantize, to_float

SURE = 0.01  # alpha this close to 0 or 1 counts as certain, and the photo's colour is kept
_LOWEST, _HIGHEST = 656, 64_879  # the quantised values between SURE and 1 - SURE

_FINEST = 3  # reduction of the picture at the fine end of the pyramid; each coarser level halves it again
_LEVELS = 4
_WINDOW_CELLS = 3
_FALLBACK = 0.05  # weight of the coarser estimate; a window full of certain colours weighs 1
_EPSILON = 1e-4
_REACH_PX = _FINEST * 2 ** (_LEVELS - 1) * _WINDOW_CELLS


def decontaminate(rgb: np.ndarray, alpha: np.ndarray, shown: np.ndarray | None = None) -> np.ndarray:
    """Return (H, W, 3) uint8 with the foreground's own colour where alpha is between 0 and 1.

    alpha: (H, W), float32 0..1 or quantised uint16.
    shown: (H, W) uint8, the final visible alpha. Where feathering makes it larger than alpha, the pixels show only
    background, and also get the foreground's colour.
    """
    if alpha.dtype != np.uint16:
        alpha = quantize(alpha)
    band = cv2.inRange(alpha, _LOWEST, _HIGHEST)
    if shown is not None:
        band |= cv2.inRange(alpha, 0, _LOWEST - 1) & cv2.inRange(shown, 1, 255)
    left, top, width, height = cv2.boundingRect(band)
    if width == 0:
        return rgb
    window = (
        slice(max(0, top - _REACH_PX), top + height + _REACH_PX),
        slice(max(0, left - _REACH_PX), left + width + _REACH_PX),
    )
    clean = rgb.copy()
    _correct(rgb[window], alpha[window], band[window], clean[window])
    return clean


def _correct(rgb: np.ndarray, alpha: np.ndarray, band: np.ndarray, clean: np.ndarray) -> None:
    """Write the foreground's colours of (H, W, 3) uint8 into `clean` where `band`, (H, W) uint8, is not 0.

    Blocks of rows are computed densely, from their first to their last pixel of the band.
    """
    height, width = band.shape
    layers = [cv2.resize(layer, (width, height)) for layer in _smooth_layers(rgb, alpha)]

    def fill(block: slice) -> None:
        left, top, columns, rows = cv2.boundingRect(band[block])
        if not rows:
            return
        place = slice(block.start + top, block.start + top + rows), slice(left, left + columns)
        share = to_float(alpha[place])
        planes = []
        for photo, front, back in zip(*(cv2.split(colors[place]) for colors in (rgb, *layers)), strict=True):
            own = front.astype(np.float32)
            # Forte 2021, equation 7: F takes its share of the difference between photo and smooth layers.
            mixed = cv2.subtract(front, back, dtype=cv2.CV_32F)
            mixed *= share
            mixed += back
            cv2.accumulateProduct(cv2.subtract(photo, mixed, dtype=cv2.CV_32F), share, own)
            planes.append(cv2.convertScaleAbs(np.maximum(own, 0, out=own)))
        cv2.copyTo(cv2.merge(planes), band[place], clean[place])

    each(fill, row_blocks(height, width))


def _smooth_layers(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates of foreground and background at the finest reduced size, as (h, w, 3) uint8."""
    photo, weight = _shrink(rgb, _FINEST), to_float(_shrink(alpha, _FINEST))
    pyramid: list[tuple[np.ndarray, np.ndarray]] = [(photo.astype(np.float32), weight)]
    for _ in range(_LEVELS - 1):
        photo, weight = pyramid[-1]
        pyramid.append((_shrink(photo, 2), _shrink(weight, 2)))

    def finest(of_back: bool) -> np.ndarray:
        mean: np.ndarray | None = None
        for photo, weight in reversed(pyramid):
            mean = _trusting_mean(photo, 1 - weight if of_back else weight, mean)
        return cv2.convertScaleAbs(mean)

    back = beside(finest, True)
    return finest(False), back.result()


def _shrink(plane: np.ndarray, reduction: int) -> np.ndarray:
    size = max(1, plane.shape[1] // reduction), max(1, plane.shape[0] // reduction)
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _trusting_mean(photo: np.ndarray, weight: np.ndarray, coarser: np.ndarray | None) -> np.ndarray:
    """Return the window means of (h, w, 3) float32, weighted by weight ** 8.

    With this power, mixed colours have little effect.
    """
    trust = weight
    for _ in range(3):
        trust = cv2.multiply(trust, trust)
    window = (_WINDOW_CELLS, _WINDOW_CELLS)
    total = cv2.blur(cv2.multiply(photo, cv2.merge([trust] * 3)), window)
    trust = cv2.blur(trust, window)
    fallback = _FALLBACK
    if coarser is None:
        # Far from every certain colour, use the mean of all of them, with a weight that is negligible elsewhere.
        fallback = _EPSILON
        mean = total.sum(axis=(0, 1)) / max(float(trust.sum()), _EPSILON)
        coarser = mean.astype(np.float32)[None, None]
    coarser = cv2.resize(coarser, (photo.shape[1], photo.shape[0]))
    return cv2.divide(cv2.scaleAdd(coarser, fallback, total), cv2.merge([trust + fallback] * 3))
