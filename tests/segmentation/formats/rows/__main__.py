"""The program that writes the table into docs/formats.md."""

from __future__ import annotations

from tests.segmentation.formats.rows import BEGIN, END, PAGE, table

head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
PAGE.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
