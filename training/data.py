"""Reader of training sets: photos with their masks, in folders or zip files (shards).

A set is a folder of files, or a group of zip files `SET-00.zip`, `SET-01.zip`, … A photo is a file
`NAME.(webp|jpg|jpeg|png)`, and its alpha (8 bit) is `NAME.png`; a photo that is a PNG has no other files. A folder with
only photos and alphas is a set too. Optional files are:

- `NAME.people.png`: ids 1…n of people
- `NAME.ignore.png`: 255 where people are not separated
- `NAME.things.png` (ids) with `NAME.things.json` (`[{"id", "class", "box"}]`); the class of an object that may be a
  person is `unknown`
- `NAME.boxes.json` if people have only boxes: `{"people": [[left, top, right, bottom]], "ignore": […]}`, in pixels
- `NAME.label.json` if a model made the mask (see `training/label.py`), with the model's uncertainty
"""

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeVar

import cv2
import numpy as np

Prepared = TypeVar("Prepared")

PHOTO_SUFFIXES = (".webp", ".jpg", ".jpeg", ".png")
LABEL_SUFFIX = ".label.json"
MARK_SUFFIXES = (".people.png", ".ignore.png", ".things.png", ".things.json", ".boxes.json", LABEL_SUFFIX)
UNDECIDED = (0.1, 0.9)  # an alpha between these is neither clearly subject nor clearly background
LARGEST_UNDECIDED = 0.25  # share of the subject's area: with more, a model's mask is used only where it is certain
IS_PERSON = {"person": True, "unknown": None}  # by the class of an object; all other classes are things
LARGEST_OBJECTS = 6
SMALLEST_OBJECT_SHARE = 0.01


@dataclass(frozen=True)
class SetRole:
    """What the masks of a set contain, and how often its pictures are chosen for a batch."""

    real: float = 1.0  # weight among whole photos with a subject mask
    cutout: float = 0.25  # weight among subjects to paste
    people: str = "unknown"  # the knowledge about all people in its photos, a key of bank.PEOPLE_CODES
    held_out: int = 0  # number of pictures that are excluded from training
    unsure: bool = False  # whether a mask is used only where it is near 0 or 1


# Weights follow the masks' quality: soft alpha is pasted often, coarse polygons are never used as subjects.
ROLES = {
    "train-duts": SetRole(real=1.0, cutout=0.6, held_out=300),
    "train-clothing": SetRole(real=0.7, cutout=8.0, people="one", held_out=50),
    "train-ccp": SetRole(real=0.7, cutout=3.0, people="one"),
    "train-human": SetRole(real=0.7, cutout=0.5, people="some"),
    "train-product": SetRole(real=0.7, cutout=2.0, people="none"),
    "train-horse": SetRole(real=0.4, cutout=1.0, people="none"),
    "train-panda": SetRole(real=1.0, cutout=1.0, people="none"),
    "train-cars": SetRole(real=0.35, cutout=0.5),
    "train-flowers17": SetRole(real=0.35, cutout=0.6),
    "train-flowers102": SetRole(real=0.5, cutout=0.6),
    "train-pool-sure": SetRole(real=1.0, cutout=0.6, held_out=100),
    "train-taught": SetRole(real=1.0, cutout=0.4),
    "train-pool-unsure": SetRole(real=0.6, cutout=0.0, unsure=True),
    "train-people": SetRole(real=0.0, cutout=0.0, people="marked"),
    "train-boxes": SetRole(real=0.0, cutout=0.0),
    "train-things": SetRole(real=0.0, cutout=0.0, people="none"),
    "background": SetRole(real=0.0, cutout=0.0, people="none", held_out=60),
}


def _labels(name: str) -> dict:
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


# Some subjects of DUTS-TR, labelled by hand: a person alone in the photo, one person in front of others, several
# people, a thing in a photo without people, a thing in a photo where people may be visible.
NAMED_SUBJECTS = {name: kind for kind, names in _labels("duts_subjects.json").items() for name in names}

# Boxes drawn by hand around all people, by set and photo: {"people": [[left, top, right, bottom]], "ignore": [...]} in
# hundredths of the photo's sides.
BOXED_BY_EYE = _labels("people_boxes.json")


@dataclass(frozen=True)
class Entry:
    """One photo of a set.

    kind: the name of the set, such as `train-duts`.
    name: the photo's name without its ending.
    photo: the file's name.
    beside: the names of the photo's other files, by their endings.
    read: a function that returns the bytes of a file by its name.
    """

    kind: str
    name: str
    photo: str
    beside: Mapping[str, str]
    read: Callable[[str], bytes]


@dataclass
class Picture:
    """One decoded entry. The arrays are square, S x S pixels, uint8."""

    kind: str
    photo: np.ndarray  # (S, S, 3) RGB
    subject: str | None = None  # a kind of NAMED_SUBJECTS
    alpha: np.ndarray | None = None
    unsure: bool = False  # whether the alpha is used only where it is near 0 or 1
    people: np.ndarray | None = None  # ids 1…n, 255 = ignore
    boxed: tuple[np.ndarray, np.ndarray] | None = None  # (P, 4) around all people, (I, 4) around unknown areas, in 0..1
    objects: list[tuple[np.ndarray, bool | None]] = field(default_factory=list)  # (alpha, is a person; None: unknown)


def entries(path: Path) -> Iterator[Entry]:
    """Yield the photos of a folder, of a zip shard, or of a folder of zip shards."""
    if path.is_dir() and (shards := sorted(path.glob("*.zip"))):
        for shard in shards:
            yield from entries(shard)
        return
    if path.is_dir():
        kind, names = path.name, sorted(file.name for file in path.iterdir() if file.is_file())

        def read(name: str) -> bytes:
            return (path / name).read_bytes()
    else:
        archive = zipfile.ZipFile(path)
        kind, names = path.stem.rsplit("-", 1)[0], archive.namelist()
        read = archive.read
    yield from _group(kind, names, read)


def _group(kind: str, names: list[str], read: Callable[[str], bytes]) -> Iterator[Entry]:
    groups: dict[str, dict[str, str]] = {}  # for each stem, the files' names by their endings
    for name in names:
        stem, suffix = _parted(name)
        groups.setdefault(stem, {})[suffix] = name
    for stem, files in groups.items():
        photos = [suffix for suffix in PHOTO_SUFFIXES if suffix in files]
        if photos and (photos[0] != ".png" or len(files) == 1):
            beside = {suffix: file for suffix, file in files.items() if suffix != photos[0]}
            yield Entry(kind, stem, files[photos[0]], beside, read)


def _parted(name: str) -> tuple[str, str]:
    """Split a file's name into its stem, which may contain dots, and its ending in lower case."""
    lowered = name.lower()
    suffix = next((mark for mark in MARK_SUFFIXES if lowered.endswith(mark)), PurePosixPath(lowered).suffix)
    return name[: len(name) - len(suffix)], suffix


def held_out(listed: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return entries as two lists: the entries for training, and the held-out entries, which are only for evaluation.

    In each set, the entries whose names have the smallest CRC-32 are held out. The number of held-out entries is the
    field `held_out` of the set's role in ROLES.
    """
    kept: list[Entry] = []
    apart: list[Entry] = []
    for kind in sorted({entry.kind for entry in listed}):
        ranked = sorted((e for e in listed if e.kind == kind), key=lambda e: zlib.crc32(e.name.encode()))
        count = ROLES.get(kind, SetRole()).held_out
        apart += ranked[:count]
        kept += ranked[count:]
    return kept, apart


def decode(data: bytes, colour: bool) -> np.ndarray:
    """Decode a picture file to (H, W, 3) RGB or (H, W) gray, uint8. Raise ValueError if it is not a picture.

    colour: True for RGB, False for gray.
    """
    flag = cv2.IMREAD_COLOR_RGB if colour else cv2.IMREAD_GRAYSCALE
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if picture is None:
        raise ValueError("not a picture")
    return picture


def square(picture: np.ndarray, size: int, nearest: bool = False) -> np.ndarray:
    """Return a picture, (H, W) or (H, W, 3), resized to (size, size). The aspect ratio may change, as in the engine.

    size: the side in pixels.
    nearest: use the nearest pixel, for maps of ids. If it is False, shrinking averages, and enlarging is bilinear.
    """
    if nearest:
        return cv2.resize(picture, (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    smaller = min(picture.shape[:2]) > size
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def load(entry: Entry, size: int) -> Picture:
    """Decode an entry at size x size pixels. Raise ValueError if a file is not a picture."""
    photo = square(decode(entry.read(entry.photo), colour=True), size)
    subject = NAMED_SUBJECTS.get(entry.name.rpartition("/")[2]) if entry.kind == "train-duts" else None
    picture = Picture(entry.kind, photo, subject)
    if ".people.png" in entry.beside:
        people = decode(entry.read(entry.beside[".people.png"]), colour=False)
        if ".ignore.png" in entry.beside:
            people = np.where(decode(entry.read(entry.beside[".ignore.png"]), colour=False) > 0, 255, people)
        picture.people = square(people.astype(np.uint8), size, nearest=True)
    if ".things.png" in entry.beside:
        picture.objects = list(_objects(entry, size))
        if picture.people is None and ROLES.get(entry.kind, SetRole()).people == "none":
            picture.people = np.zeros((size, size), np.uint8)  # everything countable is marked, so there are no people
    if ".png" in entry.beside and picture.people is None:
        picture.alpha = square(decode(entry.read(entry.beside[".png"]), colour=False), size)
    picture.boxed = _boxed(entry)
    picture.unsure = _is_unsure(entry)
    return picture


def _is_unsure(entry: Entry) -> bool:
    if LABEL_SUFFIX in entry.beside:
        return json.loads(entry.read(entry.beside[LABEL_SUFFIX]))["undecided"] > LARGEST_UNDECIDED
    return ROLES.get(entry.kind, SetRole()).unsure


def _boxed(entry: Entry) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the boxes of all people and of ignored areas, (P, 4) and (I, 4), as shares 0..1 of the photo's sides.

    Return None if the entry has no boxes.
    """
    if ".boxes.json" in entry.beside:
        height, width = decode(entry.read(entry.photo), colour=False).shape
        listed, sides = json.loads(entry.read(entry.beside[".boxes.json"])), [width, height, width, height]
    else:
        listed = BOXED_BY_EYE.get(entry.kind, {}).get(entry.name.rpartition("/")[2])
        sides = [100] * 4
    if listed is None:
        return None
    people, ignored = (
        np.array(listed.get(name, []), np.float32).reshape(-1, 4) / sides for name in ("people", "ignore")
    )
    return people, ignored


def _objects(entry: Entry, size: int) -> Iterator[tuple[np.ndarray, bool | None]]:
    """Yield the largest objects of a picture, each as its alpha, (size, size) uint8, and whether it is a person.

    The latter is None if the object may be a person or not.
    """
    ids = decode(entry.read(entry.beside[".things.png"]), colour=False)
    listed = json.loads(entry.read(entry.beside[".things.json"])) if ".things.json" in entry.beside else []
    is_person = {thing["id"]: IS_PERSON.get(thing["class"], False) for thing in listed}
    found, counts = np.unique(ids[ids > 0], return_counts=True)
    for index in np.argsort(-counts)[:LARGEST_OBJECTS]:
        if counts[index] >= SMALLEST_OBJECT_SHARE * ids.size:
            mask = (ids == found[index]).astype(np.uint8) * 255
            yield square(mask, size), is_person.get(int(found[index]), False)


def load_all(listed: list[Entry], size: int, then: Callable[[Picture], Prepared]) -> Iterator[Prepared]:
    """Yield the results of `then` for the entries of a list, decoded at size x size pixels, in order.

    All cores decode and call `then`, in threads, because OpenCV releases the interpreter's lock. Only 32 entries are
    submitted at a time, so that memory does not contain all of them.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for few in batched(listed, 32):
            yield from pool.map(lambda entry: then(load(entry, size)), few)


def batched(listed: list[Entry], count: int) -> Iterator[list[Entry]]:
    """Yield the elements of a list in lists of `count` elements; the last one may be shorter."""
    for start in range(0, len(listed), count):
        yield listed[start : start + count]
