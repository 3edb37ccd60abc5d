"""The common interface of the runtimes: a loaded network that takes arrays and returns arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from segmentation.engines.batching import BatchingSession
from segmentation.errors import InferenceFailed, WeightsInvalid


class Session(Protocol):
    """A loaded network.

    runtime: the runtime's name.
    outputs: the names of the arrays that `run` returns, in order.
    max_batch: the largest number of pictures in one run.
    """

    runtime: str
    outputs: tuple[str, ...]
    max_batch: int

    def run(self, *batches: np.ndarray) -> list[np.ndarray]:
        """Run the network and return one array per output, float32 or integer, in the order of `outputs`.

        batches: one float32 array per input, with the pictures on the first axis.
        """


class GuardedSession:
    """A session that several threads can use at the same time (see BatchingSession).

    It converts all exceptions of the runtime to InferenceFailed.
    """

    def __init__(self, session: Session) -> None:
        self._session = BatchingSession(session)
        self.runtime = session.runtime
        self.outputs = session.outputs
        self.max_batch = session.max_batch

    def run(self, *batches: np.ndarray) -> list[np.ndarray]:
        try:
            return self._session.run(*(np.ascontiguousarray(batch) for batch in batches))
        except Exception as error:
            raise InferenceFailed from error

    def run_many(self, inputs: Sequence[Sequence[np.ndarray]]) -> list[list[np.ndarray]]:
        """Run the network on several pictures, in batches of at most `max_batch`.

        inputs: for each picture, the arrays that the network takes, without batch axis.

        Return for each picture the arrays that the network outputs, without batch axis. Raise InferenceFailed when the
        runtime fails.
        """
        answers: list[list[np.ndarray]] = []
        for start in range(0, len(inputs), self.max_batch):
            outputs = self.run(*(np.stack(one) for one in zip(*inputs[start : start + self.max_batch], strict=True)))
            answers += [list(one) for one in zip(*outputs, strict=True)]
        return answers

    def index_of(self, output: int | str) -> int:
        """Return the index of an output, given its name or index.

        Raise WeightsInvalid if the network has no such output.
        """
        count = len(self.outputs)
        if isinstance(output, str):
            if output in self.outputs:
                return self.outputs.index(output)
        elif -count <= output < count:
            return output % count
        raise WeightsInvalid(f"The network has no output {output!r}; it has {', '.join(self.outputs)}.")
