"""Check the segments of a JPEG before it is decoded, and refuse files built to exhaust the decoder.

A progressive file of a few kilobytes can declare thousands of scans over 50 megapixels, and each scan costs a pass
over the whole picture; a baseline file can hold millions of empty segments. No camera or editor writes such files.
"""

from __future__ import annotations

import re

from .errors import ImageUnreadable

MAX_SCANS = 64  # encoders write 10, optimisers of scan scripts up to about 20
MAX_SEGMENTS = 4096  # a profile takes up to 255, extended XMP with a depth map a few hundred
MAX_FILL_BYTES = 4096  # 0xFF before a marker, allowed by ITU T.81 B.1.1.2, unused in practice

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
# In coded data 0xFF is followed by 0 (stuffing) or by a restart marker; anything else begins a segment.
_SEGMENT = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")


def check_structure(data: bytes) -> None:
    """Raise ImageUnreadable for more scans, segments or fill bytes than a picture needs."""
    scans = segments = fill_bytes = 0
    place = 2
    while found := _SEGMENT.search(data, place):
        marker = found[1][0]
        segments += 1
        fill_bytes += len(found[0]) - 2
        scans += marker == _SOS
        if scans > MAX_SCANS or segments > MAX_SEGMENTS or fill_bytes > MAX_FILL_BYTES:
            raise ImageUnreadable("The JPEG file is built of far more parts than a picture needs.")
        if marker == _EOI:
            return
        length = 0 if marker in (0x01, _SOI) else int.from_bytes(data[found.end() : found.end() + 2], "big")
        place = found.end() + length
