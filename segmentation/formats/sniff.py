"""Detection of a file's format by its first bytes, independent of its name."""

from __future__ import annotations

# The accepted formats, in the order in which messages list them.
FORMATS = ("jpeg", "png", "webp", "heic", "avif", "tiff", "jxl", "jp2", "bmp", "gif")

NAMES = {"webp": "WebP", "jxl": "JPEG XL", "jp2": "JPEG 2000"} | {
    name: name.upper() for name in FORMATS if name not in ("webp", "jxl", "jp2")
}

HEAD_BYTES = 512  # enough bytes for every signature below, and for the first tag of an SVG or a web page

_PICTURES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\xff\x0a", "jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
)
_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a rar archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\1\0", "an icon file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
# Pictures in other formats, which would otherwise be of an unknown kind.
_OTHER_PICTURES = (
    (b"II\xbc", "a JPEG XR picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"#?RGBE", "a Radiance HDR picture"),
    (b"qoif", "a QOI picture"),
    (b"DDS ", "a DirectDraw texture"),
    (b"gimp xcf", "a GIMP document"),
    (b"BPG\xfb", "a BPG picture"),
    (b"FLIF", "a FLIF picture"),
    (b"AT&TFORM", "a DjVu document"),
    (b"SIMPLE  =", "a FITS picture"),
    (b"SDPX", "a DPX picture"),
    (b"XPDS", "a DPX picture"),
    (b"icns", "an icon file"),
    (b"\x8aMNG\r\n\x1a\n", "an MNG animation"),
    (b"\x8bJNG\r\n\x1a\n", "a JNG picture"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    *((b"P%d" % kind + space, "a Netpbm picture") for kind in range(1, 8) for space in (b"\n", b" ", b"\r", b"\t")),
)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
# HEIF with other codings; the reader of HEIC refuses them by name.
_HEIC_BRANDS |= {b"avci", b"avcs", b"vvic", b"vvis", b"evbi", b"evmi", b"j2ki", b"j2is", b"jpeg", b"jpgs", b"miaf"}
_AVIF_BRANDS = {b"avif", b"avis"}


def sniff(head: bytes) -> str | None:
    """Return the format of a file, one of FORMATS, or None for any other format.

    head: the file's first HEAD_BYTES.
    """
    for signature, name in _PICTURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _sniff_brands(head)
    return None


def describe(head: bytes) -> str:
    """Return words that describe a file that is not in one of FORMATS, such as `a PDF document` or `text`.

    head: the file's first HEAD_BYTES.

    The words complete the sentence "The file is ...". They also name picture formats that are not supported.
    """
    for signature, words in _OTHERS + _OTHER_PICTURES:
        if head.startswith(signature):
            return words
    if head[4:8] == b"ftyp":
        return "a video"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page"
    if b"\0" not in head and all(byte >= 32 or byte in b"\t\r\n\f" for byte in head):
        return "text"
    return "of an unknown kind"


def _sniff_brands(head: bytes) -> str | None:
    """Return `avif`, `heic` or None, depending on the brands of an ISO base media file (ISO 14496-12, box `ftyp`).

    The major brand and the compatible brands are treated alike.
    """
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[start : start + 4] for start in range(16, length - 3, 4)}
    if brands & _AVIF_BRANDS:
        return "avif"
    return "heic" if brands & _HEIC_BRANDS else None
