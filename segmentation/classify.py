"""Classification of a picture's subject as person, object or stamp, for requests that do not name the subject."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.engines.base import Matte
from segmentation.options import Subject
from segmentation.resizing import shrink
from segmentation.stamp import density_of, extremes, hue_of, hues_apart, is_stain, read_page

PERSON_SHARE = 0.5  # share of the subject's alpha with which the people's alpha must agree

PAGE_SIDE_PX = 360  # paper is detected at this size: letters are thin there, objects are not
BARE_DENSITY = 0.15
MIN_BARE_SHARE = 0.5  # share of the picture: the paper between print and ink
MIN_PAPER_SHARE = 0.3  # share of a picture whose caller says that it contains a stamp
COLOURFUL = 0.15  # difference of the channels' transmittances above which a pixel is coloured
INK_SHARES = (0.003, 0.45)  # share of the picture
MIN_INK_OF_COLOUR = 0.97  # share of the coloured pixels that must have an ink's hue
MAX_HUE_SPREAD_DEG = 11.0  # share of coloured pixels around their ink; objects have highlights and reflections
MAX_SOLID_DARK = 0.015  # share of the picture: darker than ink alone and too thick for print
PRINT_STROKE_SHARE = 1 / 50  # share of the page's side: the thickest stroke of ordinary print


def which_subject(rgb: np.ndarray, matte: Matte) -> Subject:
    """Return the kind of subject of a picture: Subject.STAMP, Subject.PERSON or Subject.OBJECT.

    rgb: (H, W, 3) uint8.
    matte: the engine's result for this picture.

    Return STAMP if the picture shows only paper with print and coloured ink. Otherwise return PERSON if people cover
    more than half of the subject's alpha, and OBJECT if they do not. If the engine cannot detect people, the subject is
    an object.
    """
    if is_stamped_paper(rgb):
        return Subject.STAMP
    return person_or_object(matte)


def person_or_object(matte: Matte) -> Subject:
    """Return Subject.PERSON if people cover more than half of the subject's alpha in `matte`, else Subject.OBJECT."""
    return Subject.PERSON if people_share(matte) > PERSON_SHARE else Subject.OBJECT


def people_share(matte: Matte) -> float:
    """Return the share of the subject's alpha that belongs to people, 0..1; 0 if the engine cannot detect people."""
    if matte.people is None:
        return 0.0
    return float(np.minimum(matte.people, matte.alpha).sum() / max(matte.alpha.sum(), 1e-6))


def is_paper(rgb: np.ndarray) -> bool:
    """Return whether a picture, (H, W, 3) uint8, shows mostly bare or printed paper, with or without ink."""
    small = _page(rgb)
    density = density_of(small, read_page(small).paper)
    least, most = extremes(density)
    return bool(((most < BARE_DENSITY) & (least > -BARE_DENSITY)).mean() >= MIN_PAPER_SHARE)


def is_stamped_paper(rgb: np.ndarray) -> bool:
    """Return whether a picture, (H, W, 3) uint8, shows only paper with print and a stamp's ink."""
    small = _page(rgb)
    page = read_page(small)
    if not page.inks:
        return False
    density = density_of(small, page.paper)
    least, most = extremes(density)
    if ((most < BARE_DENSITY) & (least > -BARE_DENSITY)).mean() < MIN_BARE_SHARE:
        return False
    hue = hue_of(density)
    coloured = np.exp(-np.clip(least, -0.2, None)) - np.exp(-np.clip(most, -0.2, None)) > COLOURFUL
    from_ink = np.minimum.reduce([hues_apart(hue, ink.hue_deg) for ink in page.inks])
    inked = coloured & ~is_stain(hue) & (from_ink < 30)
    if not INK_SHARES[0] < inked.mean() < INK_SHARES[1] or inked.sum() < MIN_INK_OF_COLOUR * coloured.sum():
        return False
    if np.sqrt((from_ink[inked] ** 2).mean()) > MAX_HUE_SPREAD_DEG:
        return False
    own_darkness = max(float(ink.density.min()) for ink in page.inks)
    return _solid_share(least - own_darkness * inked > 2 * BARE_DENSITY) < MAX_SOLID_DARK


def _page(rgb: np.ndarray) -> np.ndarray:
    """Return a copy of a picture, (H, W, 3) uint8, shrunk so that its longer side is at most PAGE_SIDE_PX."""
    scale = min(1.0, PAGE_SIDE_PX / max(rgb.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    return shrink(rgb, height, width)


def _solid_share(dark: np.ndarray) -> float:
    """Return the share, 0..1, of the pixels of `dark`, (H, W) bool, that belong to thick dark parts.

    Parts as thin as printed letters are removed first.
    """
    stroke = max(3, round(PRINT_STROKE_SHARE * max(dark.shape)))
    return float(cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, np.ones((stroke, stroke), np.uint8)).mean())
