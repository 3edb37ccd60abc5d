"""Stage 7, post-processing: bring the engine's small alpha to the size of the picture, along the picture's own edges.

A fast guided filter (He and Sun 2015): at the small size alpha is explained, window by window, as a linear function of
colour; the function is enlarged instead of alpha and applied to the full picture. Where alpha is sure all
round, it stays.
"""

from __future__ import annotations

import cv2
import numpy as np

SURE = 0.02

_RADIUS_PX = 1
_REGULARIZATION = 1e-4


def enlarge(alpha: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarge (h, w) float32 to (height, width) bilinearly."""
    return cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)


def refine(alpha: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Enlarge (h, w) float32 0..1 to the size of (H, W, 3) uint8, its edges drawn along those of the picture."""
    height, width = rgb.shape[:2]
    smooth = enlarge(alpha, height, width)
    if height * width <= alpha.size:
        return smooth
    guide = cv2.resize(rgb, alpha.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    slopes, offset = _linear_model(guide, alpha)
    slopes = cv2.resize(slopes, (width, height)) / 255
    refined = cv2.resize(offset, (width, height))
    for channel in range(3):
        refined += slopes[..., channel] * rgb[..., channel]
    np.clip(refined, 0, 1, out=refined)
    unsure = cv2.resize(_unsure(alpha), (width, height)) > 0
    return np.where(unsure, refined, smooth)


def _unsure(alpha: np.ndarray) -> np.ndarray:
    """Mark, as uint8 1, the cells whose neighbourhood is neither all subject nor all background."""
    window = np.ones((3, 3), np.uint8)
    return ((cv2.dilate(alpha, window) > SURE) & (cv2.erode(alpha, window) < 1 - SURE)).astype(np.uint8)


def _linear_model(guide: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit alpha = slopes . colour + offset in every window; return both averaged over the windows of a pixel."""
    mean_guide, mean_alpha = _mean(guide), _mean(alpha)
    covariance = _mean(guide * alpha[..., None]) - mean_guide * mean_alpha[..., None]
    scatter = _mean((guide[..., :, None] * guide[..., None, :]).reshape(*alpha.shape, 9)).reshape(*alpha.shape, 3, 3)
    scatter -= mean_guide[..., :, None] * mean_guide[..., None, :]
    scatter += _REGULARIZATION * np.eye(3, dtype=np.float32)
    slopes = np.linalg.solve(scatter, covariance[..., None])[..., 0]
    offset = mean_alpha - np.einsum("hwc,hwc->hw", slopes, mean_guide)
    return _mean(slopes), _mean(offset)


def _mean(values: np.ndarray) -> np.ndarray:
    side = 2 * _RADIUS_PX + 1
    if values.ndim == 2 or values.shape[2] <= 4:
        return cv2.blur(values, (side, side))
    return np.dstack([cv2.blur(plane, (side, side)) for plane in np.moveaxis(values, 2, 0)])
