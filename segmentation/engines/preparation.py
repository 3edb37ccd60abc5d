"""Conversion of a picture, after the EXIF rotation, to the input of a network."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.engines.manifest import Manifest

LEAST_DOUBT = 1e-5
LEAST_CONTRAST = 1e-3  # a smaller difference between the highest and the lowest alpha of a picture is noise


def resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return an array, (H, W) or (H, W, C), uint8 or float32, resized to height x width.

    Return the given array if it already has this size. Shrinking averages areas, so that thin structures do not
    disappear. Enlarging is bilinear.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = width <= pixels.shape[1] and height <= pixels.shape[0]
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


@dataclass(frozen=True, slots=True)
class Framed:
    """A network's input, and the size of the picture in it.

    planes: (3, size, size) float32, normalised.
    width, height: the columns and rows that the picture covers, from the top left corner; both are `size` unless the
    manifest's `fit` is `pad`.
    """

    planes: np.ndarray
    width: int
    height: int


def framed(rgb: np.ndarray, manifest: Manifest) -> Framed:
    """Return a picture, (H, W, 3) uint8, resized to the network's input and normalised, as the manifest describes."""
    width = height = manifest.size
    if manifest.fit == "pad":
        scale = manifest.size / max(rgb.shape[:2])
        height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    small = resized(rgb, width, height)
    if manifest.channels == "bgr":
        small = small[..., ::-1]
    peak = max(float(small.max()), 1.0) if manifest.own_maximum else 255.0
    # (x / peak * full_scale - mean) / std as one multiplication and one addition per channel.
    gain = (manifest.full_scale / (peak * np.asarray(manifest.std))).astype(np.float32)
    offset = (-np.asarray(manifest.mean) / np.asarray(manifest.std)).astype(np.float32)
    planes = np.zeros((3, manifest.size, manifest.size), np.float32)
    np.multiply(small.transpose(2, 0, 1), gain[:, None, None], out=planes[:, :height, :width], casting="unsafe")
    planes[:, :height, :width] += offset[:, None, None]
    return Framed(planes, width, height)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return the sigmoid of logits of any shape, 0..1, float32. It is computed with tanh, which cannot overflow."""
    return (0.5 * np.tanh(0.5 * logits.astype(np.float32)) + 0.5).astype(np.float32)


def logit(alpha: np.ndarray) -> np.ndarray:
    """Return the inverse of `sigmoid` as float32. Alphas closer than LEAST_DOUBT to 0 or 1 count as this far away."""
    certain = np.clip(alpha, LEAST_DOUBT, 1 - LEAST_DOUBT)
    return np.log(certain / (1 - certain)).astype(np.float32)


def stretched(alpha: np.ndarray) -> np.ndarray:
    """Return an alpha of any shape, float32, stretched so that its values fill the range 0..1.

    If the difference between its highest and lowest value is only noise, return the alpha unchanged.
    """
    low, high = float(alpha.min()), float(alpha.max())
    return alpha if high - low < LEAST_CONTRAST else (alpha - low) / (high - low)
