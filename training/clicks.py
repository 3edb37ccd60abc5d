"""Simulated clicks of a user who selects a target (the subject to cut out) and sees the network's current result.

The first click is inside the target, and each further click is in the largest error, as in RITM (Sofiiuk et al. 2022).
A click is a keep click where the target is missing, and a remove click where something else is included.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor

from segmentation.engines.prompts import click_radius
from segmentation.network import KeylineUNet

from .geometry import chance
from .mixture import Batch

LEAST_ERROR = 0.002  # share of the picture's area: smaller errors get no click
CELL_PX = 4  # clicks are chosen on a coarser grid
BLUR_SHARE = 0.1  # share of the side: the surroundings whose error counts as one
BOX_ALONE, FIRST_CLICK, AUTO = 0.45, 0.25, 0.15  # shares of the targets with a box
PHOTO_CLICK, PHOTO_CORRECTED = 0.1, 0.15  # shares of the whole photos
CORRECTED_AGAIN = 0.7  # share of the targets with a click that get another click
ROUNDS = (0.2, 0.5, 0.2, 0.1)  # how often a batch is corrected 0, 1, 2, 3 times, as shares


def drawn_clicks(planes: Tensor, points: Tensor, signs: Tensor, clicked: Tensor) -> Tensor:
    """Return the click planes (B, H, W) with a new disc in each plane for which `clicked` (B,) is True.

    Where discs overlap, the new disc is visible.

    points: (B, 2), row and column of the new disc's centre in pixels.
    signs: (B,), +1 to keep or -1 to remove.
    """
    height, width = planes.shape[1:]
    radius = click_radius(width)
    down = torch.arange(height, device=planes.device) + 0.5 - points[:, :1]
    across = torch.arange(width, device=planes.device) + 0.5 - points[:, 1:]
    disc = down[:, :, None] ** 2 + across[:, None, :] ** 2 <= radius**2
    return torch.where(disc & clicked[:, None, None], signs[:, None, None], planes)


def place_clicks(wrong: Tensor, interior: Tensor) -> Tensor:
    """Return for each sample a random point inside an error and far from its border: (B, 2), row and column in pixels.

    wrong: (B, 1, H, W), 1 where the network's result is wrong.
    interior: the same map or a smoother one. A high mean around a pixel shows that the pixel is far from the border.
    """
    coarse = functional.avg_pool2d(wrong, CELL_PX)
    reach = max(1, round(BLUR_SHARE * coarse.shape[-1] / 2))
    depth = functional.avg_pool2d(functional.avg_pool2d(interior, CELL_PX), 2 * reach + 1, 1, reach)
    depth = depth * (coarse >= 0.5 * coarse.amax((2, 3), keepdim=True))
    near = depth * (depth >= 0.8 * depth.amax((2, 3), keepdim=True)) + 1e-9
    cell = torch.multinomial(near.flatten(1), 1)[:, 0]
    columns = coarse.shape[-1]
    corner = torch.stack([cell // columns, cell % columns], 1).float()
    return (corner + torch.rand_like(corner)) * CELL_PX


@torch.no_grad()
def prompt_planes(network: KeylineUNet, features: list[Tensor], batch: Batch) -> Tensor:
    """Return the prompt planes (B, 3, H, W) for the target of each sample: its box, clicks, both, or no prompt.

    The kind of prompt is random. The planes are described in segmentation.network.

    network: the network that computes the intermediate results. The clicks correct these results.
    features: the feature maps of the batch's photos.
    """
    count, _, height, width = batch.photos.shape
    device = batch.photos.device
    box, clicks, before = batch.plane.clone(), *batch.photos.new_zeros(2, count, height, width)
    boxed = box.abs().amax((1, 2, 3)) > 0
    drawn = torch.rand(count, device=device)
    first = torch.where(boxed, (drawn >= BOX_ALONE) & (drawn < BOX_ALONE + FIRST_CLICK), drawn < PHOTO_CLICK)
    photo_corrected = (drawn >= PHOTO_CLICK) & (drawn < PHOTO_CLICK + PHOTO_CORRECTED)
    corrected = torch.where(boxed, drawn >= BOX_ALONE + FIRST_CLICK, photo_corrected)
    first, corrected = first & batch.clickable, corrected & batch.clickable
    unboxed = first | (corrected & boxed & (drawn < BOX_ALONE + FIRST_CLICK + AUTO))
    box = torch.where(unboxed[:, None, None, None], 0, box)
    target = (batch.alphas[:, :1] > 0.5).float()
    if first.any():
        clicks = drawn_clicks(clicks, place_clicks(target, target), torch.ones(count, device=device), first)
    corrected = corrected | (first & chance(count, CORRECTED_AGAIN, device))
    rounds = int(torch.multinomial(torch.tensor(ROUNDS), 1))
    for _ in range(rounds):
        if not corrected.any():
            break
        planes = torch.cat([box, clicks[:, None], before[:, None]], 1)[corrected]
        found = answered(network, [level[corrected] for level in features], planes)
        before = before.index_put((corrected,), found[:, 0] * 2 - 1)
        wrong = ((found > 0.5).float() != target[corrected]).float() * batch.trusted[corrected, :1]
        missing = _value_at(target[corrected], points := place_clicks(wrong, wrong)) > 0.5
        enough = wrong.mean((1, 2, 3)) >= LEAST_ERROR
        signs = torch.where(missing, 1.0, -1.0)
        clicks = clicks.index_put((corrected,), drawn_clicks(clicks[corrected], points, signs, enough))
        corrected = corrected & chance(count, CORRECTED_AGAIN, device)
    return torch.cat([box, clicks[:, None], before[:, None]], 1)


def answered(network: KeylineUNet, features: list[Tensor], planes: Tensor) -> Tensor:
    """Return the alpha (B, 1, H, W) that the network computes for these prompts. The network's state does not change.

    features: the feature maps of the photos.
    planes: the prompt planes, (B, 3, H, W).
    """
    training, kind = network.training, planes.device.type
    features = [level.contiguous(memory_format=torch.channels_last) for level in features]
    network.eval()
    # Without a cache, because weights that were cast without gradients would be reused by the pass that needs
    # gradients.
    with torch.autocast(
        kind, torch.get_autocast_dtype(kind), enabled=torch.is_autocast_enabled(kind), cache_enabled=False
    ):
        mattes = network.decode(features, planes)[0]
    network.train(training)
    return torch.sigmoid(mattes[:, :1].float())


def _value_at(maps: Tensor, points: Tensor) -> Tensor:
    rows, columns = points.long().unbind(1)
    height, width = maps.shape[2:]
    return maps[torch.arange(len(maps)), 0, rows.clamp(max=height - 1), columns.clamp(max=width - 1)]
