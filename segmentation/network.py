"""Stage 6, model: the built-in network, a small U-Net from photo (and optional boxes) to mattes and people.

Input   (B, 4, H, W) float, H and W multiples of 32. Channels 0-2: RGB in 0..1, ImageNet-normalised. Channel 3: the
        prompt plane, 0 everywhere without a prompt, else +1 inside the box or boxes and -1 outside.
Output  mattes (B, 2, H, W): logits of the alpha of the subject (with a prompt: of what the boxes hold) and of people;
        people (B, 3, H/8, W/8): logit of a person's box centre, log width, log height (in cells of 8 pixels).

The shape is a residual encoder (He et al. 2016), pyramid pooling (Zhao et al. 2017) at its deepest level, and a U-Net
decoder (Ronneberger et al. 2015); the people maps follow CenterNet (Zhou et al. 2019).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from safetensors.torch import load_file
from torch import Tensor, nn

from .errors import WeightsInvalid

MULTIPLE = 32
PEOPLE_STRIDE = 8


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network; the manifest beside a weight file carries the same fields."""

    widths: tuple[int, ...] = (24, 40, 72, 144, 224)  # channels at strides 2, 4, 8, 16, 32
    depths: tuple[int, ...] = (2, 2, 5, 4)  # residual blocks at strides 4, 8, 16, 32
    pool_bins: tuple[int, ...] = (1, 2, 4)
    people_width: int = 48


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Build convolution, batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.first = convolution(inputs, outputs, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity()
        if inputs != outputs or stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.second(self.first(x)) + self.shortcut(x))


def bin_means(bins: int, size: int) -> Tensor:
    """Return the (bins, size) matrix that averages `size` cells into `bins`, as adaptive average pooling does.

    A matrix product exports to every runtime at every size; adaptive pooling to a grid that does not divide does not.
    """
    matrix = torch.zeros(bins, size)
    for index in range(bins):
        first, past = index * size // bins, -(-(index + 1) * size // bins)
        matrix[index, first:past] = 1 / (past - first)
    return matrix


class PyramidPool(nn.Module):
    """Let every cell see the picture's mean, and the means of its halves and quarters."""

    def __init__(self, width: int, pool_bins: tuple[int, ...]):
        super().__init__()
        self.pool_bins = pool_bins
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width // 4, 1), nn.ReLU(inplace=True)) for _ in pool_bins
        )
        self.fuse = convolution(width + len(pool_bins) * (width // 4), width, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = int(x.shape[-2]), int(x.shape[-1])
        levels = [x]
        for bins, branch in zip(self.pool_bins, self.branches, strict=True):
            rows, columns = bin_means(bins, height).to(x), bin_means(bins, width).to(x)
            pooled = branch(rows @ x @ columns.T)  # (B, C/4, bins, bins)
            levels.append(functional.interpolate(pooled, (height, width), mode="bilinear"))
        return self.fuse(torch.cat(levels, 1))


class KeylineUNet(nn.Module):
    """The built-in network; in training mode it also returns the coarser mattes at strides 8 and 4."""

    def __init__(self, config: NetworkConfig = NetworkConfig()):
        super().__init__()
        self.config = config
        widths = config.widths
        self.stem = convolution(4, widths[0], stride=2)
        self.down = nn.ModuleList(
            nn.Sequential(Residual(inputs, outputs, stride=2), *(Residual(outputs, outputs) for _ in range(depth - 1)))
            for inputs, outputs, depth in zip(widths, widths[1:], config.depths, strict=False)
        )
        # The prompt also enters at every depth: through the stem alone, the deep cells would have to learn to carry it.
        self.prompt = nn.ModuleList(nn.Conv2d(1, width, 1, bias=False) for width in widths[1:])
        self.context = PyramidPool(widths[-1], config.pool_bins)
        self.up = nn.ModuleList(
            convolution(deep + shallow, shallow) for deep, shallow in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.mattes = nn.Conv2d(widths[0], 2 * 4, 3, 1, 1)  # four sub-pixels of each matte, at stride 2
        self.people = nn.Sequential(convolution(widths[2], config.people_width), nn.Conv2d(config.people_width, 3, 1))
        self.side_mattes = nn.ModuleList(nn.Conv2d(width, 2, 3, 1, 1) for width in (widths[2], widths[1]))
        self._start_gently()

    def _start_gently(self) -> None:
        """Begin with silent prompts, with no people, and with every repeated block as the identity."""
        for layer in self.prompt:
            nn.init.zeros_(layer.weight)
        nn.init.constant_(self.people[-1].bias[:1], -4.0)  # sigmoid 0.02: focal loss starts calm (Lin et al. 2017)
        for stage in self.down:
            for block in stage[1:]:
                nn.init.zeros_(block.second[1].weight)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        plane = x[:, 3:]
        features = [self.stem(x)]  # (B, w0, H/2, W/2)
        for depth, (stage, prompt) in enumerate(zip(self.down, self.prompt, strict=True)):
            stride = 4 << depth
            features.append(stage(features[-1]) + prompt(functional.avg_pool2d(plane, stride)))  # (B, w, H/s, W/s)
        y = self.context(features[-1])
        decoded = []
        for up, skip in zip(self.up, reversed(features[:-1]), strict=True):
            size = (int(skip.shape[-2]), int(skip.shape[-1]))
            y = up(torch.cat([functional.interpolate(y, size, mode="bilinear"), skip], 1))
            decoded.append(y)  # strides 16, 8, 4, 2
        mattes = functional.pixel_shuffle(self.mattes(y), 2)  # (B, 2, H, W)
        people = self.people(decoded[1])  # (B, 3, H/8, W/8)
        if not self.training:
            return mattes, people
        return mattes, people, self.side_mattes[0](decoded[1]), self.side_mattes[1](decoded[2])


def load_network(path: Path) -> KeylineUNet:
    """Load weights, `.safetensors` or `.pth`, into the network that the manifest beside them describes.

    Returns the network in evaluation mode, in float32. Raises WeightsInvalid naming the keys that are missing or not
    expected, the shapes that differ, or what else is wrong with the file.
    """
    weights = _read(path)
    network = KeylineUNet(_config_beside(path))
    expected = network.state_dict()
    faults = [f"missing {name}" for name in expected if name not in weights]
    faults += [f"unexpected {name}" for name in weights if name not in expected]
    faults += [
        f"{name} has shape {tuple(weights[name].shape)} instead of {tuple(value.shape)}"
        for name, value in expected.items()
        if name in weights and weights[name].shape != value.shape
    ]
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise WeightsInvalid(f"{path.name} does not fit the network: {'; '.join(faults[:5])}{more}.")
    network.load_state_dict({name: value.to(expected[name].dtype) for name, value in weights.items()})
    return network.eval()


def _read(path: Path) -> dict[str, Tensor]:
    """Read named tensors; a `.pth` file is never allowed to run code."""
    try:
        weights = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # garbage makes the unpickler stumble in every way there is
        raise WeightsInvalid(f"{path.name} is not a readable checkpoint.") from error
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise WeightsInvalid(f"{path.name} does not hold a dictionary of tensors.")
    return weights


def _config_beside(path: Path) -> NetworkConfig:
    """Read `config` from the manifest; without a manifest the network is of the usual size."""
    manifest = path.with_suffix(".json")
    if not manifest.exists():
        return NetworkConfig()
    try:
        return config_from_json(json.loads(manifest.read_text(encoding="utf-8")).get("config", {}))
    except (ValueError, AttributeError, TypeError) as error:
        raise WeightsInvalid(f"The manifest {manifest.name} has no usable config.") from error


def config_from_json(values: dict[str, Any]) -> NetworkConfig:
    """Build a config from a manifest's object; raises TypeError for names that the config does not have."""
    return NetworkConfig(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
