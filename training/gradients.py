"""Training, eighth step: the gradients of a batch, its parts worked on side by side.

On a processor one step on all cores waits, in each of its hundreds of small loops, for the slowest core. Parts of the
batch, each on one core with a network that shares the weights, wait once a step: a third faster on two idle cores,
several times faster where other programs take turns on them.
"""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Gradients(Generic[Network]):
    """Fill the gradients of `network` with the mean over `workers` parts of a batch."""

    def __init__(self, network: Network, workers: int):
        self.network = network
        self._others = [self._sharing(network) for _ in range(workers - 1)]
        self._pool = ThreadPoolExecutor(max(1, workers - 1))

    @staticmethod
    def _sharing(network: Network) -> Network:
        """Copy a network that keeps gradients and running means of its own, and the original's weights."""
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
