"""Backgrounds behind the subject: a colour, a gradient, a picture, or the blurred original."""

from __future__ import annotations

import math

import cv2
import numpy as np

from segmentation.errors import InvalidParameter
from segmentation.finish.placing import Place
from segmentation.finish.recipe import (
    BlurredBackground,
    ColorBackground,
    GradientBackground,
    PictureBackground,
    TransparentBackground,
)
from segmentation.options import Color

_BLUR_SIDE_PX = 720  # a blurred picture contains no finer detail than this


def paint(
    background: object, place: Place, *, source: np.ndarray, alpha: np.ndarray, picture: np.ndarray | None
) -> np.ndarray | None:
    """Return the background as (H, W, 3) uint8 sRGB in the canvas's size, or None for a transparent background.

    background: one of the recipe's background classes.
    place: the canvas's size and the source's place on it.
    source: the original photo, (h, w, 3) uint8.
    alpha: the alpha of the subject in the original photo, (h, w) uint8.
    picture: the decoded background picture, (h, w, 3) uint8, or None.

    Raise InvalidParameter if the recipe needs a background picture and `picture` is None.
    """
    match background:
        case TransparentBackground():
            return None
        case ColorBackground():
            return _plain(background.color, place)
        case GradientBackground():
            return _gradient(background, place)
        case PictureBackground():
            if picture is None:
                name = background.picture
                raise InvalidParameter(f"background.picture: there is no picture {name!r:.40}", field="background")
            return _picture(background, place, picture)
        case BlurredBackground():
            return _blurred_original(background, place, source, alpha)
    raise TypeError(f"unknown background {background!r}")


def _plain(color: str, place: Place) -> np.ndarray:
    drawn = np.empty((place.height, place.width, 3), np.uint8)
    drawn[:] = _levels(color)
    return drawn


def _levels(color: str) -> np.ndarray:
    parsed = Color.parse(color)
    return np.array([parsed.red, parsed.green, parsed.blue], np.uint8)


def _gradient(background: GradientBackground, place: Place) -> np.ndarray:
    """Return a linear gradient from the colour `start` to the colour `end`, in the direction of `background.angle`.

    Random noise (dither) hides the steps between the colour levels.
    """
    angle = math.radians(background.angle)
    across, down = math.sin(angle), math.cos(angle)
    x = np.linspace(-0.5, 0.5, place.width, dtype=np.float32)[None, :] * across
    y = np.linspace(-0.5, 0.5, place.height, dtype=np.float32)[:, None] * down
    span = abs(across) + abs(down)
    share = (x + y) / span + 0.5
    start, end = (_levels(color).astype(np.float32) for color in (background.start, background.end))
    noise = np.random.default_rng(0).random(share.shape, np.float32)
    channels = [np.floor(start[i] + (end[i] - start[i]) * share + noise) for i in range(3)]
    low, high = np.minimum(start, end), np.maximum(start, end)
    return np.clip(np.dstack(channels), low, high).astype(np.uint8)


def _picture(background: PictureBackground, place: Place, picture: np.ndarray) -> np.ndarray:
    """Return a picture fitted to the canvas.

    With the fit `cover`, the picture is cropped around its focus. With `contain`, white borders are added.

    background: only its fields `fit`, `focus` and `zoom` are used.
    """
    height, width = picture.shape[:2]
    ratios = place.width / width, place.height / height
    scale = max(ratios) * background.zoom if background.fit == "cover" else min(ratios)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shrinks = scale < 1
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    drawn = np.full((place.height, place.width, 3), 255, np.uint8)
    focus_x, focus_y = background.focus if background.fit == "cover" else (0.5, 0.5)
    left, top = _window(place.width, size[0], focus_x), _window(place.height, size[1], focus_y)
    source = scaled[max(0, -top) : place.height - top, max(0, -left) : place.width - left]
    rows, columns = max(0, top), max(0, left)
    drawn[rows : rows + source.shape[0], columns : columns + source.shape[1]] = source
    return drawn


def _window(room: int, length: int, focus: float) -> int:
    """Return the position on the canvas, in one direction, at which a picture starts.

    room: the length of the canvas's side, in pixels.
    length: the length of the picture's side, in pixels.
    focus: the point of the picture's side, 0..1, that should be near the middle of the canvas.

    A picture that is shorter than the canvas is centred. A longer one is moved so that the focus is as near to the
    middle as possible without a gap at either end.
    """
    if length <= room:
        return (room - length) // 2
    return min(0, max(room - length, round(room / 2 - focus * length)))


def _blurred_original(background: BlurredBackground, place: Place, source: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return the blurred original photo in the canvas's size.

    The subject's pixels are not used, because their blurred colours would form a halo around the subject.
    """
    height, width = source.shape[:2]
    factor = min(1.0, _BLUR_SIDE_PX / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
    back = 255 - cv2.dilate(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.ones((7, 7), np.uint8))
    sigma = max(0.5, background.strength * max(size))
    # Blur with a hole: weighted colours divided by blurred weights; places without known neighbours use a wider window.
    known_colors = small.astype(np.float32)
    weight = back.astype(np.float32) / 255
    result: np.ndarray = np.zeros_like(known_colors)
    covered: np.ndarray = np.zeros((*weight.shape, 1), np.float32)
    for reach in (sigma, 4 * sigma, 16 * sigma):
        kernel = int(reach * 3) | 1
        share = cv2.blur(weight, (kernel, kernel))[:, :, None]
        mean = cv2.blur(known_colors * weight[:, :, None], (kernel, kernel)) / np.maximum(share, 1e-4)
        trusted = np.clip(share * 8, 0, 1) * (1 - covered)
        result, covered = result + mean * trusted, covered + trusted
    result = result / np.maximum(covered, 1e-4)
    kernel = int(sigma * 2) | 1
    soft = cv2.blur(result, (kernel, kernel))
    blurred = np.clip(soft, 0, 255).astype(np.uint8)
    return _covering(blurred, place, width, height)


def _covering(blurred: np.ndarray, place: Place, width: int, height: int) -> np.ndarray:
    """Return the blurred original photo in the canvas's size.

    If the photo covers the whole canvas, it is drawn at its place on the canvas. Otherwise it is enlarged to cover the
    canvas. If the user moves or scales the subject, the blurred photo does not change.

    width, height: the size of the original photo in pixels.
    """
    place = place.unmoved or place
    right, bottom = place.left + width * place.scale, place.top + height * place.scale
    if place.left <= 0 and place.top <= 0 and right >= place.width and bottom >= place.height:
        factor_x, factor_y = width * place.scale / blurred.shape[1], height * place.scale / blurred.shape[0]
        matrix = np.array([[factor_x, 0, place.left], [0, factor_y, place.top]], np.float32)
        return cv2.warpAffine(blurred, matrix, (place.width, place.height), flags=cv2.INTER_LINEAR)
    return _picture(PictureBackground(picture="original"), place, blurred)
