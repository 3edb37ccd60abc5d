"""Optimisers: Muon for convolutions that are followed by batch normalisation, AdamW for all other parameters.

Muon (Jordan et al. 2024) replaces the momentum of a convolution by the nearest semi-orthogonal matrix. Because of the
batch normalisation, the layer's output does not depend on the norm of its weights. Therefore each step moves the
weights by a share of their norm and then restores the norm. The learning rate is then an angle, equal for all layers.
"""

import torch
from torch import Tensor, nn

from segmentation.network import KeylineUNet

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """Return a matrix (m, n) with its singular values moved near 1 by Newton-Schulz iterations (Jordan et al. 2024).

    The result of each iteration is a polynomial of the Gram matrix, times the matrix. The polynomials are computed on
    the small Gram matrix alone, which takes a third of the work for a 3x3 convolution.

    steps: the number of iterations.
    """
    first, third, fifth = NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    wide = wide / (wide.norm() + 1e-7)
    gram = wide @ wide.T
    identity = torch.eye(len(gram), device=gram.device)
    total = identity
    for _ in range(steps):
        factor = first * identity + third * gram + fifth * gram @ gram
        total = factor @ total
        gram = factor @ gram @ factor
    result = total @ wide
    return result.T if tall else result


class Muon(torch.optim.Optimizer):
    """Optimiser that moves weights (out, …) in the direction of the orthogonalised Nesterov momentum.

    lr: the length of a step, relative to the norm of the weights.
    """

    def __init__(self, parameters: list[Tensor], lr: float, momentum: float = 0.9):
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no closure: one gradient for each step
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["average"] = torch.zeros_like(weight)
                    state["length"] = weight.norm()
                average = state["average"].mul_(group["momentum"]).add_(weight.grad)
                ahead = weight.grad + group["momentum"] * average
                turn = orthogonalised(ahead.flatten(1)).view_as(weight)
                weight.sub_(turn * (group["lr"] * state["length"] / (turn.norm() + 1e-7)))
                weight.mul_(state["length"] / (weight.norm() + 1e-7))


def optimisers(
    network: KeylineUNet, muon_rate: float, adam_rate: float, encoder_rate: float
) -> list[torch.optim.Optimizer]:
    """Return the two optimisers, Muon and AdamW, with the network's parameters.

    Each parameter group stores its highest learning rate in `peak`.

    muon_rate: the highest learning rate of Muon.
    adam_rate: the highest learning rate of AdamW for all parameters except those of the encoder.
    encoder_rate: the highest learning rate of AdamW for the encoder.
    """
    turned: list[Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            for layer, after in zip(module, list(module)[1:], strict=False):
                if isinstance(layer, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                    turned.append(layer.weight)
    encoder = list(network.encoder.parameters())
    placed = {id(parameter) for parameter in (*turned, *encoder)}
    others = [parameter for parameter in network.parameters() if id(parameter) not in placed]
    muon = Muon(turned, muon_rate)
    adam = torch.optim.AdamW(
        [{"params": encoder, "lr": encoder_rate}, {"params": others, "lr": adam_rate}],
        betas=(0.9, 0.99),
        weight_decay=0.0,
        fused=True,
    )
    for optimiser in (muon, adam):
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return [muon, adam]
