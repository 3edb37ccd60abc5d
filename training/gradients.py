"""Training, step 8: compute the gradients of a batch in parallel parts.

On a CPU, one step on all cores waits for the slowest core in each of its hundreds of small loops. If each core
processes a part of the batch, with a copy of the network that shares the weights, they wait once per step. This is a
third faster on two idle cores, and several times faster when other programs use the cores too.
"""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Gradients(Generic[Network]):
    """Set the gradients of `network` to the mean over `workers` parts of a batch."""

    def __init__(self, network: Network, workers: int):
        self.network = network
        self._others = [self._sharing(network) for _ in range(workers - 1)]
        self._pool = ThreadPoolExecutor(max(1, workers - 1))

    @staticmethod
    def _sharing(network: Network) -> Network:
        """Return a copy of a network that shares the weights and has its own gradients and running means."""
        other = copy.deepcopy(network)
        for theirs, ours in zip(other.parameters(), network.parameters(), strict=True):
            theirs.data = ours.data
        return other

    def of(self, loss_of: Callable[[Network], Tensor]) -> float:
        """Run `loss_of` once with each worker's network and return the mean of the losses."""

        def work(network: Network) -> float:
            network.zero_grad(set_to_none=True)
            loss = loss_of(network)
            loss.backward()
            return float(loss.detach())

        pending = [self._pool.submit(work, other) for other in self._others]
        losses = [work(self.network), *(done.result() for done in pending)]
        for ours, *theirs in zip(*(net.parameters() for net in (self.network, *self._others)), strict=True):
            parts = [part.grad for part in (ours, *theirs) if part.grad is not None]
            if parts:
                ours.grad = torch.stack(parts).sum(0) / len(losses)
        return sum(losses) / len(losses)
