"""The bank: all pictures of the training sets in memory, compressed on a CPU, decoded on a GPU."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.data import ROLES, Entry, Picture, SetRole, load_all
from training.packed import Packed, compressed

# What is known about the people in a picture. In the last three kinds only the subject is known; other people may
# exist.
PEOPLE_CODES = {"unknown": 0, "none": 1, "one": 2, "some": 3, "marked": 4, "thing": 5, "person": 6, "people": 7}
PEOPLE_CODES |= {"deserted": PEOPLE_CODES["none"], "alone": PEOPLE_CODES["one"]}
DESERTED_WEIGHT = 0.2  # weight of a scene that is marked or boxed as without people, relative to one with people
LEAST_PERSON_SHARE = 0.01  # share of its picture: a marked scene with only smaller people counts as empty
USUAL_SUBJECT_SHARE = 0.2  # share of its picture; pictures that people take have smaller subjects than training sets
LEAST_CUTOUT_SHARE = 0.03  # share of its picture: a smaller subject would be pasted blurred
NAMED_PERSON_CUTOUT = 4.0  # weight among single people to paste; they have all postures, but hard edges
MOST_PEOPLE = 12  # maximum number of single people from one scene


@dataclass
class Bank:
    """The training pictures, S x S pixels, as tensors.

    It contains N photos with their alpha, M masks of objects, K scenes in which all people are marked, L scenes in
    which people have boxes, and E photos without a subject. Pictures and masks are uint8; the other tensors are row
    numbers, flags, weights and boxes.
    """

    photos: Packed | Tensor  # (N, S, S, 3)
    alphas: Packed | Tensor  # (N, S, S); zero where a picture has no subject
    unsure: Tensor  # (N,) whether the alpha is used only where it is near 0 or 1
    people: Tensor  # (N,) PEOPLE_CODES
    real: Tensor  # (N,) weight among whole photos
    cutout: Tensor  # (N,) weight among subjects to paste
    person_cutout: Tensor  # (N,) the same among single people
    empty: Tensor  # (E,) rows without any subject
    objects: Packed | Tensor  # (M, S, S)
    object_photo: Tensor  # (M,) row of the photo
    object_is_person: Tensor  # (M,) whether the object is known to be a person
    object_cutout: Tensor  # (M,) weight among objects to paste
    marked: Packed | Tensor  # (K, S, S) ids of people, 255 = ignore
    marked_photo: Tensor  # (K,) row of the photo
    marked_weight: Tensor  # (K,) weight among scenes with marked people
    boxed: Tensor  # (L, 2, MOST_PEOPLE, 4) boxes around all people, and around areas where people are unknown, in -1..1
    boxed_present: Tensor  # (L, 2, MOST_PEOPLE) which of the boxes exist
    boxed_photo: Tensor  # (L,) row of the photo
    boxed_weight: Tensor  # (L,) weight among scenes with boxed people

    def to(self, device: torch.device) -> "Bank":
        return Bank(**{name: value.to(device) for name, value in vars(self).items()})


def bank_from(entries: list[Entry], size: int) -> Bank:
    """Decode all entries (photos of the sets with their masks) and return them as a bank of size x size pixels.

    Raise ValueError if no photo has a subject mask.
    """
    photos, alphas = Packed(size, colour=True), Packed(size, colour=False)
    rows: list[tuple[float, ...]] = []
    unsure: list[bool] = []
    objects: list[tuple[np.ndarray, int, bool | None]] = []
    marked: list[tuple[np.ndarray, int]] = []
    boxed: list[tuple[tuple[np.ndarray, np.ndarray], int]] = []
    for row, (picture, photo, alpha) in enumerate(load_all(entries, size, _compressed)):
        photos.append(photo)
        alphas.append(alpha)
        rows.append(_known(picture))
        unsure.append(picture.unsure)
        objects += [(mask, row, person) for mask, person in picture.objects]
        if picture.people is not None:
            marked.append((picture.people, row))
        if picture.boxed is not None and len(picture.boxed[0]) <= MOST_PEOPLE:
            boxed.append((picture.boxed, row))
    known = np.array(rows, np.float32).reshape(-1, 5)
    if not known[:, 1].any():
        raise ValueError("no photo with a subject mask among the training data")
    return Bank(
        photos=photos,
        alphas=alphas,
        unsure=torch.tensor(unsure, dtype=torch.bool),
        people=torch.from_numpy(known[:, 0]).long(),
        real=torch.from_numpy(known[:, 1]),
        cutout=torch.from_numpy(known[:, 2]),
        person_cutout=torch.from_numpy(known[:, 3]),
        empty=torch.from_numpy(np.flatnonzero(known[:, 4])),
        objects=Packed.of([mask for mask, _, _ in objects], size, colour=False),
        object_photo=torch.tensor([row for _, row, _ in objects], dtype=torch.long),
        object_is_person=torch.tensor([person is True for _, _, person in objects], dtype=torch.bool),
        object_cutout=torch.tensor([_pasted(mask, person) for mask, _, person in objects]),
        marked=Packed.of([ids for ids, _ in marked], size, colour=False),
        marked_photo=torch.tensor([row for _, row in marked], dtype=torch.long),
        marked_weight=torch.tensor([1.0 if _near(ids) else DESERTED_WEIGHT for ids, _ in marked]),
        boxed=torch.from_numpy(_padded([both for both, _ in boxed])[0]),
        boxed_present=torch.from_numpy(_padded([both for both, _ in boxed])[1]),
        boxed_photo=torch.tensor([row for _, row in boxed], dtype=torch.long),
        boxed_weight=torch.tensor([1.0 if len(people) else DESERTED_WEIGHT for (people, _), _ in boxed]),
    )


def _compressed(picture: Picture) -> tuple[Picture, bytes, bytes]:
    """Return a picture with its photo and its alpha as files. Without a subject, the alpha is zero."""
    alpha = np.zeros(picture.photo.shape[:2], np.uint8) if picture.alpha is None else picture.alpha
    return picture, compressed(picture.photo), compressed(alpha)


def _pasted(mask: np.ndarray, person: bool | None) -> float:
    """Return an object's weight among objects to paste, 1 or 0.

    Objects that may be people are not pasted, because all people of a composition must be known.
    """
    return float(person is not None and (mask > 127).mean() > LEAST_CUTOUT_SHARE)


def _near(ids: np.ndarray) -> bool:
    """Return whether at least one person in a map of ids, (S, S), is large enough for training."""
    areas = np.bincount(ids[(ids > 0) & (ids < 255)], minlength=1)
    return bool(areas.max() >= LEAST_PERSON_SHARE * ids.size)


def _padded(scenes: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes of L scenes as (L, 2, MOST_PEOPLE, 4), and a bool mask of the boxes that exist.

    The coordinates of the result are -1..1.

    scenes: for each scene two arrays of boxes, with coordinates 0..1: the boxes of people, and the boxes of ignored
    areas.
    """
    boxes = np.zeros((len(scenes), 2, MOST_PEOPLE, 4), np.float32)
    present = np.zeros(boxes.shape[:3], bool)
    for scene, both in enumerate(scenes):
        for kind, listed in enumerate(both):
            listed = listed[:MOST_PEOPLE]
            boxes[scene, kind, : len(listed)] = listed * 2 - 1
            present[scene, kind, : len(listed)] = True
    return boxes, present


def _known(picture: Picture) -> tuple[float, ...]:
    """Return five numbers about a picture, which Bank stores.

    They are: its code in PEOPLE_CODES; its weight among photos, among cutouts, and among cutouts of people; 1 if the
    picture is an empty scene, else 0.
    """
    role = ROLES.get(picture.kind, SetRole())
    people = picture.subject or role.people
    share = 0.0 if picture.alpha is None else float((picture.alpha > 127).mean())
    subject = share > 0
    empty = picture.alpha is None and picture.people is None and not picture.objects and picture.kind == "background"
    person_cutout = {"one": role.cutout, "person": NAMED_PERSON_CUTOUT, "alone": NAMED_PERSON_CUTOUT}.get(people, 0.0)
    real = role.real * weight_by_share(share) if subject else 0.0
    return (PEOPLE_CODES[people], real, role.cutout * subject, person_cutout * subject, float(empty))


def weight_by_share(share: float) -> float:
    """Return the sampling weight, 0.5..4, of a subject that covers `share`, 0..1, of its picture.

    Smaller subjects get higher weights.
    """
    return min(max(USUAL_SUBJECT_SHARE / max(share, 1e-6), 0.5), 4.0)
