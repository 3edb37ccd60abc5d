"""Contact sheets: A4 pages that show the results of a batch as thumbnails. The pages are written as one PDF."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAGE_PX = (1240, 1754)  # A4 at 150 dpi
DPI = 150
COLUMNS, ROWS = 4, 5
UNCERTAIN_COLOR = (200, 90, 0)
_CELL_PX = 512  # characters, more than fit into a cell's width
_MARGIN_PX, _GAP_PX, _LABEL_PX = 60, 24, 44
_FONTS = ("NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "DejaVuSans.ttf")
_CHECKER = ((255, 255, 255), (232, 232, 232))


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One result on a contact sheet.

    pixels: (H, W, 3) or (H, W, 4) uint8 sRGB.
    is_uncertain: whether a person should check the result.
    """

    name: str
    pixels: np.ndarray
    is_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One result of a contact sheet, as a picture file.

    is_uncertain: whether a person should check the result.
    """

    path: Path
    name: str
    is_uncertain: bool


def sheet_write(cells: Sequence[Cell], title: str, folder: Path) -> Path:
    """Write a contact sheet of picture files as a new PDF in `folder`, and return its path.

    title: the text above each page.

    The files are read one page at a time. A missing or damaged file gets an empty cell.
    """
    data = contact_sheet((_entry_of(cell) for cell in cells), title=title)
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=".pdf")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return Path(name)


def _entry_of(cell: Cell) -> Entry:
    try:
        with Image.open(cell.path) as picture:
            picture.thumbnail((_CELL_PX, _CELL_PX))
            pixels = np.asarray(picture.convert("RGBA"))
    except (OSError, SyntaxError, ValueError):
        pixels = np.zeros((8, 8, 4), np.uint8)
    return Entry(cell.name, pixels, cell.is_uncertain)


def contact_sheet(entries: Iterable[Entry], *, title: str = "") -> bytes:
    """Return a PDF of A4 pages with COLUMNS x ROWS results each. Uncertain results have a thick orange frame.

    title: the text above each page.

    Entries are read one page at a time, so that memory does not contain all pictures of a large batch. Raise ValueError
    if there are no entries.
    """
    pages = _pages(iter(entries), title)
    first = next(pages, None)
    if first is None:
        raise ValueError("a contact sheet needs at least one picture")
    stream = io.BytesIO()
    first.save(stream, "PDF", resolution=DPI, save_all=True, append_images=pages, title=title or "Contact sheet")
    return stream.getvalue()


def _pages(entries: Iterator[Entry], title: str) -> Iterator[Image.Image]:
    number = 1
    while page := list(islice(entries, COLUMNS * ROWS)):
        yield draw_page(page, title=f"{title}  {number}".strip())
        number += 1


def draw_page(entries: Sequence[Entry], *, title: str = "") -> Image.Image:
    """Return one page with the first COLUMNS x ROWS entries. Further entries are ignored.

    title: the text above the entries.
    """
    page = Image.new("RGB", PAGE_PX, "white")
    draw = ImageDraw.Draw(page)
    font, small = _font(30), _font(20)
    draw.text((_MARGIN_PX, _MARGIN_PX // 2), title, fill="black", font=font)
    width = (PAGE_PX[0] - 2 * _MARGIN_PX - (COLUMNS - 1) * _GAP_PX) // COLUMNS
    height = (PAGE_PX[1] - 3 * _MARGIN_PX - (ROWS - 1) * _GAP_PX) // ROWS - _LABEL_PX
    for index, entry in enumerate(entries[: COLUMNS * ROWS]):
        left = _MARGIN_PX + index % COLUMNS * (width + _GAP_PX)
        top = 2 * _MARGIN_PX + index // COLUMNS * (height + _LABEL_PX + _GAP_PX)
        page.paste(_on_checker(entry.pixels, (width, height)), (left, top))
        color, line = (UNCERTAIN_COLOR, 6) if entry.is_uncertain else ((200, 200, 200), 1)
        draw.rectangle((left - line, top - line, left + width + line, top + height + line), outline=color, width=line)
        label = _fitted(draw, entry.name, small, width)
        draw.text((left, top + height + 8), label, fill=color if entry.is_uncertain else "black", font=small)
    return page


def _on_checker(pixels: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Return a result scaled to fit into a cell of `size` (width, height), over a checkerboard."""
    width, height = size
    squares = (np.add.outer(np.arange(height) // 12, np.arange(width) // 12) % 2)[..., None]
    cell = Image.fromarray(np.where(squares, _CHECKER[1], _CHECKER[0]).astype(np.uint8))
    picture = Image.fromarray(pixels).convert("RGBA")
    picture.thumbnail(size, Image.Resampling.LANCZOS)
    cell.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2), picture)
    return cell


def _fitted(draw: ImageDraw.ImageDraw, name: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Return a name, shortened in its middle until it fits into `width` pixels.

    The ends are kept, because names often differ only there.
    """
    shown, keep = name, len(name)
    while keep > 4 and draw.textlength(shown, font=font) > width:
        keep -= 2
        shown = f"{name[: keep // 2]}…{name[-keep // 2 :]}"
    return shown


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return an installed font with the characters of many scripts.

    If no such font is installed, return Pillow's default font.
    """
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    fallback = ImageFont.load_default(size)
    assert isinstance(fallback, ImageFont.FreeTypeFont)
    return fallback
