"""Computation of a batch's gradients in parallel parts.

On a CPU, a step that uses all cores waits for the slowest core in each of its hundreds of small loops. If each core
processes a part of the batch, with a copy of the network that shares the weights, the cores wait for each other only
once per step. This is a third faster on two idle cores, and several times faster when other programs use the cores too.
"""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Gradients(Generic[Network]):
    """Computation of a network's gradients in parallel.

    The gradients are the mean over `workers` parts of a batch. Each part is computed in its own thread.
    """

    def __init__(self, network: Network, workers: int):
        self.network = network
        self._others = [self._sharing(network) for _ in range(workers - 1)]
        self._pool = ThreadPoolExecutor(max(1, workers - 1))

    @staticmethod
    def _sharing(network: Network) -> Network:
        """Return a copy of the network that shares its weights but has its own gradients and running means."""
        other = copy.deepcopy(network)
        for theirs, ours in zip(other.parameters(), network.parameters(), strict=True):
            theirs.data = ours.data
        return other

    def share_buffers(self) -> None:
        """Copy the network's buffers (the running means of batch normalisation) to the workers' copies."""
        for other in self._others:
            for theirs, ours in zip(other.buffers(), self.network.buffers(), strict=True):
                theirs.copy_(ours)

    def of(self, loss_of: Callable[[Network], Tensor]) -> float:
        """Call `loss_of` once per worker, and return the mean of the losses.

        Set the gradients of `network` to the mean of the workers' gradients.

        loss_of: a function that gets the worker's copy of the network, draws one part of a batch, and returns its loss.
        """

        def work(network: Network) -> float:
            network.zero_grad(set_to_none=True)
            loss = loss_of(network)
            loss.backward()
            return float(loss.detach())

        pending = [self._pool.submit(work, other) for other in self._others]
        losses = [work(self.network), *(done.result() for done in pending)]
        for other in self._others:
            self._add(other)
        torch._foreach_div_([ours.grad for ours in self.network.parameters() if ours.grad is not None], len(losses))
        return sum(losses) / len(losses)

    def together(self, *tasks: Callable[[], object]) -> None:
        """Call functions that do not use the same tensors, in parallel if there is more than one worker."""
        if not self._others:
            for task in tasks:
                task()
            return
        pending = [self._pool.submit(task) for task in tasks[1:]]
        tasks[0]()
        for done in pending:
            done.result()

    def _add(self, other: Network) -> None:
        """Add the gradients of a copy to those of the network. A parameter can have no gradient in one of them."""
        sums, parts = [], []
        for ours, theirs in zip(self.network.parameters(), other.parameters(), strict=True):
            if ours.grad is None:
                ours.grad = theirs.grad
            elif theirs.grad is not None:
                sums.append(ours.grad)
                parts.append(theirs.grad)
        if sums:
            torch._foreach_add_(sums, parts)
