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

SURE = 0.01  # alpha this close to 0 or 1 counts as certain, and the photo's colour is kept

_FINEST = 3  # reduction of the picture at the fine end of the pyramid; each coarser level halves it again
_LEVELS = 4
_WINDOW_CELLS = 3
_FALLBACK = 0.05  # weight of the coarser estimate; a window full of certain colours weighs 1
_EPSILON = 1e-4
_PIECE_PIXELS = 1 << 20  # bounds the memory of a picture that is half transparent everywhere
_REACH_PX = _FINEST * 2 ** (_LEVELS - 1) * _WINDOW_CELLS


def decontaminate(rgb: np.ndarray, alpha: np.ndarray, shown: np.ndarray | None = None) -> np.ndarray:
    """Return (H, W, 3) uint8 with the foreground's own colour where alpha, (H, W) float32 0..1, is between 0 and 1.

    shown: (H, W) uint8, the final visible alpha. Where feathering makes it larger than alpha, the pixels show only
    background, and also get the foreground's colour.
    """
    band = (alpha > SURE) & (alpha < 1 - SURE)
    if shown is not None:
        band |= (alpha <= SURE) & (shown > 0)
    left, top, width, height = cv2.boundingRect(band.view(np.uint8))
    if width == 0:
        return rgb
    window = (
        slice(max(0, top - _REACH_PX), top + height + _REACH_PX),
        slice(max(0, left - _REACH_PX), left + width + _REACH_PX),
    )
    clean = rgb.copy()
    clean[window] = _correct(rgb[window], alpha[window], np.flatnonzero(band[window]))
    return clean


def _correct(rgb: np.ndarray, alpha: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Replace the colours of (H, W, 3) at the flat indices `places`."""
    clean = rgb.reshape(-1, 3).copy()
    size = rgb.shape[1], rgb.shape[0]
    layers = [cv2.resize(layer, size).reshape(-1, 3) for layer in _smooth_layers(rgb, alpha)]
    for start in range(0, places.size, _PIECE_PIXELS):
        piece = places[start : start + _PIECE_PIXELS]
        photo, front, back = (plane.take(piece, axis=0).astype(np.float32) for plane in (clean, *layers))
        share = alpha.reshape(-1).take(piece)[:, None]
        # Forte 2021, equation 7: F takes its share of the difference between photo and smooth layers.
        unexplained = photo - share * front - (1 - share) * back
        clean[piece] = np.rint(np.clip(front + share * unexplained, 0, 255))
    return clean.reshape(rgb.shape)


def _smooth_layers(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates of foreground and background at the finest reduced size, as (h, w, 3) uint8."""
    photo, weight = _shrink(rgb, _FINEST), _shrink(alpha, _FINEST)
    pyramid: list[tuple[np.ndarray, np.ndarray]] = [(photo.astype(np.float32), weight)]
    for _ in range(_LEVELS - 1):
        photo, weight = pyramid[-1]
        pyramid.append((_shrink(photo, 2), _shrink(weight, 2)))
    photo, weight = pyramid.pop()
    front, back = _trusting_mean(photo, weight, None), _trusting_mean(photo, 1 - weight, None)
    for photo, weight in reversed(pyramid):
        front = _trusting_mean(photo, weight, front)
        back = _trusting_mean(photo, 1 - weight, back)
    return cv2.convertScaleAbs(front), cv2.convertScaleAbs(back)


def _shrink(plane: np.ndarray, reduction: int) -> np.ndarray:
    size = max(1, plane.shape[1] // reduction), max(1, plane.shape[0] // reduction)
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _trusting_mean(photo: np.ndarray, weight: np.ndarray, coarser: np.ndarray | None) -> np.ndarray:
    """Return the window means of (h, w, 3) float32, weighted by weight ** 8.

    With this power, mixed colours have little effect.
    """
    trust = cv2.pow(weight, 8)
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
