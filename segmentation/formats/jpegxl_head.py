"""Reader of the header of a JPEG XL code stream (ISO 18181-1: SizeHeader and ImageMetadata)."""

from __future__ import annotations

from dataclasses import dataclass

from segmentation.encoding import BT709, Chromaticities, Encoding, chromaticities_of, transfer_of

HEAD_BYTES = 1024
_SIZE_BITS = (9, 13, 18, 30)
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_MAX_EXTRA = 256
_ALPHA, _SPOT, _CFA = 0, 2, 5  # types of extra channels
_OWN = 2  # white or primaries that the header contains as coordinates
_GRAY, _XYB = 1, 2  # colour spaces
_D65 = 1
_WHITES = {_D65: (0.3127, 0.3290), 10: (1 / 3, 1 / 3), 11: (0.314, 0.351)}


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a code stream.

    width, height: as stored.
    orientation: as in EXIF.
    bits: of each colour channel.
    is_gray: whether the colours have one channel instead of three.
    has_alpha: whether one of the extra channels is an alpha.
    encoding: the colour encoding; None for sRGB, or if there is an ICC profile.
    has_profile: whether an ICC profile describes the colours.

    The last four fields are read for animations only; for others they have their default values.
    """

    width: int
    height: int
    orientation: int = 1
    is_animated: bool = False
    bits: int = 8
    is_floating: bool = False
    is_gray: bool = False
    has_alpha: bool = False
    encoding: Encoding | None = None
    has_profile: bool = False


class _Bits:
    """The bits of a code stream, the lowest bit of each byte first (ISO 18181-1, annex B)."""

    def __init__(self, data: bytes) -> None:
        self._bits, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise EOFError
        value = self._bits & (1 << count) - 1
        self._bits >>= count
        return value

    def choice(self, *ways: tuple[int, int]) -> int:
        """Return a number that is stored in one of four ways, each with a base and a number of further bits."""
        base, count = ways[self.take(2)]
        return base + self.take(count)

    def size(self) -> tuple[int, int]:
        """Return width and height of a SizeHeader."""
        is_small = self.take(1)

        def side() -> int:
            return (self.take(5) + 1) * 8 if is_small else self.take(_SIZE_BITS[self.take(2)]) + 1

        height = side()
        ratio = self.take(3)
        if not ratio:
            return side(), height
        across, down = _RATIOS[ratio]
        return height * across // down, height

    def preview(self) -> None:
        """Skip a PreviewHeader."""
        ways = ((16, 0), (32, 0), (1, 5), (33, 9)) if self.take(1) else ((1, 6), (65, 8), (321, 10), (1345, 12))
        self.choice(*ways)
        if not self.take(3):
            self.choice(*ways)

    def animation(self) -> None:
        """Skip an AnimationHeader."""
        self.choice((100, 0), (1000, 0), (1, 10), (1, 30))
        self.choice((1, 0), (1001, 0), (1, 8), (1, 10))
        self.choice((0, 0), (0, 3), (0, 16), (0, 32))
        self.take(1)

    def enumerated(self) -> int:
        """Return one of the values of an Enum."""
        return self.choice((0, 0), (1, 0), (2, 4), (18, 6))

    def depth(self) -> tuple[int, bool]:
        """Return the bits of a sample, and whether samples are floating-point numbers."""
        if self.take(1):
            bits = self.choice((32, 0), (16, 0), (24, 0), (1, 6))
            self.take(4)  # the bits of the exponent
            return bits, True
        return self.choice((8, 0), (10, 0), (12, 0), (1, 6)), False

    def extra_channel(self) -> int:
        """Skip an ExtraChannelInfo and return its type."""
        if self.take(1):  # all values are the usual ones
            return _ALPHA
        kind = self.enumerated()
        self.depth()
        self.choice((0, 0), (3, 0), (4, 0), (1, 3))
        self.take(8 * self.choice((0, 0), (0, 4), (16, 5), (48, 10)))  # the name
        if kind == _ALPHA:
            self.take(1)
        elif kind == _SPOT:
            self.take(4 * 16)
        elif kind == _CFA:
            self.choice((1, 0), (0, 2), (3, 4), (19, 8))
        return kind

    def point(self) -> tuple[float, float]:
        """Return x and y of a colour (CustomXY)."""
        numbers = [self.choice((0, 19), (1 << 19, 19), (1 << 20, 20), (1 << 21, 21)) for _ in range(2)]
        x, y = (-(number + 1) // 2 if number & 1 else number // 2 for number in numbers)
        return x / 1e6, y / 1e6

    def encoding(self) -> tuple[bool, Encoding | None, bool]:
        """Return a ColourEncoding: whether it is gray, its encoding or None, and whether an ICC profile follows."""
        if self.take(1):
            return False, None, False
        has_profile, space = bool(self.take(1)), self.enumerated()
        if has_profile:
            return space == _GRAY, None, True
        white: tuple[float, ...] = _WHITES[_D65]
        colors: tuple[float, ...] = BT709[:6]
        if space != _XYB:
            kind = self.enumerated()
            white = self.point() if kind == _OWN else _WHITES[kind]
        if space not in (_GRAY, _XYB):
            colors = self._primaries()
        if self.take(1):
            exponent = self.take(24) / 1e7
            transfer, gamma = "power", 1 / exponent if exponent else 1.0
        else:
            transfer, gamma = transfer_of(self.enumerated()), 0.0
        points: Chromaticities = (*colors, *white)  # type: ignore[assignment]
        if transfer == "srgb" and (space == _GRAY or points == BT709):
            return space == _GRAY, None, False
        return space == _GRAY, Encoding(transfer, points, gamma), False

    def _primaries(self) -> tuple[float, ...]:
        kind = self.enumerated()
        if kind == _OWN:
            return tuple(number for _ in range(3) for number in self.point())
        return chromaticities_of(kind)[:6]


def head(stream: bytes) -> Head:
    """Return the header of a code stream.

    Raise EOFError if the header is cut short, and KeyError for an unknown colour encoding of an animation.

    stream: the first HEAD_BYTES bytes of the code stream, or all bytes if there are fewer.
    """
    if len(stream) < 4 or stream[:2] != b"\xff\x0a":
        raise EOFError
    bits = _Bits(stream[2:])
    width, height = bits.size()
    if bits.take(1):  # all other values are the usual ones
        return Head(width, height)
    orientation, is_animated = 1, False
    if bits.take(1):
        orientation = bits.take(3) + 1
        if bits.take(1):
            bits.size()  # the intrinsic size
        if bits.take(1):
            bits.preview()
        is_animated = bool(bits.take(1))
        if is_animated:
            bits.animation()
    depth, is_floating = bits.depth()
    if not is_animated:
        return Head(width, height, orientation, is_animated, depth, is_floating)
    bits.take(1)  # whether 16 bits are enough for the decoder
    extra = min(bits.choice((0, 0), (1, 0), (2, 4), (1, 12)), _MAX_EXTRA)
    kinds = [bits.extra_channel() for _ in range(extra)]
    bits.take(1)  # whether the colours are stored as XYB
    is_gray, encoding, has_profile = bits.encoding()
    return Head(width, height, orientation, True, depth, is_floating, is_gray, _ALPHA in kinds, encoding, has_profile)
