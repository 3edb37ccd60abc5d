"""Reader of the colour description in an AV1 stream (AV1 specification, 5.5), for AVIF files without a `colr` box."""

from __future__ import annotations

_SEQUENCE_HEADER = 1


def code_points(units: bytes) -> tuple[int, int] | None:
    """Return the colour primaries and the transfer function as codes of ITU-T H.273, or None if the stream has none.

    units: the first OBUs (the units of an AV1 stream) of the picture.

    Only the reduced header of still pictures is read. For other headers, which videos use, return None.
    """
    header = _sequence_header(units)
    bits, place, length = int.from_bytes(header, "big"), 0, 8 * len(header)

    def take(count: int) -> int:
        nonlocal place
        place += count
        return bits >> max(length - place, 0) & (1 << count) - 1

    profile = take(3)
    take(1)
    is_short = take(1)
    if not is_short:
        return None
    take(5)  # the decoder level
    width_bits, height_bits = take(4) + 1, take(4) + 1
    take(width_bits + height_bits)
    take(6)  # flags of decoder tools
    is_deep = take(1)
    if profile == 2 and is_deep:
        take(1)
    if profile != 1:
        take(1)  # the flag for monochrome
    is_described = take(1)
    primaries, transfer = take(8), take(8)
    return (primaries, transfer) if is_described and place <= length else None


def _sequence_header(units: bytes) -> bytes:
    """Return the content of the first sequence header among the OBUs, or empty bytes if there is no such header."""
    place = 0
    while place < len(units):
        kind, is_extended, is_sized = units[place] >> 3 & 0x0F, units[place] >> 2 & 1, units[place] >> 1 & 1
        place += 1 + is_extended
        size, shift = 0, 0
        while is_sized and place < len(units):  # leb128
            size |= (units[place] & 0x7F) << shift
            shift, place = shift + 7, place + 1
            if not units[place - 1] & 0x80:
                break
        end = place + size if is_sized else len(units)
        if kind == _SEQUENCE_HEADER:
            return units[place:end]
        place = end
    return b""
