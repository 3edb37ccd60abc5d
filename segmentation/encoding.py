"""Colour encodings other than ICC profiles, and their conversion to sRGB.

A file gives its encoding as code points (ITU-T H.273: chunk cICP of PNG, box `nclx` of AVIF and HEIC, header of
JPEG XL), or as a gamma and chromaticities (chunks gAMA and cHRM of PNG, V4 header of BMP, tags of TIFF). Both are
stored as an Encoding: the transfer function, and the chromaticities of the three primaries and of white.

Results differ from Chromium's canvas by a few levels at most. HDR (PQ and HLG) is mapped to the range of sRGB with the
reference white tone mapping operator of SMPTE ST 2094-50, with a peak of 1000 cd/m2 and white at 203 cd/m2 (ITU-R
BT.2408).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import cv2
import numpy as np

Chromaticities = tuple[float, float, float, float, float, float, float, float]  # x, y of red, green, blue, white
Curve = Callable[[np.ndarray], np.ndarray]

_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)
_DCI = (0.314, 0.351)
BT709: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
BT2020: Chromaticities = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65)
# ITU-T H.273, table 2.
_PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: BT2020,
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_DCI),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
_VIDEO_TRANSFERS = (1, 6, 14, 15)
_SRGB_TRANSFER = 13
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

WHITE_NITS = 203.0
PEAK_NITS = 1000.0
_BRIGHTEST = 10_000 / WHITE_NITS
_WHITE_LEVEL = 0.5  # the light level of HDR reference white, relative to a peak of 1000 cd/m2
_SHOULDER = 0.65
_HLG_SYSTEM_GAMMA = 1.2  # ITU-R BT.2100, for a display of 1000 cd/m2
_STRIP_PIXELS = 1 << 20  # limits the memory of a conversion
# Smaller differences result from rounding; converting them would only cost time.
_SAME_COLOR_LEVELS = 2


@dataclass(frozen=True, slots=True)
class Encoding:
    """The transfer function and the primaries of a file's samples.

    transfer: the name of the transfer function: `srgb`, `power` (light = sample ** `gamma`), `table` (the curves in
    `tables`), or a code of ITU-T H.273 as text.
    chromaticities: x and y of the red, green and blue primaries and of white (CIE 1931).
    tables: one curve for each channel, used if `transfer` is `table`. A curve is a list of light values, 0..1, for
    evenly spaced samples: the first value belongs to the smallest sample, the last one to the largest sample.
    source: a short label for where the encoding comes from, such as `cicp`, `gamma` or `calibrated`. `note` uses it.
    """

    transfer: str = "srgb"
    chromaticities: Chromaticities = BT709
    gamma: float = 0.0
    tables: tuple[tuple[float, ...], ...] = ()
    source: str = "cicp"

    @property
    def hdr(self) -> Literal["PQ", "HLG"] | None:
        return "PQ" if self.transfer == "16" else "HLG" if self.transfer == "18" else None

    @property
    def note(self) -> str:
        """Return the sentence that tells the user which conversion from this encoding to sRGB was done."""
        return f"hdr: {self.hdr} tone-mapped to sRGB" if self.hdr else f"{self.source}: converted to sRGB"


def are_known(primaries: int, transfer: int) -> bool:
    """Return whether both code points of ITU-T H.273, as in `from_code_points`, have a meaning that is supported."""
    return primaries in _PRIMARIES and (transfer == _SRGB_TRANSFER or str(transfer) in _CURVES)


def from_code_points(primaries: int, transfer: int, *, still: bool) -> Encoding | None:
    """Return the encoding for two code points of ITU-T H.273, or None for sRGB. Unknown codes are treated as sRGB.

    If `still` is True, the video curves (BT.709, BT.601, BT.2020) are applied exactly. If it is False, they are treated
    as sRGB, as in browsers, because pictures in video containers often declare a video curve although they are made for
    an sRGB display.

    primaries, transfer: the codes of the colour primaries and of the transfer function.
    still: True for a file format for still pictures (PNG), False for a container that may contain video (HEIC, AVIF).
    """
    if transfer in _VIDEO_TRANSFERS and not still:
        transfer = _SRGB_TRANSFER
    name = transfer_of(transfer)
    colors = _PRIMARIES.get(primaries, BT709)
    if name == "srgb" and colors == BT709:
        return None
    return Encoding(name, colors)


def chromaticities_of(primaries: int) -> Chromaticities:
    """Return the chromaticities for a code of ITU-T H.273. Raise KeyError for an unknown code."""
    return _PRIMARIES[primaries]


def transfer_of(code: int) -> str:
    """Return the name of a transfer function, as in `Encoding`, for a code of ITU-T H.273; unknown codes are sRGB."""
    return str(code) if str(code) in _CURVES else "srgb"


def convert(pixels: np.ndarray, encoding: Encoding) -> np.ndarray | None:
    """Return a picture converted to sRGB, uint8 of the same shape, or None if no change would be visible.

    pixels: the samples, (H, W) gray or (H, W, 3) RGB, uint8 or uint16.
    encoding: the encoding of the samples. For a gray picture, its chromaticities are not used.
    """
    # Tone mapping uses the brightest of the BT.2020 primaries.
    own = BT709 if pixels.ndim == 2 else encoding.chromaticities
    to_wide, matrix = _matrix_between(own, BT2020), _matrix_between(BT2020 if encoding.hdr else own, BT709)
    if to_wide is None or matrix is None:
        return None
    tables = [table.astype(np.float32) for table in _light_tables(encoding, np.iinfo(pixels.dtype).max + 1)]
    if not encoding.hdr and _is_srgb(tables, matrix if pixels.ndim == 3 else None):
        return None
    result = np.empty(pixels.shape, np.uint8)
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        strip = pixels[top : top + rows]
        light: np.ndarray
        if strip.ndim == 2:
            light = tables[0].take(strip)
            if encoding.hdr:
                light = _tone_mapped(np.dstack([light] * 3), encoding)[..., 0]
        else:
            light = _light(strip, tables)
            if encoding.hdr:
                light = _tone_mapped(cv2.transform(light, to_wide), encoding)
            light = cv2.transform(light, matrix)
        result[top : top + rows] = _encode(light)
    return result


def _light(strip: np.ndarray, tables: list[np.ndarray]) -> np.ndarray:
    """Convert samples, (h, W, 3) uint8 or uint16, to linear light, float32.

    tables: one lookup table per channel.
    """
    if strip.dtype == np.uint8:
        return cv2.LUT(strip, np.dstack(tables))
    return cv2.merge([table.take(strip[..., channel]) for channel, table in enumerate(tables)])


def _light_tables(encoding: Encoding, levels: int) -> list[np.ndarray]:
    samples = np.linspace(0, 1, levels)
    if encoding.transfer == "table":
        return [np.interp(samples, np.linspace(0, 1, len(curve)), curve) for curve in encoding.tables]
    if encoding.transfer == "power":
        return [samples**encoding.gamma] * 3
    if encoding.transfer == "srgb":
        return [_srgb_to_light(samples)] * 3
    return [_CURVES[encoding.transfer](samples)] * 3


def _is_srgb(tables: list[np.ndarray], matrix: np.ndarray | None) -> bool:
    """Return whether the conversion changes no colour of a coarse grid of test colours by more than _SAME_COLOR_LEVELS.

    tables: the lookup tables from samples to light, one per channel.
    matrix: the (3, 3) matrix of the conversion, or None for a gray picture.
    """
    steps = np.linspace(0, 1, 33)
    curves = [np.interp(steps, np.linspace(0, 1, len(table)), table) for table in tables]
    if matrix is None:
        return bool(np.abs(_encode(curves[0]).astype(int) - np.rint(steps * 255)).max() <= _SAME_COLOR_LEVELS)
    grid = np.stack(np.meshgrid(*[curve[::4] for curve in curves], indexing="ij"), -1).reshape(-1, 3)
    grays = np.stack(curves, -1)
    before = np.stack(np.meshgrid(*[steps[::4]] * 3, indexing="ij"), -1).reshape(-1, 3)
    before = np.concatenate([before, np.stack([steps] * 3, -1)])
    after = _encode(np.concatenate([grid, grays]) @ matrix.T).astype(int)
    return bool(np.abs(after - np.rint(before * 255)).max() <= _SAME_COLOR_LEVELS)


@cache
def _matrix_between(first: Chromaticities, second: Chromaticities) -> np.ndarray | None:
    """Return the (3, 3) float32 matrix that converts linear light from the primaries `first` to the primaries `second`.

    White is adapted with the Bradford transform, as in ICC profiles. Return None if the matrix cannot be computed.
    """
    try:
        source = _to_xyz(first)
        target = _to_xyz(second)
        cones = (_BRADFORD @ target.sum(1)) / (_BRADFORD @ source.sum(1))
        adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ source
        matrix = np.linalg.inv(target) @ adapted
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > 1e4:
        return None
    return matrix.astype(np.float32)


def _to_xyz(chromaticities: Chromaticities) -> np.ndarray:
    x, y = np.array(chromaticities).reshape(4, 2).T
    if (np.abs(y[3]) < 1e-6).any():
        raise ZeroDivisionError
    columns = np.stack([x, y, 1 - x - y])
    white = columns[:, 3] / y[3]
    return columns[:, :3] * np.linalg.solve(columns[:, :3], white)


def _tone_mapped(light: np.ndarray, encoding: Encoding) -> np.ndarray:
    """Return linear HDR light, (H, W, 3) float32, mapped to the range 0..1 of sRGB.

    light: for PQ, the light in units of reference white. For HLG, the scene light, 0..1.
    """
    if encoding.hdr == "HLG":
        # BT.2100, the opto-optical transfer function: brighter by its luminance to the power of gamma - 1.
        luminance = cv2.transform(light, np.array([[0.2627, 0.6780, 0.0593]], np.float32))
        factor = cv2.pow(luminance, _HLG_SYSTEM_GAMMA - 1) * np.float32(PEAK_NITS / WHITE_NITS)
        light = cv2.multiply(light, cv2.merge([factor] * 3))
    red, green, blue = cv2.split(light)
    brightest = np.clip(cv2.max(cv2.max(red, green), blue), 0, _BRIGHTEST)
    table = _gain_table()
    gain = table.take((brightest * np.float32((len(table) - 1) / _BRIGHTEST)).astype(np.int32))
    return cv2.multiply(light, cv2.merge([gain] * 3))


@cache
def _gain_table() -> np.ndarray:
    """Return the tone mapping gain, (N,) float32, at evenly spaced light levels from 0 to _BRIGHTEST.

    The gain is constant up to reference white. Above it, the mapped light follows a Bezier curve (SMPTE ST 2094-50).
    """
    peak = PEAK_NITS / WHITE_NITS
    t = np.linspace(0, 1, 256)
    middle = 1 + _SHOULDER * (1 / _WHITE_LEVEL - 1), _WHITE_LEVEL + _SHOULDER * (1 - _WHITE_LEVEL)
    x = (1 - t) ** 2 + 2 * t * (1 - t) * middle[0] + t**2 * peak
    y = (1 - t) ** 2 * _WHITE_LEVEL + 2 * t * (1 - t) * middle[1] + t**2
    levels = np.linspace(0, _BRIGHTEST, 1 << 16)
    return np.where(levels < peak, np.interp(levels, x, y / x), 1 / np.maximum(levels, 1)).astype(np.float32)


def _encode(light: np.ndarray) -> np.ndarray:
    """Encode linear light as sRGB, uint8 (IEC 61966-2-1); values outside 0..1 are clipped."""
    table = _encode_table()
    return table.take((np.clip(light, 0, 1) * np.float32(len(table) - 1) + np.float32(0.5)).astype(np.uint16))


@cache
def _encode_table() -> np.ndarray:
    light = np.linspace(0, 1, 1 << 16)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(curve * 255).astype(np.uint8)


def _srgb_to_light(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def _video_to_light(v: np.ndarray) -> np.ndarray:
    """Convert video samples to the light of a display (ITU-R BT.1886), as browsers do.

    This is not the inverse of the camera's curve.
    """
    return v**2.4


def _smpte_240_to_light(v: np.ndarray) -> np.ndarray:
    return np.where(v < 0.0913, v / 4.0, ((v + 0.1115) / 1.1115) ** (1 / 0.45))


def _pq_to_light(v: np.ndarray) -> np.ndarray:
    """Convert PQ samples to light in units of reference white (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = v ** (1 / m2)
    return (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * (10_000 / WHITE_NITS)


def _hlg_to_light(v: np.ndarray) -> np.ndarray:
    """Convert HLG samples to scene light 0..1 (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(v <= 0.5, v * v / 3, (np.exp((v - c) / a) + b) / 12)


# ITU-T H.273, table 3: from samples 0..1 to light 0..1.
_CURVES: dict[str, Curve] = {
    "1": _video_to_light,
    "4": lambda v: v**2.2,
    "5": lambda v: v**2.8,
    "6": _video_to_light,
    "7": _smpte_240_to_light,
    "8": lambda v: v,
    "11": _video_to_light,
    "14": _video_to_light,
    "15": _video_to_light,
    "16": _pq_to_light,
    "17": lambda v: np.minimum(v**2.6 * (52.37 / 48), 1),
    "18": _hlg_to_light,
}
