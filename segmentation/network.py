"""The built-in network: a small U-Net that computes mattes and people maps from a photo and optional prompts.

Input   photo (B, 3, H, W) float, H and W multiples of 32, RGB in 0..1, ImageNet-normalised; and prompt planes
        (B, P, H, W), P = `config.prompt_planes`:
        0  box: 0 everywhere without a box, else +1 inside the box or boxes and -1 outside;
        1  clicks: +1 on the disc of a keep click, -1 on the disc of a remove click, 0 elsewhere;
        2  the matte before the last click, as 2 * alpha - 1; 0 everywhere if there is none.
        A network with one prompt plane accepts only boxes, and the plane enters the encoder. With three planes, they
        enter the decoder, so that a photo's features can be reused for any number of prompts.
Output  mattes (B, 2, H, W): logits of the alpha of the subject (with a prompt: the selected subject) and of people;
        people (B, 5, H/8, W/8): the logit that a person's box centre lies in the cell, and the natural logarithms of
        the distances from the cell's middle to the box's left, top, right and bottom edges (in cells of 8 pixels).

The encoder is EfficientNet-Lite (Tan & Le 2019, without squeeze-and-excitation, with ReLU6), built from inverted
residuals (Sandler et al. 2018). Its deepest level is followed by pyramid pooling (Zhao et al. 2017), self-attention
(Vaswani et al. 2017), which spreads prompts over the picture, and a U-Net decoder (Ronneberger et al. 2015). People are
found by their centres as in CenterNet (Zhou et al. 2019), with the four distances of FCOS (Tian et al. 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

MULTIPLE = 32
PEOPLE_STRIDE = 8
KERNELS = (3, 3, 5, 3, 5, 5, 3)  # kernel sizes of the encoder's seven stages
STRIDES = (1, 2, 2, 2, 1, 2, 1)
SKIPS = (0, 1, 2, 4)  # the last stages at strides 2, 4, 8 and 16; the seventh ends at 32


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network's layers. The field `config` of a weight file's manifest contains them."""

    stem_width: int = 32
    widths: tuple[int, ...] = (16, 24, 48, 88, 120, 208, 352)  # channels of the encoder's stages
    depths: tuple[int, ...] = (1, 3, 3, 4, 4, 5, 1)  # inverted residuals of each stage
    expansion: int = 6
    pool_bins: tuple[int, ...] = (1, 2, 4)
    context_width: int = 192
    decoder_widths: tuple[int, ...] = (32, 48, 80, 128)  # channels of the decoder at strides 2, 4, 8, 16
    people_width: int = 64
    prompt_planes: int = (
        1  # 1: boxes, which enter the encoder; 3: boxes, clicks and the previous matte, which enter the decoder
    )
    prompt_widths: tuple[int, ...] = (16, 24, 32, 48, 64)  # channels read from the three planes, at strides 2 to 32
    attention_blocks: int = 0  # at stride 32
    attention_heads: int = 4

    @property
    def is_clickable(self) -> bool:
        """Return whether the network takes clicks, which means three prompt planes that enter the decoder."""
        return self.prompt_planes == 3


def convolution(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    """Return a module that applies a convolution, batch normalisation and ReLU, without a change of the picture's size.

    inputs, outputs: the numbers of channels. kernel: the side of the square kernel, an odd number.
    """
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _zeroed(layer: nn.Conv2d | nn.Linear) -> nn.Conv2d | nn.Linear:
    """Set the weights and the bias of a layer to zero and return it; before training, its output is then zero."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class FoldedConvolution(nn.Module):
    """A convolution that includes a frozen batch normalisation: weights are multiplied by `scale`, `shift` is the bias.

    Scale and shift of each output channel are separate parameters, so that they can have their own learning rate.

    inputs, outputs: the numbers of channels. kernel: the side of the square kernel. groups: as in `torch.nn.Conv2d`.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.scale = nn.Parameter(torch.ones(outputs))
        self.shift = nn.Parameter(torch.zeros(outputs))
        self.stride, self.padding, self.groups = stride, kernel // 2, groups
        self.convolve: Callable[..., Tensor] = functional.conv2d
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale[:, None, None, None]
        return self.convolve(x, weight, self.shift, self.stride, self.padding, 1, self.groups)


class InvertedResidual(nn.Module):
    """A 1x1 convolution to more channels, a depthwise convolution, and a 1x1 convolution to fewer channels.

    The input is added to the output if both have the same shape.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        middle = inputs * expansion
        self.widen = FoldedConvolution(inputs, middle) if expansion > 1 else None
        self.filter = FoldedConvolution(middle, middle, kernel, stride, groups=middle)
        self.narrow = FoldedConvolution(middle, outputs)
        self.shortcut = stride == 1 and inputs == outputs
        self.drop = 0.0  # how often training drops all but the shortcut
        if self.shortcut:  # the values added to the shortcut start small, so that many consecutive blocks stay stable
            nn.init.constant_(self.narrow.scale, 0.2)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self.widen(x), inplace=True) if self.widen else x
        y = self.narrow(functional.relu6(self.filter(y), inplace=True))
        if not self.shortcut:
            return y
        if self.training and self.drop:
            kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop
            y = y * (kept.to(y.dtype) / (1 - self.drop))
        return x + y


class Encoder(nn.Module):
    """EfficientNet-Lite without its classifier. It returns feature maps at strides 2, 4, 8, 16 and 32."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.prompted = not config.is_clickable
        self.stem = FoldedConvolution(4 if self.prompted else 3, config.stem_width, kernel=3, stride=2)
        self.stages = nn.ModuleList()
        inputs = config.stem_width
        for index, (outputs, depth) in enumerate(zip(config.widths, config.depths, strict=True)):
            expansion = config.expansion if index else 1
            stage = nn.Sequential()
            for block in range(depth):
                stride = STRIDES[index] if block == 0 else 1
                stage.append(InvertedResidual(inputs, outputs, KERNELS[index], stride, expansion))
                inputs = outputs
            self.stages.append(stage)
        if self.prompted:  # the prompt also enters at every depth, so the deep cells need not learn to transport it
            self.prompt = nn.ModuleList(_zeroed(nn.Conv2d(1, width, 1, bias=False)) for width in config.widths[1:])

    def forward(self, x: Tensor) -> list[Tensor]:
        plane = x[:, 3:]
        features = []
        x = functional.relu6(self.stem(x), inplace=True)  # (B, stem, H/2, W/2)
        for index, stage in enumerate(self.stages):
            x = stage(x)  # (B, w, H/s, W/s)
            if self.prompted and STRIDES[index] == 2:
                plane = functional.avg_pool2d(plane, 4 if index == 1 else 2)
            if self.prompted and index:
                x = x + self.prompt[index - 1](plane)
            features.append(x)
        return [features[index] for index in (*SKIPS, -1)]


class PromptReader(nn.Module):
    """Module that computes features of prompt planes (B, 3, H, W), at strides 2 to 32, for the decoder.

    Before training, all features are 0, so that a network trained without prompts can learn to use them.
    """

    def __init__(self, planes: int, widths: tuple[int, ...], outputs: tuple[int, ...]):
        super().__init__()
        self.read = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, width, 3, 2, 1), nn.ReLU(inplace=True))
            for inputs, width in zip((planes, *widths[:-1]), widths, strict=True)
        )
        self.tell = nn.ModuleList(_zeroed(nn.Conv2d(width, out, 1)) for width, out in zip(widths, outputs, strict=True))

    def forward(self, planes: Tensor) -> list[Tensor]:
        told = []
        for read, tell in zip(self.read, self.tell, strict=True):
            planes = read(planes)
            told.append(tell(planes))
        return told  # strides 2, 4, 8, 16, 32


class Attention(nn.Module):
    """Self-attention over all cells of a feature map (B, C, h, w): a transformer block.

    Before training it returns its input unchanged.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.position = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.before = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        for layer in (self.position, self.out, self.narrow):
            _zeroed(layer)

    def forward(self, x: Tensor) -> Tensor:
        count, width, rows, columns = (int(side) for side in x.shape)
        x = x + self.position(x)  # the zeros beyond the border encode where a cell is
        tokens = x.flatten(2).transpose(1, 2)  # (B, h*w, C)
        parts = self.query_key_value(self.before(tokens))
        parts = parts.view(count, rows * columns, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])  # (B, heads, h*w, C/heads)
        tokens = tokens + self.out(seen.transpose(1, 2).reshape(count, rows * columns, width))
        tokens = tokens + self.narrow(functional.gelu(self.widen(self.between(tokens)), approximate="tanh"))
        return tokens.transpose(1, 2).reshape(count, width, rows, columns)


def bin_means(bins: int, size: int) -> Tensor:
    """Return the (bins, size) matrix that averages `size` cells into `bins` cells, like adaptive average pooling.

    All runtimes can compute a matrix product. Adaptive pooling cannot be exported if `size` is not divisible by `bins`.
    """
    matrix = torch.zeros(bins, size)
    for index in range(bins):
        first, past = index * size // bins, -(-(index + 1) * size // bins)
        matrix[index, first:past] = 1 / (past - first)
    return matrix


class PyramidPool(nn.Module):
    """Pyramid pooling: each cell also gets the means of large parts of the picture.

    For each number n in `pool_bins`, the picture is divided into n x n parts.
    """

    def __init__(self, inputs: int, outputs: int, pool_bins: tuple[int, ...]):
        super().__init__()
        self.pool_bins = pool_bins
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, outputs // 4, 1), nn.ReLU(inplace=True)) for _ in pool_bins
        )
        self.fuse = convolution(inputs + len(pool_bins) * (outputs // 4), outputs, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = int(x.shape[-2]), int(x.shape[-1])
        levels = [x]
        for bins, branch in zip(self.pool_bins, self.branches, strict=True):
            rows, columns = bin_means(bins, height).to(x), bin_means(bins, width).to(x)
            pooled = branch(rows @ x @ columns.T)  # (B, C/4, bins, bins)
            levels.append(functional.interpolate(pooled, (height, width), mode="bilinear"))
        return self.fuse(torch.cat(levels, 1))


def in_channels_last(x: Tensor) -> Tensor:
    """Return a tensor (B, C, H, W) in memory order (B, H, W, C)."""
    return x.contiguous(memory_format=torch.channels_last)


class KeylineUNet(nn.Module):
    """The built-in network. In training mode it also returns coarser mattes, at strides 8 and 4."""

    def __init__(self, config: NetworkConfig = NetworkConfig()):
        super().__init__()
        self.config = config
        narrow = config.decoder_widths
        self.encoder = Encoder(config)
        self.context = nn.Sequential(
            PyramidPool(config.widths[-1], config.context_width, config.pool_bins),
            convolution(config.context_width, config.context_width),
        )
        deep = (*narrow[1:], config.context_width)  # channels of the upsampled features at strides 2, 4, 8, 16
        skips = [config.widths[index] for index in SKIPS]
        if config.is_clickable:
            self.prompts = PromptReader(config.prompt_planes, config.prompt_widths, (*deep, config.context_width))
        self.attention = nn.Sequential(
            *(Attention(config.context_width, config.attention_heads) for _ in range(config.attention_blocks))
        )
        self.up = nn.ModuleList(
            nn.Sequential(convolution(below + skip, width), *(convolution(width, width) for _ in range(again)))
            for below, skip, width, again in zip(deep, skips, narrow, (0, 0, 1, 1), strict=True)
        )
        self.mattes = nn.Conv2d(narrow[0], 2 * 4, 3, 1, 1)  # four sub-pixels of each matte, at stride 2
        self.people = nn.Sequential(
            convolution(narrow[2], config.people_width),
            convolution(config.people_width, config.people_width),
            maps := nn.Conv2d(config.people_width, 5, 1),
        )
        assert maps.bias is not None
        nn.init.constant_(maps.bias[:1], -4.0)  # sigmoid 0.02: focal loss starts with small gradients (Lin et al. 2017)
        self.side_mattes = nn.ModuleList(nn.Conv2d(width, 2, 3, 1, 1) for width in (narrow[2], narrow[1]))

    def encode(self, photos: Tensor) -> list[Tensor]:
        """Return the feature maps of photos (B, 3, H, W): skip connections at strides 2 to 16, context at stride 32.

        A network with one prompt plane takes it as the fourth channel of `photos`.
        """
        *skips, y = self.encoder(photos)
        return [*skips, self.context(y)]

    def decode(self, features: list[Tensor], planes: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return mattes and people maps, computed from a photo's features and prompt planes (B, 3, H, W).

        planes: the prompt planes; None for a network that takes no clicks.

        The module's docstring describes the results' shapes. In training mode, the coarser mattes are returned too.
        """
        *skips, y = features  # (B, context, H/32, W/32)
        told: list[Tensor | float] = [0.0] * 5
        if planes is not None:
            told = list(self.prompts(planes))
            y = y + told[4]
        y = self.attention(y)
        decoded = []
        for up, skip, prompt in zip(reversed(self.up), reversed(skips), reversed(told[:4]), strict=True):
            size = (int(skip.shape[-2]), int(skip.shape[-1]))
            y = functional.interpolate(y, size, mode="bilinear") + prompt
            if y.requires_grad:  # because the gradient of `cat` is a slice, which is ten times as slow here
                y.register_hook(in_channels_last)
            y = up(torch.cat([y, skip], 1))
            decoded.append(y)  # strides 16, 8, 4, 2
        mattes = functional.pixel_shuffle(self.mattes(y), 2)  # (B, 2, H, W)
        people = self.people(decoded[1])  # (B, 5, H/8, W/8)
        if not self.training:
            return mattes, people
        return mattes, people, self.side_mattes[0](decoded[1]), self.side_mattes[1](decoded[2])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run encoder and decoder on photo and prompt planes as one input, (B, 3 + P, H, W)."""
        if self.config.is_clickable:
            return self.decode(self.encode(x[:, :3]), x[:, 3:])
        return self.decode(self.encode(x))
