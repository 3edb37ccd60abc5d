"""Loss functions of the mattes and of the people maps."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from training.mixture import Batch

SIDE_WEIGHTS = (0.2, 0.3)  # strides 8 and 4
EDGE_WEIGHTS = (3.0, 6.0)  # weight of a pixel whose surroundings all differ from it: at first, and late in a schedule
GRADIENT_WEIGHTS = (2.0, 3.0)  # weight of the error of the alpha's gradient, likewise
SURROUNDINGS = 15 / 352  # share of the side, in each direction
PEOPLE_WEIGHT = 0.5
BOX_WEIGHT = 2.5  # weight of the loss of the boxes, relative to that of the centres


def matte_loss(logits: Tensor, alphas: Tensor, trusted: Tensor, edges: float = 1.0) -> Tensor:
    """Return the sum of binary cross-entropy, soft IoU and gradient error, averaged over the mattes, as a scalar.

    The weight of each of the B x C mattes is its share of known pixels. If no pixel is known, the loss is 0.
    Cross-entropy and IoU are combined as in BASNet (Qin et al. 2019). Both have more weight near edges and small parts,
    as in F3Net (Wei et al. 2020). The gradient error keeps the position and the softness of edges correct.

    logits: the network's output, (B, C, H, W).
    alphas: the true alpha, (B, C, H, W).
    trusted: (B, C, H, W), 1 where the true alpha is known, else 0.
    edges: 0..1, how far the weights of edge pixels and of the gradient error have increased. At 0 they have the first
    values in EDGE_WEIGHTS and GRADIENT_WEIGHTS, at 1 the last values.
    """
    edge_weight, gradient_weight = (first + edges * (last - first) for first, last in (EDGE_WEIGHTS, GRADIENT_WEIGHTS))
    weight = trusted.mean((2, 3))
    guess = torch.sigmoid(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, alphas, reduction="none")
    told = (1 + edge_weight * (surroundings(alphas * trusted) - alphas).abs()) * trusted
    entropy = (entropy * told).sum((2, 3)) / told.sum((2, 3)).clamp(min=1)
    both = (guess * alphas * told).sum((2, 3))
    either = ((guess + alphas - guess * alphas) * told).sum((2, 3))
    overlap = 1 - (both + 1) / (either + 1)
    error = (guess - alphas) * trusted
    slopes = error.diff(dim=2).abs().mean((2, 3)) + error.diff(dim=3).abs().mean((2, 3))
    return ((entropy + overlap + gradient_weight * slopes) * weight).sum() / weight.sum().clamp(min=1)


def surroundings(alphas: Tensor) -> Tensor:
    """Return for each pixel of alphas, (B, C, H, W), the mean alpha of the square around it.

    For large pictures, the means are computed at a reduced size.
    """
    side = alphas.shape[-1]
    step = 4 if side >= 128 else 2 if side >= 64 else 1
    reach = max(1, round(side / step * SURROUNDINGS))
    means = functional.avg_pool2d(functional.avg_pool2d(alphas, step), 2 * reach + 1, 1, reach)
    return functional.interpolate(means, size=alphas.shape[-2:], mode="bilinear") if step > 1 else means


def people_targets(batch: Batch, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the heatmap of people's centres (B, h, w) and each cell's distances to its person's box (B, 4, h, w).

    The heatmap is 1 at a centre and falls to 0 around it. The distances are measured in cells from the cell's middle to
    the box's left, top, right and bottom. Each cell belongs to the person whose own heatmap is highest in this cell.

    height, width: the sizes h and w of the maps.
    """
    boxes, present = batch.people_boxes, batch.people_present
    corners = (boxes + 1) * torch.tensor([width, height, width, height], device=boxes.device) / 2  # (B, P, 4) in cells
    centres = (corners[..., :2] + corners[..., 2:]) / 2
    sizes = (corners[..., 2:] - corners[..., :2]).clamp(min=0.5)
    spread = (sizes.min(-1).values * 0.09).clamp(min=0.85)[..., None]
    rows = torch.arange(height, device=boxes.device) + 0.5
    columns = torch.arange(width, device=boxes.device) + 0.5
    down = (rows - centres[..., 1:]) / spread  # (B, P, h)
    across = (columns - centres[..., :1]) / spread  # (B, P, w)
    heat = torch.exp(-0.5 * (down[..., :, None] ** 2 + across[..., None, :] ** 2)) * present[..., None, None]
    best, owner = heat.max(1)  # (B, h, w)
    owned = corners.gather(1, owner.flatten(1)[..., None].expand(-1, -1, 4))
    left, top, right, bottom = owned.permute(0, 2, 1).reshape(-1, 4, height, width).unbind(1)
    reach = torch.stack([columns - left, rows[:, None] - top, right - columns, bottom - rows[:, None]], 1)
    return best, reach


def people_loss(maps: Tensor, batch: Batch) -> Tensor:
    """Return the focal loss of people's centres plus the weighted generalised IoU loss of their boxes, as a scalar.

    The focal loss is that of CenterNet (Zhou et al. 2019). The IoU is that of Rezatofighi et al. 2019, on distances as
    in FCOS (Tian et al. 2019). The cells nearest to a centre count as the centre. Neighbouring cells also predict the
    box, with a weight that decreases with their distance. Where other people may be visible, only the cells inside the
    boxes of known people count.

    maps: the network's people maps, (B, 5, h, w).
    """
    heat, reach = people_targets(batch, maps.shape[2], maps.shape[3])
    inside = (heat > 0) & (reach > 0).all(1)  # inside a person's box the person is known, even if others are visible
    certain = functional.adaptive_avg_pool2d(batch.people_known.float(), (maps.shape[2], maps.shape[3]))[:, 0] == 1
    known = (certain | inside).float()
    logits = maps[:, 0]
    guess = torch.sigmoid(logits)
    peak = heat > 0.7
    found = -((1 - guess) ** 2) * functional.logsigmoid(logits) * peak
    spared = -((1 - heat) ** 4) * guess**2 * functional.logsigmoid(-logits) * ~peak
    number = (peak * known).sum().clamp(min=1)
    centres = ((found + spared) * known).sum() / number
    weight = heat * ((heat > 0.3) & inside)
    boxes = ((1 - generalised_iou(maps[:, 1:].clamp(-3, 6).exp(), reach)) * weight).sum() / weight.sum().clamp(min=1)
    return centres + BOX_WEIGHT * boxes


def generalised_iou(one: Tensor, other: Tensor) -> Tensor:
    """Return the generalised IoU (B, h, w), -1..1, of two boxes per cell (Rezatofighi et al. 2019).

    one, other: (B, 4, h, w), the distances from a point inside both boxes to the left, top, right and bottom edges.
    """
    least, most = torch.minimum(one, other), torch.maximum(one, other)
    shared = (least[:, 0] + least[:, 2]) * (least[:, 1] + least[:, 3])
    hull = (most[:, 0] + most[:, 2]) * (most[:, 1] + most[:, 3])
    areas = sum((box[:, 0] + box[:, 2]) * (box[:, 1] + box[:, 3]) for box in (one, other))
    either = areas - shared
    return shared / either.clamp(min=1e-6) - (hull - either) / hull.clamp(min=1e-6)


def training_loss(outputs: tuple[Tensor, ...], batch: Batch, edges: float = 1.0) -> Tensor:
    """Return the sum of the losses of the mattes, of the coarser mattes and of the people maps, as a scalar.

    outputs: the results of KeylineUNet in training mode, including its coarser mattes (deep supervision).
    edges: as in `matte_loss`.
    """
    mattes, people, *sides = outputs
    loss = matte_loss(mattes.float(), batch.alphas, batch.trusted, edges)
    for side, weight in zip(sides, SIDE_WEIGHTS, strict=True):
        factor = mattes.shape[-1] // side.shape[-1]
        alphas = functional.avg_pool2d(batch.alphas, factor)
        trusted = functional.avg_pool2d(batch.trusted, factor)
        loss = loss + weight * matte_loss(side.float(), alphas, trusted, edges)
    return loss + PEOPLE_WEIGHT * people_loss(people.float(), batch)
