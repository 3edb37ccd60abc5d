"""Batching of concurrent requests to one session (a loaded network)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from segmentation.engines.session import Session


@dataclass(slots=True, eq=False)
class _Request:
    """One thread's request: the network's inputs, each with a batch axis, and a future that gets the outputs."""

    inputs: Sequence[np.ndarray]
    outputs: Future[list[np.ndarray]] = field(default_factory=Future)

    @property
    def pictures(self) -> int:
        return len(self.inputs[0])

    def fits(self, other: _Request) -> bool:
        """Return whether the inputs of both requests have equal types and shapes, so that they can form one batch."""
        return [(one.shape[1:], one.dtype) for one in self.inputs] == [
            (one.shape[1:], one.dtype) for one in other.inputs
        ]


class BatchingSession:
    """A wrapper that lets several threads use one session. The session runs one batch at a time.

    If the device is free, a request runs immediately and does not wait for other requests. Requests that arrive during
    a run wait until it ends. They are joined into batches of up to `max_batch` pictures, the oldest first, and one of
    the waiting threads runs each batch. With a `max_batch` of 1 the requests run one after the other: two runs at the
    same time would save no time and need twice the memory. If a run fails, the error is raised in all threads whose
    requests were in the batch.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.runtime, self.outputs, self.max_batch = session.runtime, session.outputs, session.max_batch
        self._waiting: list[_Request] = []
        self._is_busy = False
        self._changed = Condition()  # guards the two attributes above

    def run(self, *batches: np.ndarray) -> list[np.ndarray]:
        request = _Request(batches)
        with self._changed:
            self._waiting.append(request)
        try:
            while batch := self._next_batch(request):
                self._run(batch)
        finally:
            with self._changed:
                if request in self._waiting:  # an exception, such as a time limit, has ended the wait
                    self._waiting.remove(request)
        return request.outputs.result()

    def _next_batch(self, request: _Request) -> list[_Request]:
        """Wait until the device is free, then mark it busy and return the next batch.

        Return an empty list if another thread has already computed the outputs of `request`.
        """
        with self._changed:
            self._changed.wait_for(lambda: request.outputs.done() or not self._is_busy)
            if request.outputs.done():
                return []
            batch = self._oldest()
            self._is_busy = True
            return batch

    def _oldest(self) -> list[_Request]:
        """Remove and return the oldest waiting request, together with later requests that fit into the same batch."""
        first = self._waiting[0]
        batch, pictures = [first], first.pictures
        for other in self._waiting[1:]:
            if pictures + other.pictures <= self.max_batch and first.fits(other):
                batch.append(other)
                pictures += other.pictures
        self._waiting = [one for one in self._waiting if one not in batch]
        return batch

    def _run(self, batch: list[_Request]) -> None:
        """Run one batch, set the outputs or the error of each request, and wake up the waiting threads."""
        try:
            if len(batch) == 1:  # also for networks whose arrays have no batch axis
                batch[0].outputs.set_result(self._session.run(*batch[0].inputs))
                return
            inputs = [np.concatenate(parts) for parts in zip(*(one.inputs for one in batch), strict=True)]
            outputs = self._session.run(*inputs)
            ends = np.cumsum([one.pictures for one in batch])
            for one, end in zip(batch, ends, strict=True):
                # Copied, so that a cached result does not keep the outputs of the whole batch in memory.
                one.outputs.set_result([part[end - one.pictures : end].copy() for part in outputs])
        except BaseException as error:
            for one in batch:
                if not one.outputs.done():
                    one.outputs.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
