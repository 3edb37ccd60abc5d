"""Reader of JPEG (ITU-T T.81).

The segments are parsed before the decoder reads the file. The parser detects unsupported kinds and a missing end
marker, and refuses files that would take the decoder too long: a progressive file of a few kilobytes can declare
thousands of scans of 50 megapixels, and for each scan the decoder processes the whole picture. Cameras and editors do
not write files with so many scans.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from segmentation.errors import ImageUnreadable
from segmentation.formats import exif
from segmentation.formats.opened import DAMAGED_END, Header, Samples

MAX_SCANS = 64  # encoders write 10, optimisers of scan scripts up to about 20
MAX_SEGMENTS = 4096  # a profile takes up to 255, extended XMP with a depth map a few hundred
MAX_FILL_BYTES = 4096  # 0xFF before a marker, allowed by ITU T.81 B.1.1.2, unused in practice

_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_END = b"\xff\xd9"
# In coded data 0xFF is followed by 0 (stuffing) or by a restart marker; anything else begins a segment.
_SEGMENT = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_DECODED_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_OTHER_FRAMES = {
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "hierarchical",
    0xCB: "lossless",
    0xCD: "hierarchical",
    0xCE: "hierarchical",
    0xCF: "lossless",
    0xF7: "JPEG-LS",
}
_PROGRESSIVE = (0xC2, 0xCA)
_FILLING, _FILLING_TOLERANCE = 128, 2  # the value of samples that a decoder fills in, as decoded and after conversion
# Coded data to append after a cut; it decodes to other values than the zeros that a decoder fills in.
_PROBE_TAIL = b"\x5a\xa5\x36\x6c" * 2048 + _END


@dataclass(slots=True)
class _Structure:
    """The result of parsing the segments.

    end: the position of the end marker, or None if it is missing.
    missing_bits: the number of low bits of a coefficient that no scan contains. A key is a pair: the id of a component,
    and 0 for its first coefficient or 1 for its last coefficient.
    """

    frame: int = 0
    depth: int = 8
    components: int = 0
    height: int = 1
    end: int | None = None
    missing_bits: dict[tuple[int, int], int] = field(default_factory=dict)


def _walk(data: bytes) -> _Structure:
    """Parse the segments up to the end marker.

    Raise ImageUnreadable for more segments, scans or fill bytes than allowed.
    """
    structure = _Structure()
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
            structure.end = found.start()
            break
        length = 0 if marker in (_TEM, _SOI) else int.from_bytes(data[found.end() : found.end() + 2], "big")
        body = data[found.end() + 2 : found.end() + length]
        if marker in _DECODED_FRAMES or marker in _OTHER_FRAMES:
            _read_frame(structure, marker, body)
        elif marker == _SOS:
            _read_scan(structure, body)
        place = found.end() + length
    return structure


def _read_frame(structure: _Structure, marker: int, body: bytes) -> None:
    if structure.frame or len(body) < 6:
        return
    structure.frame, structure.depth = marker, body[0]
    structure.height = int.from_bytes(body[1:3], "big")
    structure.components = body[5]
    identities = body[6 : 6 + 3 * structure.components : 3]
    structure.missing_bits = {(identity, index): 14 for identity in identities for index in (0, 1)}


def _read_scan(structure: _Structure, body: bytes) -> None:
    """Update `missing_bits` with the lowest bit that a scan contains.

    A scan of a frame that is not progressive contains all bits.
    """
    count = body[0] if body else 0
    if len(body) < 4 + 2 * count:
        return
    first, last, low_bit = body[1 + 2 * count], body[2 + 2 * count], body[3 + 2 * count] & 0x0F
    if structure.frame not in _PROGRESSIVE:
        first, last, low_bit = 0, 63, 0
    for identity in body[1 : 1 + 2 * count : 2]:
        if first == 0:
            structure.missing_bits[identity, 0] = low_bit
        if last == 63:
            structure.missing_bits[identity, 1] = low_bit


def _check_supported(structure: _Structure) -> None:
    if structure.frame in _OTHER_FRAMES:
        kind = _OTHER_FRAMES[structure.frame]
        what = "a JPEG-LS picture" if kind == "JPEG-LS" else f"a {kind} JPEG"
        raise ImageUnreadable(f"The file is {what}, which is not supported. Save it as an ordinary JPEG, PNG or TIFF.")
    if structure.frame and structure.depth != 8:
        raise ImageUnreadable(
            f"The JPEG has {structure.depth} bits a channel, which is not supported. Save it with 8 bits."
        )
    if structure.frame and structure.components not in (1, 3, 4):
        raise ImageUnreadable(f"The JPEG has {structure.components} channels, which is not supported.")
    if structure.frame and structure.height == 0:
        raise ImageUnreadable("The JPEG gives its height only after the pixels, which is not supported.")


class OpenedJpeg:
    """A JPEG file with parsed segments."""

    def __init__(self, data: bytes) -> None:
        self._structure = _walk(data)
        _check_supported(self._structure)
        self._data = data
        if self._structure.end is None:
            self._data = data.rstrip(b"\xff") + _END
        with self._image(self._data) as image:
            tags = exif.parse(image.info.get("exif"))
            turn = exif.orientation(tags)
            self._mode = image.mode
            notes = () if self._structure.end is not None else (DAMAGED_END,)
            density = resolution(image) or exif.resolution(tags)
            self.header = Header(*image.size, turn, turn, density, notes, image.info.get("exif") or b"")

    def _image(self, data: bytes) -> Image.Image:
        # MPO is a JPEG followed by more pictures; Pillow opens it as MPO.
        return Image.open(io.BytesIO(data), formats=("JPEG", "MPO"))

    def prove(self) -> None:
        self._require_all_scans()
        # Entropy decoding still reads the whole file and detects truncation; only the inverse transform is cheaper.
        self._require_all_pixels(self._decoded(self._data, reduction=8), reduction=8)

    def samples(self) -> Samples:
        self._require_all_scans()
        with self._image(self._data) as image:
            image.load()
            pixels, profile = np.asarray(image), image.info.get("icc_profile")
        self._require_all_pixels(pixels, reduction=1)
        if self._mode == "CMYK":
            return Samples(pixels, "cmyk", profile=profile)
        return Samples(pixels, "gray" if pixels.ndim == 2 else "rgb", profile=profile)

    def _require_all_scans(self) -> None:
        """Raise EOFError if scans are missing.

        In a file with an end marker, only the first coefficients must be complete, because an encoder may leave out
        fine details.
        """
        has_end = self._structure.end is not None
        if any(bits for (_, index), bits in self._structure.missing_bits.items() if index == 0 or not has_end):
            raise EOFError

    def _require_all_pixels(self, pixels: np.ndarray, reduction: int) -> None:
        """Raise EOFError if the last scan ends too early.

        pixels: as decoded by `_decoded` with this reduction.

        A decoder fills missing pixels with medium gray, without an error. To detect this, a file without an end marker
        or with medium gray in its last corner is decoded a second time, with other data appended to the last scan. The
        result is the same only if no pixels are missing.
        """
        end = self._structure.end
        if end is not None and np.abs(pixels[-1, -1].astype(int) - _FILLING).max() > _FILLING_TOLERANCE:
            return
        wanted = 1 if self._structure.frame in _PROGRESSIVE else 8
        end = len(self._data) - len(_END) if end is None else end
        filled = pixels if reduction == wanted else self._decoded(self._data, wanted)
        probed = self._decoded(self._data[:end] + _PROBE_TAIL, wanted)
        if not np.array_equal(filled, probed):
            raise EOFError

    def _decoded(self, data: bytes, reduction: int) -> np.ndarray:
        with self._image(data) as image:
            if reduction > 1 and image.mode in ("RGB", "L"):
                image.draft(image.mode, (max(1, image.width // reduction), max(1, image.height // reduction)))
            image.load()
            return np.asarray(image)


def resolution(image: Image.Image) -> tuple[float, float] | None:
    """Return the resolution in pixels per inch of the JFIF segment that Pillow has read; None without one."""
    unit = {1: "inch", 2: "cm"}.get(image.info.get("jfif_unit", 0))
    density = image.info.get("jfif_density")
    return exif.plausible(*density, unit=unit) if unit and density else None
