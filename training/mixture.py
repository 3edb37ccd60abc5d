"""Random training batches of whole photos, subjects with boxes, compositions, scenes with people and empty scenes.

The functions that return a batch take pictures from `bank`, and return `count` samples of size x size pixels. A prompt
is a box or clicks that select the subject.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

from training.bank import MOST_PEOPLE, PEOPLE_CODES, Bank
from training.colour import photographed
from training.data import UNDECIDED
from training.packed import Packed

from . import geometry

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
OBJECT_SHARE = 0.25  # share of the pasted subjects that are countable objects or people marked one by one
CLOSE_SHARE = 0.12  # share of the pasted people that are close to the camera
FURTHER_SHARE = 0.3  # share of whole photos that are reduced: real pictures have smaller subjects than training sets
PERSON_OBJECT_WEIGHT = 1.5  # weight of a person among objects, relative to a thing: people stand beside people
ROUGH_SHARE = 1 / 64  # share of the side: how far from its outline an object's polygon is not used


@dataclass(frozen=True)
class Mixture:
    """The shares of the kinds of samples in a batch. Their sum is 1."""

    photos: float = 0.40  # whole photos, most without a prompt
    boxed: float = 0.12  # subjects of photos, by box or clicks
    composites: float = 0.18
    objects: float = 0.12  # countable objects, by box or clicks
    marked: float = 0.06  # scenes with marked people, or marked as without people; people only
    counted: float = 0.07  # scenes in which all people are boxed
    empty: float = 0.05


@dataclass
class Batch:
    """A batch of B training samples. The fields `people_*` describe the boxes of single people."""

    photos: Tensor  # (B, 3, H, W) 0..1
    plane: Tensor  # (B, 1, H, W) the plane of the box
    alphas: Tensor  # (B, 2, H, W) subject, people
    trusted: Tensor  # (B, 2, H, W) 1 where the alpha is known
    people_boxes: Tensor  # (B, MOST_PEOPLE, 4) rectangles in -1..1
    people_present: Tensor  # (B, MOST_PEOPLE) which of the boxes exist
    people_known: Tensor  # (B, 1, H, W) whether the boxes include all single people there
    clickable: Tensor  # (B,) whether the subject is one thing that clicks can select

    def normalised(self) -> Tensor:
        """Return the photos as input of the network, (B, 3, H, W), normalised with ImageNet's mean and deviation."""
        mean = torch.tensor(IMAGENET_MEAN, device=self.photos.device)[:, None, None]
        std = torch.tensor(IMAGENET_STD, device=self.photos.device)[:, None, None]
        return ((self.photos - mean) / std).contiguous(memory_format=torch.channels_last)


def drawn(weights: Tensor, count: int) -> Tensor:
    return torch.multinomial(weights, count, replacement=True)


def photos_at(bank: Bank, rows: Tensor) -> Tensor:
    return bank.photos[rows].permute(0, 3, 1, 2).float() / 255


def alphas_at(masks: Packed | Tensor, rows: Tensor) -> Tensor:
    return masks[rows][:, None].float() / 255


def _sample(
    photos: Tensor, plane: Tensor, subject: Tensor, people: Tensor, subject_known: Tensor, people_known: Tensor
) -> Batch:
    """Return a batch without boxes of people.

    subject_known, people_known: (B,), whether the alpha of the subject and of people is known, for all pixels of a
    sample.
    """
    count, _, height, width = photos.shape
    known = torch.stack([subject_known.float(), people_known.float()], 1)[:, :, None, None]
    return Batch(
        photos=photos,
        plane=plane,
        alphas=torch.cat([subject, people], 1),
        trusted=known.expand(count, 2, height, width).clone(),
        people_boxes=photos.new_zeros(count, MOST_PEOPLE, 4),
        people_present=torch.zeros(count, MOST_PEOPLE, dtype=torch.bool, device=photos.device),
        people_known=torch.zeros(count, 1, height, width, dtype=torch.bool, device=photos.device),
        clickable=torch.zeros(count, dtype=torch.bool, device=photos.device),
    )


def _set_people(batch: Batch, masks: Tensor, is_person: Tensor, known: Tensor) -> Batch:
    """Set the boxes of people that cover more than 0.2 % of the picture in a batch, and return the batch.

    masks: (B, L, H, W), one object per layer. is_person: (B, L), whether the object is a person.
    known: (B,), whether the layers contain all people of the picture.
    """
    for layer in range(masks.shape[1]):
        boxes, present = geometry.mask_boxes(masks[:, layer])
        visible = masks[:, layer].mean((1, 2)) > 0.002
        batch.people_boxes[:, layer] = boxes
        batch.people_present[:, layer] = present & visible & is_person[:, layer]
    batch.people_known |= known[:, None, None, None]
    return batch


def whole_photos(bank: Bank, count: int, size: int) -> Batch:
    """Return a batch of photos with their main subject and no prompt. Most photos are cropped, others are reduced."""
    device = bank.people.device
    rows = drawn(bank.real, count)
    photos, alphas = photos_at(bank, rows), alphas_at(bank.alphas, rows)
    mirror = geometry.chance(count, 0.5, device)
    shown, turned = geometry.random_crops(count, 0.55, device), geometry.small_angles(count, 0.4, device)
    near = geometry.warp(torch.cat([photos, alphas], 1), geometry.maps(shown, mirror, turned), size)
    further = geometry.chance(count, FURTHER_SHARE, device)
    if further.any():
        # The photo's border is extended to the edge of the view; this area is marked as empty.
        wide = geometry.maps(geometry.wider_views(count, 1.8, device), mirror, torch.zeros(count, device=device))[
            further
        ]
        far = geometry.warp(photos[further], wide, size, padding="border")
        near[further] = torch.cat([far, geometry.warp(alphas[further], wide, size, padding="zeros")], 1)
    return _of_subject(bank, rows, near, near.new_zeros(count, 1, size, size))


def _is(bank: Bank, rows: Tensor, *kinds: str) -> Tensor:
    """Return for each row (B,) of the bank whether its code in PEOPLE_CODES is the code of one of `kinds`."""
    return torch.isin(bank.people[rows], torch.tensor([PEOPLE_CODES[kind] for kind in kinds], device=rows.device))


def _of_subject(bank: Bank, rows: Tensor, both: Tensor, plane: Tensor) -> Batch:
    alpha, one = both[:, 3:], _is(bank, rows, "one")
    is_people = _is(bank, rows, "one", "some", "person", "people")
    known = _is(bank, rows, "one", "some", "none")
    batch = _sample(both[:, :3], plane, alpha, alpha * is_people[:, None, None, None], torch.ones_like(known), known)
    inside = _is(bank, rows, "thing", "person", "people")[:, None, None, None]
    batch.trusted[:, 1:] = torch.where(inside, (alpha > 0.5).float(), batch.trusted[:, 1:])
    between = ((alpha > UNDECIDED[0]) & (alpha < UNDECIDED[1])) & bank.unsure[rows][:, None, None, None]
    batch.trusted = torch.where(between, 0, batch.trusted)
    batch.clickable = (alpha > 0.5).flatten(1).any(1)
    return _set_people(batch, alpha, _is(bank, rows, "one", "person")[:, None], one | _is(bank, rows, "none"))


def _boxed(photos: Tensor, alphas: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return photos with their alphas, (B, 3 + C, size, size), and the planes of inexact boxes, (B, 1, size, size).

    Each box surrounds the subject. About half of the photos are cropped around it.
    photos: (B, 3, S, S). alphas: (B, C, S, S); the first alpha is that of the subject.
    """
    count, device = len(photos), photos.device
    boxes, _ = geometry.mask_boxes(alphas[:, 0])
    near = geometry.crops_around(boxes, 0.05, 0.6)
    wide = geometry.random_crops(count, 0.75, device)
    shown = torch.where(geometry.chance(count, 0.5, device)[:, None], near, wide)
    affine = geometry.maps(shown, geometry.chance(count, 0.5, device), geometry.small_angles(count, 0.2, device))
    both = geometry.warp(torch.cat([photos, alphas], 1), affine, size)
    seen, present = geometry.mask_boxes(both[:, 3])
    return both, geometry.prompt_planes(geometry.jittered(seen), present.float(), size)


def boxed_photos(bank: Bank, count: int, size: int) -> Batch:
    """Return a batch of photos. The prompt of each photo is an inexact box around its subject."""
    rows = drawn(bank.real, count)
    both, plane = _boxed(photos_at(bank, rows), alphas_at(bank.alphas, rows), size)
    return _of_subject(bank, rows, both, plane)


def boxed_objects(bank: Bank, count: int, size: int) -> Batch:
    """Return a batch of single objects, each with an inexact box as prompt; the rest of the scene is background."""
    chosen = drawn(1 + PERSON_OBJECT_WEIGHT * bank.object_is_person, count)
    photos = photos_at(bank, bank.object_photo[chosen])
    both, plane = _boxed(photos, alphas_at(bank.objects, chosen), size)
    present = plane.abs().amax((1, 2, 3)) > 0
    alpha = both[:, 3:]
    unknown = torch.zeros_like(present)
    batch = _sample(both[:, :3], plane, alpha, torch.zeros_like(alpha), present, unknown)
    batch.trusted[:, :1] *= 1 - near_outline(alpha, ROUGH_SHARE)
    batch.clickable = present
    return batch


def near_outline(alphas: Tensor, share: float) -> Tensor:
    """Return a mask (B, 1, H, W) float: 1 near an edge of the alpha, where polygons of objects are inexact, else 0.

    alphas: (B, 1, H, W). An edge is where alpha crosses 0.5.
    share: the largest distance to the edge, as a share of the picture's width; at least one pixel.
    """
    reach = max(1, round(share * alphas.shape[-1]))
    both = torch.cat([alphas > 0.5, alphas <= 0.5], 1).float()
    rows = functional.max_pool2d(both, (2 * reach + 1, 1), 1, (reach, 0))
    return functional.max_pool2d(rows, (1, 2 * reach + 1), 1, (0, reach)).prod(1, keepdim=True)


def marked_people(bank: Bank, count: int, size: int) -> Batch:
    """Return a batch of scenes in which all people are marked by masks. The main subject of such a scene is unknown."""
    device = bank.people.device
    chosen = drawn(bank.marked_weight, count)
    shown = geometry.random_crops(count, 0.6, device)
    affine = geometry.maps(shown, geometry.chance(count, 0.5, device), torch.zeros(count, device=device))
    photos = geometry.warp(photos_at(bank, bank.marked_photo[chosen]), affine, size)
    ids = geometry.warp(bank.marked[chosen][:, None].float(), affine, size, mode="nearest")
    person = ((ids > 0) & (ids < 255)).float()
    nothing = torch.zeros_like(person)
    unknown = torch.zeros(count, dtype=torch.bool, device=device)
    batch = _sample(photos, nothing, nothing, person, unknown, ~unknown)
    batch.trusted[:, 1:] = (ids < 255).float()
    masks = torch.cat([(ids == number + 1).float() for number in range(MOST_PEOPLE)], 1)
    batch.people_known = ids <= MOST_PEOPLE
    return _set_people(batch, masks, torch.ones(masks.shape[:2], dtype=torch.bool, device=device), unknown)


def counted_people(bank: Bank, count: int, size: int) -> Batch:
    """Return a batch of scenes in which all people have boxes.

    People's alpha is the alpha of the photo's subject inside the boxes. The subject's alpha itself is not trained.
    """
    device = bank.people.device
    chosen = drawn(bank.boxed_weight, count)
    rows = bank.boxed_photo[chosen]
    shown, mirror = geometry.random_crops(count, 0.6, device), geometry.chance(count, 0.5, device)
    affine = geometry.maps(shown, mirror, torch.zeros(count, device=device))
    both = geometry.warp(torch.cat([photos_at(bank, rows), alphas_at(bank.alphas, rows)], 1), affine, size)
    boxes = geometry.seen_through(bank.boxed[chosen].flatten(1, 2), shown, mirror).unflatten(1, (2, MOST_PEOPLE))
    inside = torch.stack([geometry.inside_any(boxes[:, k], bank.boxed_present[chosen, k], size) for k in (0, 1)], 1)
    is_people = ((both[:, 3] > 0.5) & inside[:, 0])[:, None]
    nothing, unknown = torch.zeros_like(both[:, 3:]), torch.zeros(count, dtype=torch.bool, device=device)
    batch = _sample(both[:, :3], nothing, nothing, is_people.float(), unknown, unknown)
    batch.trusted[:, 1:] = (is_people | ~inside.any(1, keepdim=True)).float()
    within = boxes[:, 0].clamp(-1, 1)
    sides = within[..., 2:] - within[..., :2]
    batch.people_boxes = within
    batch.people_present = bank.boxed_present[chosen, 0] & (sides.amin(-1) > 0.02) & (sides.prod(-1) / 4 > 0.004)
    batch.people_known = ~inside[:, 1:]
    return batch


def empty_scenes(bank: Bank, count: int, size: int) -> Batch:
    """Return a batch of pictures without a subject and without people."""
    device = bank.people.device
    rows = bank.empty[torch.randint(len(bank.empty), (count,), device=device)]
    shown = geometry.random_crops(count, 0.4, device)
    turned = torch.zeros(count, device=device)
    affine = geometry.maps(shown, geometry.chance(count, 0.5, device), turned)
    photos = geometry.warp(photos_at(bank, rows), affine, size)
    nothing = photos.new_zeros(count, 1, size, size)
    certain = torch.ones(count, dtype=torch.bool, device=device)
    batch = _sample(photos, nothing, nothing, nothing, certain, certain)
    batch.people_known[:] = True
    return batch


def composites(bank: Bank, count: int, size: int) -> Batch:
    """Return a batch of compositions: one to three subjects pasted onto an empty scene or onto a photo with a subject.

    With a prompt, one visible subject is the target and the others are background. Without a prompt, which occurs only
    on empty scenes, all subjects are the target. In half of the compositions only people are pasted. They overlap and
    have very different sizes.
    """
    device = bank.people.device
    photos, layers, is_person, certain, crowded = _base(bank, count, size)
    only_people = geometry.chance(count, 0.5, device)
    places = torch.rand(count, 3, device=device).argsort(1)
    for layer in range(3):
        cutouts, person, known = _cutouts(bank, only_people)
        pasted = geometry.chance(count, 1.0 if layer == 0 else 0.6, device)
        both = _placed(cutouts, places[:, layer], person, size)
        alpha = both[:, 3:] * pasted[:, None, None, None]
        light = torch.empty(count, 3, 1, 1, device=device).uniform_(0.85, 1.15)
        photos = (both[:, :3] * light).clamp(0, 1) * alpha + photos * (1 - alpha)
        layers = torch.cat([layers * (1 - alpha), alpha], 1)
        is_person = torch.cat([is_person, person[:, None]], 1)
        certain &= known | ~pasted
    return _composed(photos, layers, is_person, certain, crowded)


def _base(bank: Bank, count: int, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return base photos for compositions, with what is known about their subjects.

    The result is: photos (B, 3, size, size), alphas of the subjects (B, 1, size, size), whether the subject is a person
    (B, 1), whether it is known which subjects are people (B,), and whether there is a subject (B,).
    """
    device = bank.people.device
    crowded = geometry.chance(count, 0.4, device)
    scenes = bank.empty[torch.randint(len(bank.empty), (count,), device=device)]
    rows = torch.where(crowded, drawn(bank.real, count), scenes)
    shown = geometry.random_crops(count, 0.6, device)
    affine = geometry.maps(shown, geometry.chance(count, 0.5, device), torch.zeros(count, device=device))
    both = geometry.warp(torch.cat([photos_at(bank, rows), alphas_at(bank.alphas, rows)], 1), affine, size)
    certain = _is(bank, rows, "one", "none")
    return both[:, :3], both[:, 3:], _is(bank, rows, "one", "person")[:, None], certain, crowded


def _cutouts(bank: Bank, only_people: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return subjects to paste, (B, 4, S, S) with alpha.

    Also return whether each subject is a single person (B,), and whether this is known (B,).
    """
    count, device = len(only_people), only_people.device
    rows = _either(only_people, bank.person_cutout, bank.cutout)
    both = torch.cat([photos_at(bank, rows), alphas_at(bank.alphas, rows)], 1)
    person, known = _is(bank, rows, "one", "person"), _is(bank, rows, "one", "person", "none", "thing")
    people = bank.object_cutout * bank.object_is_person
    marked = geometry.chance(count, OBJECT_SHARE if people.any() else 0.0, device)
    if marked.any():
        chosen = _either(only_people, people, bank.object_cutout)[marked]
        photos = photos_at(bank, bank.object_photo[chosen])
        both[marked] = torch.cat([photos, alphas_at(bank.objects, chosen)], 1)
        person[marked], known[marked] = bank.object_is_person[chosen], True
    return both, person, known


def _either(first: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Return rows (B,) of the bank, drawn with the weights `one` where `first` (B,) is True, and else with `other`.

    If all weights of one tensor are 0, the other tensor is used for all rows.
    """
    one, other = (one if one.any() else other), (other if other.any() else one)
    return torch.where(first, drawn(one, len(first)), drawn(other, len(first)))


def _placed(cutouts: Tensor, places: Tensor, person: Tensor, size: int) -> Tensor:
    """Return layers (B, 4, size, size), each with a cutout (B, 4, S, S) at its left, middle or right, at many scales.

    Some people are so large that only their upper part is visible. places: (B,), 0, 1 or 2 for left, middle or right.
    """
    count, device = len(cutouts), cutouts.device
    boxes, _ = geometry.mask_boxes(cutouts[:, 3])
    close = person & geometry.chance(count, CLOSE_SHARE, device)
    half_sides = torch.exp(geometry.uniform(count, -1.6, -0.05, device) + close * 1.2)
    across = (places - 1) * 0.55 + geometry.uniform(count, -0.3, 0.3, device)
    down = torch.where(close, geometry.uniform(count, -0.9, -0.2, device) + half_sides, 0)
    down = torch.where(close, down, geometry.uniform(count, -0.35, 0.35, device))
    shown = geometry.placements(boxes, torch.stack([across, down], 1), half_sides)
    affine = geometry.maps(shown, geometry.chance(count, 0.5, device), geometry.small_angles(count, 0.4, device))
    return geometry.warp(cutouts, affine, size, padding="zeros")


def _composed(photos: Tensor, layers: Tensor, is_person: Tensor, certain: Tensor, crowded: Tensor) -> Batch:
    """Return the batch of compositions: choose the target of each composition, and set the boxes of its people."""
    count, size = len(photos), photos.shape[-1]
    visible = (layers.mean((2, 3)) > 0.008).float()
    pick = torch.multinomial(visible + 1e-6, 1)[:, :, None, None].expand(-1, -1, size, size)
    one, union = layers.gather(1, pick), layers.sum(1, keepdim=True).clamp(0, 1)
    boxes, present = geometry.mask_boxes(one[:, 0])
    prompted = (crowded | geometry.chance(count, 0.45, photos.device)) & present
    plane = geometry.prompt_planes(geometry.jittered(boxes), prompted.float(), size)
    people = (layers * is_person[:, :, None, None]).sum(1, keepdim=True).clamp(0, 1)
    subject = torch.where(prompted[:, None, None, None], one, union)
    batch = _sample(photos, plane, subject, people, prompted | ~crowded, certain)
    batch.clickable = prompted
    return _set_people(batch, layers, is_person, certain)


SOURCES = {
    "photos": whole_photos,
    "boxed": boxed_photos,
    "composites": composites,
    "objects": boxed_objects,
    "marked": marked_people,
    "counted": counted_people,
    "empty": empty_scenes,
}


def possible(mixture: Mixture, bank: Bank) -> dict[str, float]:
    """Return the shares of the kinds of samples that this bank can provide; their sum is 1.

    The keys are the names of Mixture's fields. A kind without pictures gets the share 0.
    """
    shares = dict(vars(mixture))
    if not len(bank.empty):
        shares |= {"composites": 0.0, "empty": 0.0}
    if not (bank.cutout.any() or bank.person_cutout.any()):
        shares["composites"] = 0.0
    if not len(bank.objects):
        shares["objects"] = 0.0
    if not len(bank.marked):
        shares["marked"] = 0.0
    if not len(bank.boxed_photo):
        shares["counted"] = 0.0
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def draw(bank: Bank, shares: dict[str, float], count: int, size: int) -> Batch:
    """Return a random batch of `count` samples at size x size pixels. shares: the result of `possible`."""
    kinds = torch.multinomial(torch.tensor(list(shares.values())), count, replacement=True)
    parts = [
        SOURCES[name](bank, number, size)
        for index, name in enumerate(shares)
        if (number := int((kinds == index).sum()))
    ]
    batch = Batch(**{name: torch.cat([getattr(part, name) for part in parts]) for name in vars(parts[0])})
    batch.photos = photographed(batch.photos)
    return batch
