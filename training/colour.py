"""Effects of cameras, light and compression on training photos, computed in batches on the device.

The functions that change photos take and return (B, 3, H, W) float RGB 0..1.
"""

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

from training.geometry import chance


def photographed(photos: Tensor) -> Tensor:
    """Return the photos with random changes of light, contrast, colour, sharpness, compression and noise."""
    count, device = len(photos), photos.device

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return torch.empty(count, channels, 1, device=device).uniform_(low, high)

    mean, contrast, light = photos.mean((1, 2, 3))[:, None, None], draw(0.6, 1.5), draw(-0.16, 0.16)
    saturation = draw(0.3, 1.6) * (1 - chance(count, 0.1, device).float())[:, None, None]
    tint = draw(0.86, 1.16, channels=3)
    # All of this is linear in RGB, so one matrix and one shift of each picture are enough. Mean and light are gray.
    matrix = contrast * tint * (saturation * torch.eye(3, device=device) + (1 - saturation) / 3)
    shift = tint * (mean * (1 - contrast) + light)
    photos = torch.baddbmm(shift, matrix, photos.flatten(2)).view_as(photos).clamp_(0, 1)
    if torch.rand(()) < 0.35:
        photos = softened(photos)
    if torch.rand(()) < 0.25:
        photos = compressed(photos)
    return (photos + torch.randn_like(photos) * draw(0, 0.03)[..., None]).clamp_(0, 1)


def softened(photos: Tensor) -> Tensor:
    """Return the photos with less detail, like enlarged thumbnails."""
    factor = float(torch.empty(()).uniform_(0.4, 0.8))
    height, width = photos.shape[2:]
    smaller = round(height * factor), round(width * factor)  # a factor alone would move the content away from its mask
    small = functional.interpolate(photos, size=smaller, mode="bilinear", antialias=True)
    return functional.interpolate(small, size=photos.shape[2:], mode="bilinear")


def cosine_basis(device: torch.device) -> Tensor:
    """Return the orthonormal matrix (8, 8) of the discrete cosine transform DCT-II."""
    index = torch.arange(8, device=device, dtype=torch.float32)
    basis = torch.cos(math.pi / 8 * (index[None] + 0.5) * index[:, None]) / 2
    basis[0] /= math.sqrt(2)
    return basis


def compressed(photos: Tensor) -> Tensor:
    """Return the photos with errors like those of JPEG compression (ITU-T T.81).

    The cosine coefficients of 8 x 8 blocks are rounded. Coefficients of fine detail are rounded more coarsely. The
    sides must be multiples of 8. The resolution of colour is not reduced, because at these sizes only the block
    artefacts are visible.
    """
    count, channels, height, width = photos.shape
    basis = cosine_basis(photos.device)
    index = torch.arange(8, device=photos.device)
    step = (1 + index[:, None] + index[None]) * float(torch.empty(()).uniform_(0.004, 0.03))
    blocks = photos.reshape(count, channels, height // 8, 8, width // 8, 8).permute(0, 1, 2, 4, 3, 5)
    coefficients = basis @ blocks @ basis.T
    blocks = basis.T @ ((coefficients / step).round() * step) @ basis
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(photos.shape).clamp(0, 1)
