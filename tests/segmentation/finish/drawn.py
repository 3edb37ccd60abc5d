"""Drawn subjects whose positions and colours are known."""

from __future__ import annotations

import cv2
import numpy as np


def bottle(width: int = 240, height: int = 320, background: tuple[int, int, int] = (40, 160, 60)):
    """Return a photo, (H, W, 3) uint8, of a red bottle, 60 x 200 pixels, and its alpha, (H, W) float32.

    background: the colour of the plain background.
    """
    alpha = np.zeros((height, width), np.float32)
    cv2.rectangle(alpha, (90, 80), (149, 279), 1.0, -1)
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = background
    rgb[alpha > 0] = (200, 30, 40)
    return rgb, alpha


def ring(size: int = 200, inner: int = 40, outer: int = 80):
    """Return a photo of a ring, (H, W, 3) uint8, and an alpha, (H, W) float32, in which the ring's hole is opaque."""
    middle = (size // 2, size // 2)
    rgb = np.full((size, size, 3), (90, 120, 200), np.uint8)
    cv2.circle(rgb, middle, outer, (220, 200, 30), -1)
    cv2.circle(rgb, middle, inner, (90, 120, 200), -1)
    alpha = np.zeros((size, size), np.float32)
    cv2.circle(alpha, middle, outer, 1.0, -1)
    return rgb, alpha


def portrait(scale: float = 1.0):
    """Return the alpha, (H, W) uint8, of an upright person.

    The crown is in row 20, the neck in row 110, and the shoulders are 200 pixels wide. scale: the factor by which the
    alpha is resized.
    """
    alpha = np.zeros((300, 260), np.uint8)
    cv2.ellipse(alpha, (130, 65), (38, 45), 0, 0, 360, 255, -1)
    cv2.rectangle(alpha, (112, 100), (148, 125), 255, -1)
    cv2.rectangle(alpha, (30, 125), (230, 299), 255, -1)
    if scale == 1.0:
        return alpha
    return cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
