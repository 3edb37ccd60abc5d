"""Removal of the old background's colour from half-transparent edges (decontamination). Alpha does not change.

The colour of a pixel of hair is alpha * F + (1 - alpha) * B, where F and B are the colours of foreground and
background. If this colour is used unchanged, B remains visible as a halo on a new background. As in blur fusion (Forte,
"Approximate Fast Foreground Colour Estimation", ICIP 2021), F and B are estimated from local averages, and then the
remaining difference to the photo is added to F. In this module, the averages form a pyramid from coarse to fine. Each
level averages pixels with certain alpha. Where there are no such pixels, it uses the average of the next coarser level.
Only half-transparent pixels are computed at full size. This is faster and more exact than two wide blurs.
"""

from __future__ import annotations

import cv2
import numpy as np

from .beside import beside, each, row_blocks
from .encode import quantize, to_float
from .resizing import enlarged_cells, shrink

SURE = 0.01  # alpha this close to 0 or 1 counts as certain, and the photo's colour is kept
_LOWEST, _HIGHEST = 656, 64_879  # the quantised values between SURE and 1 - SURE

# Reduction of the picture at the fine end of the pyramid; each coarser level halves it again. Edges of a larger picture
# are wider in pixels, so it is reduced more: to as many cells as a picture of 1920 x 1080.
_FINEST = 3
_COARSEST = 15
_PIXELS = 1920 * 1080
_LEVELS = 4
_WINDOW_CELLS = 3
_FALLBACK = 0.05  # weight of the coarser estimate; a window of only certain colours has the weight 1
_EPSILON = 1e-4


def decontaminate(rgb: np.ndarray, alpha: np.ndarray, shown: np.ndarray | None = None) -> np.ndarray:
    """Return the photo, (H, W, 3) uint8, with the foreground's own colour at the pixels with an alpha between 0 and 1.

    Feathering makes background pixels at the subject's edge visible. If `shown` is given, these pixels also get the
    foreground's colour.

    rgb: the photo, (H, W, 3) uint8.
    alpha: (H, W), float32 0..1 or quantised uint16.
    shown: the visible alpha after feathering, (H, W) uint8, or None.
    """
    if alpha.dtype != np.uint16:
        alpha = quantize(alpha)
    band = _within(alpha, _LOWEST, _HIGHEST)
    if shown is not None:
        band |= _within(alpha, 0, _LOWEST - 1) & _within(shown, 1, 255)
    left, top, width, height = cv2.boundingRect(band)
    if width == 0:
        return rgb
    reduction = min(_COARSEST, max(_FINEST, round(_FINEST * (alpha.size / _PIXELS) ** 0.5)), *alpha.shape)
    reach = reduction * 2 ** (_LEVELS - 1) * _WINDOW_CELLS
    window = (
        slice(max(0, top - reach), top + height + reach),
        slice(max(0, left - reach), left + width + reach),
    )
    clean = rgb.copy()
    _correct(rgb[window], alpha[window], band[window], clean[window], reduction)
    return clean


def _within(plane: np.ndarray, lowest: int, highest: int) -> np.ndarray:
    """Return a mask, (H, W) uint8: 1 where `plane` is between the two values, both included, and 0 elsewhere."""
    inside: np.ndarray = cv2.inRange(plane, np.array(lowest), np.array(highest))
    return inside & 1


def _correct(rgb: np.ndarray, alpha: np.ndarray, band: np.ndarray, clean: np.ndarray, reduction: int) -> None:
    """Write the foreground's colours into `clean`, (H, W, 3) uint8, at the pixels where `band` is 1.

    rgb: the photo, (H, W, 3) uint8.
    alpha: (H, W) uint16.
    band: (H, W) uint8 of 0 and 1.
    reduction: the reduction factor of the pyramid's finest level.
    """
    height, width = band.shape
    layers = _smooth_layers(rgb, alpha, reduction)

    def fill(block: slice) -> None:
        places = np.flatnonzero(band[block].view(bool))
        if not places.size:
            return
        share = to_float(alpha[block].reshape(-1).take(places))
        planes = cv2.split(rgb[block])
        for plane, *smooth in zip(
            planes, *(cv2.split(enlarged_cells(layer, reduction, block, width)) for layer in layers), strict=True
        ):
            front, back = (layer.reshape(-1).take(places).astype(np.float32) for layer in smooth)
            photo = plane.reshape(-1).take(places)
            # Forte 2021, equation 7: F takes its share of the difference between photo and smooth layers.
            back += (front - back) * share
            front += (photo - back) * share
            plane.reshape(-1)[places] = np.clip(front + 0.5, 0, 255)
        clean[block] = cv2.merge(planes)

    each(fill, row_blocks(height, width, multiple=reduction))


def _smooth_layers(rgb: np.ndarray, alpha: np.ndarray, reduction: int) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates of foreground and background at the pyramid's finest level, both (h, w, 3) uint8."""
    photo, weight = _shrink(rgb, reduction).astype(np.float32), to_float(_shrink(alpha, reduction))
    pyramid = [(photo, weight)]
    for _ in range(_LEVELS - 1):
        size = [max(1, side // 2) for side in weight.shape]
        photo, weight = shrink(photo, *size), shrink(weight, *size)
        pyramid.append((photo, weight))

    def finest(of_back: bool) -> np.ndarray:
        mean = None
        for photo, weight in reversed(pyramid):
            mean = _trusting_mean(photo, 1 - weight if of_back else weight, mean)
        return cv2.convertScaleAbs(np.asarray(mean))

    back = beside(finest, True)
    return finest(False), back.result()


def _shrink(plane: np.ndarray, reduction: int) -> np.ndarray:
    """Return the averages of squares of `reduction` x `reduction` pixels.

    Incomplete squares at the edges are left out.
    """
    height, width = plane.shape[0] // reduction, plane.shape[1] // reduction
    return cv2.resize(plane[: height * reduction, : width * reduction], (width, height), interpolation=cv2.INTER_AREA)


def _trusting_mean(photo: np.ndarray, weight: np.ndarray, coarser: np.ndarray | None) -> np.ndarray:
    """Return for each pixel the mean colour of the window around it, (h, w, 3) float32.

    Each colour is weighted by `weight` ** 8, so that mixed colours have little effect. Where a window has almost no
    weight, the result is the mean of the next coarser level, or the mean of the whole photo if there is no coarser
    level.

    photo: one level of the pyramid, (h, w, 3) float32.
    coarser: the result for the next coarser level, or None.
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
