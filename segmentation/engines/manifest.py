"""The manifest of a weight file: how to prepare the network's input and how to interpret its output.

A manifest is a JSON object in `NAME.json` next to `NAME.safetensors`, `NAME.pth` or `NAME.onnx`. Unknown fields are
stored but not used, so a training program may add its measurements.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Self, get_args, get_type_hints

from segmentation.errors import WeightsInvalid

BUILT_IN_SUFFIXES = (".safetensors", ".pth")  # files of the built-in network; a manifest is optional for them
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
KEYLINE, SALIENT, PEOPLE = "keyline", "salient", "people"  # the families of networks that the engines know
CHOICES = {
    "family": (KEYLINE, SALIENT, PEOPLE),
    "box_mode": ("prompt", "crop"),
    "activation": ("none", "sigmoid"),
    "channels": ("rgb", "bgr"),
    "fit": ("squeeze", "pad"),
    "box_format": ("xyxy", "xywh", "cxcywh"),
    "box_unit": ("pixel", "share"),
    "mask_frame": ("picture", "box"),
}
MAX_SIZE_PX = 4096
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The description of one weight file. The constructor raises WeightsInvalid, which names the invalid field.

    Fields about the file:
    - url, licence, note: where the file comes from, its licence, and a remark.
    - sha256, md5: checksums in lower-case hex. An empty checksum is not checked.
    - non_commercial: whether the licence forbids commercial use.
    - terms: conditions of use that the licence's name does not state.
    - family: the kind of network: KEYLINE (the built-in one), SALIENT (one map of the subject) or PEOPLE (separate
      people).

    Fields about the input:
    - size: the input's side in pixels.
    - own_maximum: divide the pixels by the picture's largest value. If it is False, divide them by 255.
    - full_scale, mean, std: the values 0..1 are multiplied by `full_scale`, then normalised as (x - mean) / std.
    - channels: the order of the colour channels.
    - batched: whether the input has a batch axis.
    - fit: `squeeze` changes the aspect ratio. `pad` keeps it and adds zeros at the right and the bottom.

    Fields of the family SALIENT:
    - output: the index or the name of the network's output.
    - activation: the function that the engine must apply to the output: `none` or `sigmoid`.
    - stretch: scale the result to the full range 0..1.
    - people_only: the network finds only people.

    Fields of the family KEYLINE:
    - points: whether the network takes clicks. Its decoder then takes three prompt planes.
    - mirrored: also run the network on the mirrored picture and average the logits.
    - second_look: if the subject is small, run the network a second time, on the part of the picture with the subject.
    - presence: the logit that the most certain cells of a subject should reach. If they are lower, all logits of the
      subject are reduced. None disables this step.
    - box_mode: `prompt` draws a box on the network's fourth plane. `crop` runs the network on the part of the picture
      around the box, enlarged by `box_margin` times the box's sides.

    Fields of the family PEOPLE:
    - boxes, scores, labels, masks: the indices or names of the outputs. If `scores` is None, the scores are the fifth
      column of the boxes. If `labels` is None, every detection is a person.
    - person_label: the label of people.
    - box_format, box_unit: the format and the unit of a box. `share` means a share of the input's side.
    - mask_frame: what a mask covers: `picture` for the whole picture, `box` for the box of its person.

    Fields of all families:
    - min_score: people with a lower score, 0..1, are left out.
    - extra: the unknown fields.
    """

    name: str
    family: str = SALIENT
    url: str = ""
    sha256: str = ""
    md5: str = ""
    licence: str = "unknown"
    non_commercial: bool = False
    terms: str = ""
    note: str = ""
    size: int = 320
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    full_scale: float = 1.0
    own_maximum: bool = False
    channels: str = "rgb"
    fit: str = "squeeze"
    batched: bool = True
    output: int | str = 0
    activation: str = "none"
    stretch: bool = False
    people_only: bool = False
    points: bool = False
    mirrored: bool = False
    second_look: bool = False
    presence: float | None = None
    box_mode: str = "crop"
    box_margin: float = 0.15
    boxes: int | str = 0
    scores: int | str | None = None
    labels: int | str | None = None
    masks: int | str = -1
    person_label: int = 0
    box_format: str = "xyxy"
    box_unit: str = "pixel"
    mask_frame: str = "picture"
    min_score: float = 0.3
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            self._check_kind(name, kind)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise WeightsInvalid(f"The manifest's {name} must be one of {', '.join(allowed)}.", field=name)
        if not 32 <= self.size <= MAX_SIZE_PX:
            raise WeightsInvalid(f"The manifest's size must lie between 32 and {MAX_SIZE_PX} pixels.", field="size")
        for name in ("mean", "std"):
            object.__setattr__(self, name, self._three_numbers(name))
        if min(self.std) <= 0 or self.full_scale <= 0:
            raise WeightsInvalid("The manifest's std and full_scale must be above 0.", field="std")

    def _check_kind(self, name: str, kind: Any) -> None:
        value = getattr(self, name)
        allowed = get_args(kind) if isinstance(kind, UnionType) else (kind,)
        if float in allowed and type(value) is int:
            return
        if type(value) not in allowed:
            raise WeightsInvalid(f"The manifest's {name} is not of the right type: {value!r:.60}.", field=name)

    def _three_numbers(self, name: str) -> tuple[float, ...]:
        values = getattr(self, name)
        if isinstance(values, int | float):
            values = (values,) * 3
        if not isinstance(values, list | tuple) or len(values) != 3 or not all(type(v) in (int, float) for v in values):
            raise WeightsInvalid(f"The manifest's {name} must be one number or three.", field=name)
        return tuple(float(value) for value in values)

    @classmethod
    def from_json(cls, data: Any, *, name: str = "") -> Self:
        """Build a manifest from a JSON object; unknown fields are stored in `extra`.

        name: the manifest's name if the object has none.

        Raise WeightsInvalid if the object is not a valid manifest.
        """
        if not isinstance(data, dict):
            raise WeightsInvalid("The manifest is not a JSON object.")
        known = {entry.name for entry in fields(cls)} - {"extra"}
        values = {key: value for key, value in data.items() if key in known}
        values.setdefault("name", name)
        return cls(**values, extra={key: value for key, value in data.items() if key not in known})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the manifest at `path`. Raise WeightsInvalid if the file is missing or is not a valid manifest."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise WeightsInvalid(f"The weights need a manifest, {path.name}, beside them.") from None
        except (OSError, ValueError) as error:
            raise WeightsInvalid(f"The manifest {path.name} cannot be read as JSON.") from error
        return cls.from_json(data, name=path.stem)


_KINDS = {name: kind for name, kind in get_type_hints(Manifest).items() if name not in ("mean", "std", "extra")}


def manifest_path(weights: Path) -> Path:
    """Return the path of a weight file's manifest."""
    return weights.with_suffix(".json")


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return a file's checksum as lower-case hex. Raise WeightsInvalid if the file cannot be read.

    algorithm: a name that `hashlib` knows.
    """
    digest = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise WeightsInvalid(f"The weights file {path.name} cannot be read.") from error
    return digest.hexdigest()


def checked_digest(weights: Path, manifest: Manifest) -> str:
    """Return the sha256 of a weight file. Raise WeightsInvalid if it differs from the manifest's checksum.

    The manifest's md5 is compared only if the manifest has no sha256.
    """
    sha256 = file_digest(weights)
    if manifest.sha256 and manifest.sha256.lower() != sha256:
        raise WeightsInvalid(f"The weights file {weights.name} is not the one that its manifest describes (sha256).")
    if not manifest.sha256 and manifest.md5 and manifest.md5.lower() != file_digest(weights, "md5"):
        raise WeightsInvalid(f"The weights file {weights.name} is not the one that its manifest describes (md5).")
    return sha256
