"""Faults of the machine (machine faults), and the pauses of a worker with repeated faults.

A machine fault concerns the database, the storage, the disk, the memory or the model weights, not the picture. A single
machine fault does not fail a picture. The picture returns to the queue, with growing delays, so that another worker can
process it.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from redis.exceptions import RedisError

from jobs.errors import StorageFailed

logger = logging.getLogger(__name__)

# The delays before the attempts that follow a machine fault, in seconds; after the last one the picture fails.
FAULT_DELAYS_S = (2, 10, 30, 120, 600, 1800, 3600)
# The pause of a worker before its next message, in seconds, by the number of faults since its last success. A shared
# service such as the database either returns soon or is unavailable for all workers; other faults may concern this
# worker only.
HOLD_BACK_S = (1, 2, 5, 10, 20, 30)
_LONGEST_OUTAGE_HOLD_S = 3
_SHOWN_FOR_S = 60.0
_DATABASE_DELAYS_S = (1, 2, 3, 3, 3, 3, 3)
_DISK_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_SHARED = (OperationalError, InterfaceError, RedisError, StorageFailed, BotoCoreError, ClientError)
_Result = TypeVar("_Result")


class WorkerUnfit(Exception):
    """This worker cannot process any picture, for example because model weights are missing."""


def is_machine_fault(error: BaseException) -> bool:
    """Return whether an exception or one of its causes is a fault of the machine or of a service, not of the picture.

    Examples are a full disk, missing weights, and a database that cannot be reached.
    """
    return any(_is_machine_fault(cause) for cause in _chain(error))


def is_outage(error: BaseException) -> bool:
    """Return whether the fault concerns a service that all workers share: database, broker or storage."""
    return any(isinstance(cause, _SHARED) for cause in _chain(error))


def component_of(error: BaseException) -> str:
    """Return the component that failed: `database`, `broker`, `storage`, or `machine` for other faults."""
    kinds = {
        "database": (OperationalError, InterfaceError),
        "broker": (RedisError,),
        "storage": (StorageFailed, BotoCoreError, ClientError),
    }
    for cause in _chain(error):
        for component, types in kinds.items():
            if isinstance(cause, types):
                return component
    return "machine"


def database_retried(call: Callable[[], _Result]) -> _Result:
    """Call a function and return its result. Retry the call while the database is locked or cannot be reached.

    The pauses between the calls grow. After 18 s of pauses in total, the last error is raised. `call` must open its own
    transaction. If this function is called inside a transaction, it does not retry.
    """
    for delay_s in (*_DATABASE_DELAYS_S, None):
        try:
            return call()
        except (OperationalError, InterfaceError):
            if delay_s is None or connection.in_atomic_block:
                raise
            logger.warning("the database does not answer; the next try is in %d s", delay_s, exc_info=True)
            close_old_connections()
            time.sleep(delay_s)
    raise AssertionError("the last try returns or raises")


class Fitness:
    """The number of machine faults (see `is_machine_fault`) of this process since its last success.

    The heartbeat reports this number. The number also determines the pause before the next message.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults = 0
        self._last = ""
        self._pause_s = 0.0
        self._last_at_s = 0.0

    def fault(self, error: BaseException) -> None:
        with self._lock:
            pause_s = HOLD_BACK_S[min(self._faults, len(HOLD_BACK_S) - 1)]
            self._pause_s = min(pause_s, _LONGEST_OUTAGE_HOLD_S) if is_outage(error) else pause_s
            self._faults += 1
            self._last = fault_text(error)
            self._last_at_s = time.monotonic()

    def success(self) -> None:
        with self._lock:
            self._faults, self._last, self._pause_s = 0, "", 0.0

    def take_pause_s(self) -> float:
        """Return the seconds to wait before the next message. Later calls return 0 until the next fault."""
        with self._lock:
            pause_s, self._pause_s = self._pause_s, 0.0
        return pause_s

    def describe(self) -> dict[str, Any]:
        """Return the heartbeat's entry about recent faults, `{"error": text}`; an empty dict without recent faults."""
        with self._lock:
            is_recent = time.monotonic() - self._last_at_s < _SHOWN_FOR_S
            if not self._faults or not is_recent:
                return {}
            return {"error": f"Held back after {self._faults} faults: {self._last}"}


fitness = Fitness()


def fault_text(error: BaseException) -> str:
    """Return one line of text that describes a fault for the staff. The text names the original cause."""
    first = list(_chain(error))[-1]
    return f"{type(first).__name__}: {first}"[:500]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 10:
        yield error
        error, seen = error.__cause__, seen + 1


def _is_machine_fault(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _DISK_ERRNOS
    # Compared by name, because torch must not be imported for this: torch.OutOfMemoryError.
    is_out_of_memory = any(kind.__name__ in ("MemoryError", "OutOfMemoryError") for kind in type(error).__mro__)
    return isinstance(error, (*_SHARED, WorkerUnfit)) or is_out_of_memory
