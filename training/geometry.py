"""Crops, placements and prompt planes of training pictures as affine maps, in batches on the device.

Coordinates are defined as in `torch.nn.functional.affine_grid` with align_corners=False: a picture reaches from -1
to 1 in both directions. A rectangle is (x0, y0, x1, y1) in these units, shape (B, 4).
"""

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

FOUND_SHARE = 0.25  # probability that a box imitates a box that a network has detected


def uniform(count: int, low: float, high: float, device: torch.device) -> Tensor:
    return torch.empty(count, device=device).uniform_(low, high)


def chance(count: int, probability: float, device: torch.device) -> Tensor:
    return torch.rand(count, device=device) < probability


def mask_boxes(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rectangle around the pixels above 0.5 of each mask, (B, 4), and whether the mask has such pixels.

    masks: (B, H, W).
    """
    solid = masks > 0.5
    rows, columns = solid.any(2), solid.any(1)

    def span(line: Tensor) -> tuple[Tensor, Tensor]:
        size = line.shape[1]
        first = line.float().argmax(1)
        past = size - line.flip(1).float().argmax(1)
        return first * 2 / size - 1, past * 2 / size - 1

    (y0, y1), (x0, x1) = span(rows), span(columns)
    return torch.stack([x0, y0, x1, y1], 1), rows.any(1)


def random_crops(count: int, smallest: float, device: torch.device) -> Tensor:
    """Return `count` random rectangles (B, 4) inside the picture.

    smallest: the shortest side of a rectangle, approximately, as a share of the picture's side.
    """
    scale = uniform(count, smallest, 1, device)
    half_width = (scale * uniform(count, 0.8, 1.25, device)).clamp(max=1)
    half_height = scale
    x = uniform(count, -1, 1, device) * (1 - half_width)
    y = uniform(count, -1, 1, device) * (1 - half_height)
    return torch.stack([x - half_width, y - half_height, x + half_width, y + half_height], 1)


def wider_views(count: int, most: float, device: torch.device) -> Tensor:
    """Return `count` random rectangles (B, 4) around the whole picture.

    most: the longest side of a rectangle, as a share of the picture's side; above 1.
    """
    half = uniform(count, 1, most, device)
    x = uniform(count, -1, 1, device) * (half - 1)
    y = uniform(count, -1, 1, device) * (half - 1)
    return torch.stack([x - half, y - half, x + half, y + half], 1)


def crops_around(boxes: Tensor, least_margin: float, most_margin: float) -> Tensor:
    """Return the boxes (B, 4) after each edge was moved outwards by a random margin, clipped to the picture.

    least_margin, most_margin: the limits of the margin, as shares of the box's sides.
    """
    sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    outward = torch.tensor([-1.0, -1.0, 1.0, 1.0], device=boxes.device)
    margin = torch.empty_like(boxes).uniform_(least_margin, most_margin)
    return (boxes + outward * margin * sides).clamp(-1, 1)


def jittered(boxes: Tensor, share: float = 0.08) -> Tensor:
    """Return the boxes (B, 4) with randomly moved edges, because prompt boxes are inexact.

    Most boxes imitate hand-drawn boxes, which are usually too large. With the probability FOUND_SHARE, a box imitates a
    box that a network has detected: its edges are moved further, and equally often inwards and outwards.

    share: the largest outward movement of an edge of a hand-drawn box, as a share of the box's sides.
    """
    sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    outward = torch.tensor([-1.0, -1.0, 1.0, 1.0], device=boxes.device)
    by_hand = torch.empty_like(boxes).uniform_(-0.3 * share, share)
    by_network = torch.empty_like(boxes).uniform_(-0.25, 0.25)
    found = chance(len(boxes), FOUND_SHARE, boxes.device)[:, None]
    return boxes + outward * torch.where(found, by_network, by_hand) * sides


def maps(shown: Tensor, mirror: Tensor, angle: Tensor) -> Tensor:
    """Return affine maps (B, 2, 3) that show the rectangles `shown` (B, 4) of the source in the whole output.

    mirror: (B,), whether to mirror.
    angle: (B,), the rotation in radians.
    """
    centre = (shown[:, :2] + shown[:, 2:]) / 2
    half = (shown[:, 2:] - shown[:, :2]) / 2
    flip = 1 - 2 * mirror.float()
    cosine, sine = angle.cos(), angle.sin()
    first = torch.stack([half[:, 0] * flip * cosine, -half[:, 0] * sine, centre[:, 0]], 1)
    second = torch.stack([half[:, 1] * flip * sine, half[:, 1] * cosine, centre[:, 1]], 1)
    return torch.stack([first, second], 1)


def warp(pictures: Tensor, affine: Tensor, size: int, padding: str = "reflection", mode: str = "bilinear") -> Tensor:
    """Return pictures (B, C, S, S) sampled with the affine maps (B, 2, 3), as (B, C, size, size).

    Bilinear sampling reads at most four pixels, so a picture that becomes less than half as large is first reduced by
    averaging. Otherwise its fine detail would become noise.

    padding, mode: the arguments `padding_mode` and `mode` of `torch.nn.functional.grid_sample`.
    """
    grid = functional.affine_grid(affine, [len(pictures), 1, size, size], align_corners=False)
    result = functional.grid_sample(pictures, grid, mode=mode, padding_mode=padding, align_corners=False)
    if mode != "bilinear":
        return result
    steps = affine[:, :, :2].norm(dim=1).amin(1) * pictures.shape[-1] / size  # pixels of the source per pixel
    for factor, until in ((2, 4.0), (4, math.inf)):
        if len(rows := ((steps >= factor) & (steps < until)).nonzero()[:, 0]):
            smaller = functional.avg_pool2d(pictures[rows], factor)
            result[rows] = functional.grid_sample(
                smaller, grid[rows], mode=mode, padding_mode=padding, align_corners=False
            )
    return result


def seen_through(boxes: Tensor, shown: Tensor, mirror: Tensor) -> Tensor:
    """Return the boxes (B, P, 4) of pictures in the coordinates of a view of each picture.

    shown: (B, 4), the rectangle of each picture that its view shows.
    mirror: (B,), whether the view is mirrored.
    """
    centre = ((shown[:, :2] + shown[:, 2:]) / 2)[:, None].repeat(1, 1, 2)
    half = ((shown[:, 2:] - shown[:, :2]) / 2)[:, None].repeat(1, 1, 2)
    x0, y0, x1, y1 = ((boxes - centre) / half).unbind(-1)
    flipped = mirror[:, None]
    return torch.stack([torch.where(flipped, -x1, x0), y0, torch.where(flipped, -x0, x1), y1], -1)


def inside_any(boxes: Tensor, present: Tensor, size: int) -> Tensor:
    """Return for each picture a grid of `size` x `size` cells, (B, size, size) bool.

    A cell is True if its centre is inside at least one of the picture's boxes.

    boxes: (B, P, 4).
    present: (B, P) bool, which of the boxes exist.
    """
    cells = (torch.arange(size, device=boxes.device) + 0.5) * 2 / size - 1
    x0, y0, x1, y1 = (side[..., None] for side in boxes.unbind(-1))
    across = (cells >= x0) & (cells <= x1) & present[..., None]
    down = (cells >= y0) & (cells <= y1)
    return (down[..., :, None] & across[..., None, :]).any(1)


def placements(boxes: Tensor, centres: Tensor, half_sides: Tensor) -> Tensor:
    """Return the rectangle (B, 4) of each source picture that the output must show to place a box as required.

    The boxes keep their shape except for a small random stretch.

    boxes: (B, 4), the boxes in the source pictures.
    centres: (B, 2), the required centres of the boxes in the output.
    half_sides: (B,), half of the required length of each box's longer side in the output.
    """
    box_centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    box_half = ((boxes[:, 2:] - boxes[:, :2]) / 2).clamp(min=0.02)
    stretch = torch.exp(uniform(len(boxes), -0.15, 0.15, boxes.device))
    factor = box_half.max(1).values / half_sides
    factors = torch.stack([factor * stretch, factor / stretch], 1)  # source units per output unit
    middle = box_centre - centres * factors
    return torch.cat([middle - factors, middle + factors], 1)


def prompt_planes(boxes: Tensor, prompted: Tensor, size: int) -> Tensor:
    """Return the box planes (B, 1, size, size): +1 inside the box and -1 outside if `prompted` (B,) is 1, else 0."""
    inside = inside_any(boxes[:, None], torch.ones_like(prompted, dtype=torch.bool)[:, None], size)
    return ((inside.float() * 2 - 1) * prompted[:, None, None])[:, None]


def small_angles(count: int, share: float, device: torch.device) -> Tensor:
    """Return random rotations (B,) in radians, of up to 12 degrees.

    share: the share of the pictures that are rotated. The rotation of all others is 0.
    """
    return uniform(count, -math.pi / 15, math.pi / 15, device) * chance(count, share, device)
