"""Training, step 7: Muon for convolutions before batch normalisation, AdamW for all other parameters.

Muon (Jordan et al. 2024) replaces a convolution's momentum by the nearest semi-orthogonal matrix. Batch normalisation
makes the layer's output independent of the weight's length. So each step here moves the weight by a share of its own
length and then restores that length: the learning rate is an angle, the same for every layer.
"""

import torch
from torch import Tensor, nn

from segmentation.network import KeylineUNet

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """Bring the singular values of a matrix (m, n) near 1 by Newton-Schulz iteration (Jordan et al. 2024).

    All iterates are polynomials of the Gram matrix times the matrix. Computing them on the small Gram matrix alone
    takes a third of the work for a 3x3 convolution.
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
    """Move weights (out, …) by `lr` of their length along the orthogonalised Nesterov momentum."""

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
                weight.add_(turn, alpha=-group["lr"] * float(state["length"] / (turn.norm() + 1e-7)))
                weight.mul_(state["length"] / (weight.norm() + 1e-7))


def optimisers(
    network: KeylineUNet, muon_rate: float, adam_rate: float, encoder_rate: float
) -> list[torch.optim.Optimizer]:
    """Assign each parameter to an optimiser; each group stores its highest rate in `peak`."""
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
    )
    for optimiser in (muon, adam):
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return [muon, adam]
