"""Fast gradients of depthwise convolutions for training on a CPU, without oneDNN's slow functions.

oneDNN computes the backward pass of a depthwise convolution with plain loops for a stride of 2 (gradient of the input)
and for 5x5 kernels (gradient of the weights). This takes up to eighty times the time of the forward pass. The forward
pass, and the gradient of a 3x3 kernel's weights, are fast, so all gradients are computed with these two operations.
"""

from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from segmentation.network import FoldedConvolution

MOST = 3  # the largest kernel with a fast gradient


def _weight_gradient(x: Tensor, change: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    mask = [False, True, False]
    return torch.ops.aten.convolution_backward(
        change, x, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], len(weight), mask
    )[1]


class DepthwiseConvolution(torch.autograd.Function):
    """A depthwise `conv2d` of (B, C, H, W), with fast gradients.

    The weights are (C, 1, 3, 3) or (C, 1, 5, 5), the padding is half of the kernel, and the stride is 1 or 2.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return functional.conv2d(x, weight, bias, stride, weight.shape[-1] // 2, 1, len(weight))

    @staticmethod
    def backward(ctx: Any, change: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, channels, kernel = ctx.stride, len(weight), weight.shape[-1]
        change = change.contiguous(memory_format=torch.channels_last)
        spread = change
        if stride > 1:  # a step of 2 is a step of 1 in which every other result is dropped
            spread = torch.zeros_like(x)
            spread[:, :, ::stride, ::stride] = change
        by_input = functional.conv2d(spread, weight.flip(2, 3), None, 1, kernel // 2, 1, channels)
        if kernel <= MOST:
            by_weight = _weight_gradient(x, change, weight, stride, kernel // 2)
        else:
            by_weight = _in_windows(x, change, weight, stride)
        return by_input, by_weight, change.sum((0, 2, 3), dtype=torch.float32).to(change.dtype), None


def _in_windows(x: Tensor, change: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Return the gradient of 5x5 weights. It is computed from their four 3x3 corners, which overlap in the middle."""
    padded = functional.pad(x, (2, 2, 2, 2))
    height, width = (stride * (side - 1) + 3 for side in change.shape[2:])
    corner = weight[:, :, :3, :3].contiguous()
    by_weight = torch.empty_like(weight)
    for top in (0, 2):
        for left in (0, 2):
            window = padded[:, :, top : top + height, left : left + width]
            window = window.contiguous(memory_format=torch.channels_last)
            by_weight[:, :, top : top + 3, left : left + 3] = _weight_gradient(window, change, corner, stride, 0)
    return by_weight


def convolve(x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int, dilation: int, groups: int) -> Tensor:
    """Return the depthwise convolution of x, (B, C, H, W), like `conv2d`, but with fast gradients.

    The result has the data type of `x`.

    weight: (C, 1, 3, 3) or (C, 1, 5, 5).
    stride: 1 or 2.
    padding, dilation, groups: ignored. The padding must be half of the kernel, and the dilation must be 1.
    """
    result: Tensor = DepthwiseConvolution.apply(x, weight.to(x.dtype), bias.to(x.dtype), stride)  # type: ignore[no-untyped-call]
    return result


def hasten(network: nn.Module) -> None:
    """Change a network's depthwise convolutions to use the fast gradients of `convolve`."""
    for module in network.modules():
        if isinstance(module, FoldedConvolution) and module.groups > 1:
            module.convolve = convolve
