"""Reader of HEIC and AVIF files (ISO 23008-12). It reads the primary item, with its colours and its rotation."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image

from segmentation.encoding import Encoding, from_code_points
from segmentation.errors import ImageUnreadable
from segmentation.formats import boxes, exif
from segmentation.formats.opened import Header, Samples

# Codings of HEIF (ISO 23008-12 and others) that the decoders of HEIC and AVIF do not support.
_OTHER_CODINGS = {
    b"avc1": "AVC (H.264)", b"vvc1": "VVC (H.266)", b"evc1": "EVC", b"lhv1": "layered HEVC", b"j2k1": "JPEG 2000",
    b"jpeg": "JPEG", b"unci": "uncompressed samples",
}  # fmt: skip


@cache
def _register_heif() -> None:
    # Imported only for the first HEIC, because the library loads a video decoder.
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


class OpenedHeif:
    """A HEIC or AVIF file whose boxes have been parsed.

    name: `heic` or `avif`.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._is_heic = data, name == "heic"
        for coding in sorted(boxes.main_codings(data) & set(_OTHER_CODINGS)):
            kind = _OTHER_CODINGS[coding]
            raise ImageUnreadable(
                f"The HEIF picture is coded as {kind}, which is not supported. Save it as JPEG or PNG."
            )
        if self._is_heic:
            _register_heif()
        self._colors = boxes.item_colors(data)
        with self._image() as image:
            tags = exif.parse(image.info.get("exif"))
            # libheif rotates the picture, and EXIF must be ignored (ISO 23008-12, 6.5.10); Pillow creates EXIF from
            # `irot`.
            turn = 1 if self._is_heic else exif.orientation(tags)
            turned = self._colors.turn if self._is_heic else turn
            self._encoding = self._colors.encoding or _stream_encoding(image.info.get("nclx_profile"))
            carried = image.info.get("exif") or b""
            self.header = Header(*image.size, turn, turned, exif.resolution(tags), self._notes(image), carried)

    def _image(self) -> Image.Image:
        return Image.open(io.BytesIO(self._data), formats=("HEIF" if self._is_heic else "AVIF",))

    def _notes(self, image: Image.Image) -> tuple[str, ...]:
        if not getattr(image, "is_animated", False):
            return ()
        if self._is_heic:
            return ("several pictures: the main one used",)
        return (f"animated: first of {getattr(image, 'n_frames', 2)} frames used",)

    def prove(self) -> None:
        self.samples()

    def samples(self) -> Samples:
        with self._image() as image:
            image.load()
            profile = image.info.get("icc_profile") or self._colors.profile
            pixels = np.asarray(image)
        if pixels.ndim == 2:
            return Samples(pixels, "gray", None, profile, self._encoding)
        alpha = np.ascontiguousarray(pixels[..., -1]) if pixels.shape[2] in (2, 4) else None
        if pixels.shape[2] == 2:
            return Samples(np.ascontiguousarray(pixels[..., 0]), "gray", alpha, profile, self._encoding)
        colors = np.ascontiguousarray(pixels[..., :3])
        return Samples(colors, "rgb", alpha, profile, self._encoding)


def _stream_encoding(found: dict[str, int] | None) -> Encoding | None:
    """Return the encoding for the code points that libheif found in the coded picture.

    Return None if libheif found no code points.
    """
    if not found:
        return None
    return from_code_points(found["color_primaries"], found["transfer_characteristics"], still=False)
