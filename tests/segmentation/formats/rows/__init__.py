"""The table of docs/formats.md: for each format, kinds of files, and whether the site reads, corrects or rejects them.

Each row builds files and contains the expected results; test_rows.py reads the files. `python -m
tests.segmentation.formats.rows` writes the table into the page.
"""

from __future__ import annotations

from pathlib import Path

from tests.segmentation.formats.rows.bmp import BMP
from tests.segmentation.formats.rows.jpeg import JPEG, JPEG_2000, JPEG_XL
from tests.segmentation.formats.rows.others import OTHERS
from tests.segmentation.formats.rows.png import PNG
from tests.segmentation.formats.rows.row import File, Row
from tests.segmentation.formats.rows.tiff import TIFF

__all__ = ["BEGIN", "END", "PAGE", "ROWS", "File", "Row", "table"]

PAGE = Path(__file__).parents[4] / "docs" / "formats.md"
BEGIN, END = "<!-- rows -->", "<!-- end of rows -->"
ROWS = [*JPEG, *PNG, *TIFF, *JPEG_XL, *JPEG_2000, *OTHERS, *BMP]


def table() -> str:
    lines = ["| format | what | result | note or refusal |", "|---|---|---|---|"]
    for row in ROWS:
        told = f"refused: “{row.refused.replace('|', '” or “').replace('.*', '…')}”" if row.refused else ""
        notes = ", ".join(f"`{note}`" for note in row.notes if note != "*")
        lines.append(f"| {row.format} | {row.what} | {row.result} | {told or notes} |")
    return "\n".join(lines)
