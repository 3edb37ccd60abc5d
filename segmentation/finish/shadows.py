"""Shadows and reflections of the subject, computed without a model.

Shadows are computed from the alpha only, at a quarter of the canvas's size.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from segmentation.finish.recipe import Shadow, ShadowType

REDUCTION = 4
_CONTACT_SHARE = 0.06  # share of the subject's height: parts this close to its lower edge touch the ground
_RESTS_WITHIN = 0.35  # share of the subject's height from its lowest point: higher parts do not touch the ground
_LEVEL_GROUND, _STEEPEST_GROUND = 0.4, 1.1  # slopes of the hull: a steeper side leads to a part in the air
_CONTACT_FLAT = 0.28  # height of a contact shadow, as a share of its width on the ground
_REFLECTION_REACH = 0.45  # share of the subject's height after which the reflection has faded
_DIRECTIONS = {ShadowType.CAST: 215.0}  # the default directions: from the front left, for other kinds from above left
_USUAL_DIRECTION = 315.0
_GROUND_SEEN = 0.45  # a length on the ground away from the viewer appears this much shorter
_LEAST_BACK, _MOST_BACK = 0.08, 0.9
_STANDS_IN = 0.02  # share of the subject's height: the distance of the ground line above its lower edge
_FADE_WITH_HEIGHT = 0.55  # the far end of a cast shadow is lighter by this factor


def shadow_opacity(alpha: np.ndarray, shadow: Shadow) -> np.ndarray:
    """Return the opacity, (H, W) uint8, of a shadow under the subject.

    alpha: the subject's alpha on the canvas, (H, W) uint8.

    The shadow's lengths are relative to the subject's height and width on the canvas. If alpha is empty, the shadow is
    empty too. For a reflection, use `reflection`.
    """
    height, width = alpha.shape
    small = cv2.resize(alpha, (max(1, width // REDUCTION), max(1, height // REDUCTION)), interpolation=cv2.INTER_AREA)
    left, top, box_width, box_height = cv2.boundingRect((small >= 8).view(np.uint8))
    if box_width == 0:
        return np.zeros_like(alpha)
    box = (left, top, left + box_width, top + box_height)
    match shadow.type:
        case ShadowType.CONTACT:
            drawn = _contact(small, box, shadow)
        case ShadowType.DROP:
            drawn = _drop(small, box, shadow)
        case _:
            drawn = _cast(small, box, shadow)
    levels = cv2.convertScaleAbs(drawn, alpha=shadow.strength)
    return cv2.resize(levels, (width, height), interpolation=cv2.INTER_LINEAR)


def reflection(rgb: np.ndarray, alpha: np.ndarray, shadow: Shadow) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours, (H, W, 3) uint8, and the opacity, (H, W) uint8, of the subject's reflection.

    rgb, alpha: the subject on the canvas, (H, W, 3) and (H, W) uint8.

    The reflection is the subject mirrored at its lower edge. Its opacity decreases with the distance from the edge,
    from `shadow.strength` to 0.
    """
    height = alpha.shape[0]
    _, top, box_width, box_height = cv2.boundingRect((alpha >= 8).view(np.uint8))
    mirrored_rgb, mirrored_alpha = np.zeros_like(rgb), np.zeros_like(alpha)
    ground = top + box_height
    rows = min(height - ground, max(1, round(box_height * _REFLECTION_REACH)), box_height)
    if box_width == 0 or rows <= 0:
        return mirrored_rgb, mirrored_alpha
    source = slice(ground - rows, ground)
    fade = np.linspace(shadow.strength, 0, rows, dtype=np.float32)[:, None]
    mirrored_rgb[ground : ground + rows] = rgb[source][::-1]
    mirrored_alpha[ground : ground + rows] = np.rint(alpha[source][::-1] * fade)
    blur = _odd(shadow.softness * 0.02 * box_height)
    if blur > 1:
        piece = slice(ground, ground + rows)
        mirrored_rgb[piece] = cv2.GaussianBlur(mirrored_rgb[piece], (blur, blur), 0)
    return mirrored_rgb, mirrored_alpha


def _contact(alpha: np.ndarray, box: tuple[int, int, int, int], shadow: Shadow) -> np.ndarray:
    """Return the opacity of a contact shadow: the ground is dark where the subject touches it.

    The ground line is the lower convex hull of the subject's outline. Between two wheels it is a straight line, even if
    the photo shows the wheels at an angle. The outline touches the ground where it is close to the hull, except where
    the hull is steep, as below a strap that hangs in the air. Two blurred layers are combined: a narrow dark one at the
    contact, and a wide faint one around it.
    """
    left, top, right, bottom = box
    size, height = bottom - top, alpha.shape[0]
    reach = max(2.0, size * _CONTACT_SHARE)
    columns = left + np.flatnonzero((alpha[:, left:right] > 127).any(axis=0))
    if columns.size == 0:
        return np.zeros_like(alpha)
    lowest = height - 1 - np.argmax(alpha[::-1, columns] > 127, axis=0)
    near = lowest > bottom - _RESTS_WITHIN * size
    columns, lowest = columns[near], lowest[near]
    ground = _lower_hull(columns, lowest)
    steepness = np.abs(np.gradient(ground, columns)) if columns.size > 1 else np.zeros(columns.size)
    rests = np.clip((_STEEPEST_GROUND - steepness) / _LEVEL_GROUND, 0, 1)
    touching = np.clip(1 - (ground - lowest) / reach, 0, 1) * rests
    feet = np.zeros_like(alpha)
    thickness = max(1, round(reach * _CONTACT_FLAT))
    for offset in range(-thickness, thickness + 1):
        rows = np.clip(np.rint(ground).astype(int) + offset, 0, height - 1)
        feet[rows, columns] = np.maximum(feet[rows, columns], np.rint(255 * touching).astype(np.uint8))
    spread = (0.02 + 0.10 * shadow.softness) * (right - left)
    near_feet = _blurred(feet, spread * 0.25, spread * 0.25 * _CONTACT_FLAT)
    wide = _blurred(feet, spread, spread * _CONTACT_FLAT)
    return cv2.max(_to_full(near_feet), cv2.convertScaleAbs(_to_full(wide), alpha=0.7))


def _lower_hull(columns: np.ndarray, lowest: np.ndarray) -> np.ndarray:
    """Return the y of an outline's lower convex hull at each column. The y axis points downwards.

    columns, lowest: x and y of the outline's lowest pixels, with x ascending.
    """
    hull: list[tuple[float, float]] = []
    for x, y in zip(columns.tolist(), lowest.tolist(), strict=True):
        while len(hull) >= 2:
            (x1, y1), (x2, y2) = hull[-2], hull[-1]
            if (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) < 0:
                break
            hull.pop()
        hull.append((x, y))
    return np.interp(columns, [x for x, _ in hull], [y for _, y in hull])


def _drop(alpha: np.ndarray, box: tuple[int, int, int, int], shadow: Shadow) -> np.ndarray:
    """Return the opacity of a drop shadow: the subject's outline, moved away from the light and blurred."""
    size = box[3] - box[1]
    away = math.radians(_direction(shadow) + 180)
    shift_x = math.sin(away) * shadow.distance * size
    shift_y = -math.cos(away) * shadow.distance * size
    moved = _warped(alpha, np.array([[1, 0, shift_x], [0, 1, shift_y]], np.float32))
    sigma = (0.004 + 0.06 * shadow.softness) * size
    return _blurred(moved, sigma, sigma)


def _cast(alpha: np.ndarray, box: tuple[int, int, int, int], shadow: Shadow) -> np.ndarray:
    """Return the opacity of a cast shadow: the outline projected onto the ground, away from the light.

    The blur increases with the distance from the feet. The shadow of a point at height h is h / tan(elevation) away
    from the point's foot. Lengths towards the front or the back are multiplied by _GROUND_SEEN, because the viewer sees
    them shortened. Lengths to the sides are not shortened.
    """
    size = box[3] - box[1]
    ground = box[3] - _STANDS_IN * size
    away = math.radians(_direction(shadow) + 180)
    length = 1 / math.tan(math.radians(shadow.elevation))
    shear = math.sin(away) * length
    back = math.cos(away) * length * _GROUND_SEEN
    back = math.copysign(min(max(abs(back), _LEAST_BACK), _MOST_BACK), back)
    # (x, y) -> (x + shear * h, ground - back * h) with h = ground - y
    matrix = np.array([[1, -shear, shear * ground], [0, back, ground - back * ground]], np.float32)
    laid = _warped(alpha, matrix)
    crisp = _blurred(laid, 0.004 * size, 0.004 * size)
    soft_sigma = (0.01 + 0.06 * shadow.softness) * size
    soft = _blurred(laid, soft_sigma, soft_sigma)
    reach = max(1.0, abs(back) * size)
    rows = np.arange(alpha.shape[0], dtype=np.float32)
    distance = np.clip(np.abs(rows - ground) / reach, 0, 1)[:, None]
    fade = 1 - _FADE_WITH_HEIGHT * distance
    mixed = (crisp * (1 - distance) + soft * distance) * fade
    return np.rint(mixed).astype(np.uint8)


def _direction(shadow: Shadow) -> float:
    return _DIRECTIONS.get(shadow.type, _USUAL_DIRECTION) if shadow.direction is None else shadow.direction


def _warped(alpha: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(alpha, matrix, (alpha.shape[1], alpha.shape[0]), flags=cv2.INTER_LINEAR)


def _blurred(levels: np.ndarray, sigma_x: float, sigma_y: float) -> np.ndarray:
    """Return the levels blurred by three box filters, which are faster than a Gaussian blur and almost equal to it."""
    kernel = (_odd(sigma_x * 1.88), _odd(sigma_y * 1.88))
    if kernel == (1, 1):
        return levels
    for _ in range(3):
        levels = cv2.blur(levels, kernel, borderType=cv2.BORDER_CONSTANT)
    return levels


def _to_full(levels: np.ndarray) -> np.ndarray:
    """Return opacities scaled so that the largest is 255, so that `strength` has the same effect for all subjects."""
    highest = int(levels.max())
    return levels if highest == 0 else cv2.convertScaleAbs(levels, alpha=255 / highest)


def _odd(length: float) -> int:
    return max(1, round(length)) | 1
