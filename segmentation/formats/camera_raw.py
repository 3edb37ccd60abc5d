"""Detection of camera raw files, which the user must convert with other software first.

Most camera raw files are TIFF files whose first directory contains a small preview. A TIFF decoder would return only
this preview.
"""

from __future__ import annotations

from segmentation.errors import ImageUnreadable
from segmentation.formats.ifd import directories

# The first bytes of formats that are not plain TIFF, each with the position of the bytes.
_SIGNATURES = (
    (0, b"FUJIFILMCCD-RAW", "Fujifilm RAF"),
    (0, b"IIRO", "Olympus ORF"),
    (0, b"IIRS", "Olympus ORF"),
    (0, b"MMOR", "Olympus ORF"),
    (0, b"IIU\0", "Panasonic RW2"),
    (4, b"ftypcrx ", "Canon CR3"),
    (6, b"HEAPCCDR", "Canon CRW"),
    (0, b"FOVb", "Sigma X3F"),
    (0, b"\0MRM", "Minolta MRW"),
    (0, b"ARRI", "ARRIRAW"),
)
_RAW_PHOTOMETRICS = {(32803,), (34892,)}  # colour filter array of TIFF/EP, linear raw of DNG
# Values of the tag Compression that only raw files use.
_RAW_COMPRESSIONS = {
    (32767,),
    (32769,),
    (32770,),
    (32772,),
    (34713,),
    (65000,),
    (65535,),
}  # Sony, Epson, Samsung, Nikon, Kodak, Pentax
_PHOTOMETRIC, _COMPRESSION, _MAKE = 262, 259, 271
_DNG_VERSION, _CFA_PATTERN, _CR2_SLICES = 50706, 33422, 50752
_MAKERS = {
    "nikon": "Nikon NEF",
    "sony": "Sony ARW",
    "canon": "Canon CR2",
    "pentax": "Pentax PEF",
    "samsung": "Samsung SRW",
}


def name_of(head: bytes) -> str | None:
    """Return the name of the raw format that a file's first bytes identify, or None for any other file."""
    return next((name for place, mark, name in _SIGNATURES if head[place : place + len(mark)] == mark), None)


def is_camera_raw(tiff: bytes) -> bool:
    """Return whether a TIFF file contains samples of a camera's sensor, in any directory or sub-directory."""
    return _raw_name(tiff) is not None


def refusal(data: bytes) -> ImageUnreadable:
    """Return the error for a camera raw file. Its message names the kind of file and asks for another format."""
    name = name_of(data) or _raw_name(data)
    return ImageUnreadable(f"The file is a camera raw picture ({name}). Develop it and send a JPEG, PNG or TIFF.")


def _raw_name(data: bytes) -> str | None:
    if data[8:10] == b"CR" and data[:4] == b"II*\0":
        return "Canon CR2"
    if data[8:12] in (b"IIII", b"MMMM"):
        return "Phase One IIQ"
    is_raw, make = False, ""
    for tags in directories(data):
        if _DNG_VERSION in tags:
            return "DNG"
        text = tags.get(_MAKE, b"")
        make = make or (text.split(b"\0")[0].decode("latin-1").strip() if isinstance(text, bytes) else "")
        is_raw |= (
            tags.get(_PHOTOMETRIC) in _RAW_PHOTOMETRICS
            or tags.get(_COMPRESSION) in _RAW_COMPRESSIONS
            or _CFA_PATTERN in tags
            or _CR2_SLICES in tags
        )
    if not is_raw:
        return None
    return next((name for maker, name in _MAKERS.items() if maker in make.lower()), make[:20] or "TIFF/EP")
