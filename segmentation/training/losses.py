"""Training, sixth step: what the network is asked to lower."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from .mixture import Batch

SIDE_WEIGHTS = (0.2, 0.3)  # strides 8 and 4
PEOPLE_WEIGHT = 0.4


def matte_loss(logits: Tensor, alphas: Tensor, trusted: Tensor) -> Tensor:
    """Sum binary cross-entropy, soft IoU, and the absolute error of the gradient, over what is trusted.

    Cross-entropy and IoU together as in BASNet (Qin et al. 2019); the gradient term holds edges where they are and as
    soft as they are. All tensors (B, C, H, W); returns a scalar: the mean over the trusted mattes.
    """
    weight = trusted.mean((2, 3))
    guess = torch.sigmoid(logits)
    area = trusted.sum((2, 3)).clamp(min=1)
    entropy = functional.binary_cross_entropy_with_logits(logits, alphas, reduction="none")
    entropy = (entropy * trusted).sum((2, 3)) / area
    guess, alphas = guess * trusted, alphas * trusted
    both = (guess * alphas).sum((2, 3))
    either = (guess + alphas - guess * alphas).sum((2, 3))
    overlap = 1 - (both + 1) / (either + 1)
    error = guess - alphas
    edges = error.diff(dim=2).abs().mean((2, 3)) + error.diff(dim=3).abs().mean((2, 3))
    return ((entropy + overlap + 2 * edges) * weight).sum() / weight.sum().clamp(min=1)


def people_targets(batch: Batch, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the centre heatmap (B, h, w), log sizes in cells (B, 2, h, w) and where these count (B, h, w)."""
    boxes, present = batch.people_boxes, batch.people_present
    cells = torch.tensor([width, height], device=boxes.device) / 2
    centres = ((boxes[..., :2] + boxes[..., 2:]) / 2 + 1) * cells  # (B, P, 2) in cells
    sizes = ((boxes[..., 2:] - boxes[..., :2]) * cells).clamp(min=0.5)
    spread = (sizes.min(-1).values * 0.09).clamp(min=0.85)[..., None]
    down = (torch.arange(height, device=boxes.device) + 0.5 - centres[..., 1:]) / spread  # (B, P, h)
    across = (torch.arange(width, device=boxes.device) + 0.5 - centres[..., :1]) / spread  # (B, P, w)
    heat = torch.exp(-0.5 * (down[..., :, None] ** 2 + across[..., None, :] ** 2)) * present[..., None, None]
    best, owner = heat.max(1)  # (B, h, w)
    logs = sizes.log().gather(1, owner.flatten(1)[..., None].expand(-1, -1, 2))
    logs = logs.permute(0, 2, 1).reshape(-1, 2, height, width)
    return best, logs, (best > 0.5).float()


def people_loss(maps: Tensor, batch: Batch) -> Tensor:
    """Penalty-reduced focal loss of the centres and L1 of the log sizes (CenterNet, Zhou et al. 2019).

    The cells nearest to a centre count as the centre. `maps` is (B, 3, h, w).
    """
    heat, sizes, counted = people_targets(batch, maps.shape[2], maps.shape[3])
    known = batch.people_known.float()[:, None, None]
    logits = maps[:, 0]
    guess = torch.sigmoid(logits)
    peak = heat > 0.7
    found = -((1 - guess) ** 2) * functional.logsigmoid(logits) * peak
    spared = -((1 - heat) ** 4) * guess**2 * functional.logsigmoid(-logits) * ~peak
    number = (peak * known).sum().clamp(min=1)
    centres = ((found + spared) * known).sum() / number
    counted = counted * known
    distance = ((maps[:, 1:] - sizes).abs().sum(1) * counted).sum() / counted.sum().clamp(min=1)
    return centres + 0.5 * distance


def training_loss(outputs: tuple[Tensor, ...], batch: Batch) -> Tensor:
    """Combine the loss of the mattes, of their coarser versions (deep supervision) and of the people maps."""
    mattes, people, *sides = outputs
    loss = matte_loss(mattes.float(), batch.alphas, batch.trusted)
    for side, weight in zip(sides, SIDE_WEIGHTS, strict=True):
        factor = mattes.shape[-1] // side.shape[-1]
        alphas = functional.avg_pool2d(batch.alphas, factor)
        trusted = functional.avg_pool2d(batch.trusted, factor)
        loss = loss + weight * matte_loss(side.float(), alphas, trusted)
    return loss + PEOPLE_WEIGHT * people_loss(people.float(), batch)
