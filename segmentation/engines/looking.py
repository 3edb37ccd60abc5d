"""Runs of the built-in network on a photo, with or without a prompt (boxes and clicks).

A network that takes only boxes gets photo and prompt as one input. A network that takes clicks has two parts: the
encoder processes the photo, and the decoder processes the prompt. The encoder's features are cached, so that another
click on the same photo runs only the decoder. A Look is the input of one run. S is the side of the network's input in
pixels.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from segmentation.engines.session import GuardedSession, Session

Value = TypeVar("Value")

KEPT_PHOTOS = 12  # 3 MB each at 320 px; a photo is up to four: mirrored, and in a closer view
KEPT_ANSWERS = 80  # 0.9 MB each at 320 px; each request repeats the clicks of the previous ones, also mirrored


class Look(NamedTuple):
    """The input of one run of the network.

    photo: (3, S, S) float32, normalised.
    prompt: None, or the prompt planes (see segmentation.network). A prompt (1, S, S) contains only the plane of the
    boxes. A prompt (3, S, S) contains the planes of the boxes, of the clicks and of the previous matte.
    """

    photo: np.ndarray
    prompt: np.ndarray | None = None

    def mirrored(self) -> Look:
        return Look(self.photo[..., ::-1], None if self.prompt is None else self.prompt[..., ::-1])


@dataclass(frozen=True, slots=True)
class Answer:
    """The output of one run of the network.

    mattes: logits of subject and people, (2, S, S) float32.
    maps: people maps, (5, S/8, S/8) float32, which show where people are (see the module `people_maps`).
    """

    mattes: np.ndarray
    maps: np.ndarray


class Looker(Protocol):
    """The interface of WholeLooker and SplitLooker, the two classes that run the network.

    takes_clicks: True if prompts may contain clicks.
    """

    runtime: str
    takes_clicks: bool

    def answers(self, looks: Sequence[Look]) -> list[Answer]:
        """Return one Answer per Look, in the same order. Raise InferenceFailed when the runtime fails."""


class Kept(Generic[Value]):
    """A thread-safe cache that keeps the values that were used last. The keys are digests of the inputs.

    most: the largest number of values in the cache.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[bytes, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> Value | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: bytes, value: Value) -> None:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)


class WholeLooker:
    """Runner of a network that takes photo and box plane as one input, (4, S, S)."""

    takes_clicks = False

    def __init__(self, session: GuardedSession) -> None:
        self.runtime = session.runtime
        self._session = session
        self._mattes, self._maps = session.index_of("mattes"), session.index_of("people")

    def answers(self, looks: Sequence[Look]) -> list[Answer]:
        inputs = [(np.concatenate([look.photo, _planes(look, 1)]),) for look in looks]
        return [Answer(outputs[self._mattes], outputs[self._maps]) for outputs in self._session.run_many(inputs)]


class SplitLooker:
    """Runner of a network in two parts, an encoder and a decoder.

    The encoder takes the photo, (3, S, S). The decoder takes the encoder's features and three prompt planes, (3, S, S).
    """

    takes_clicks = True

    def __init__(self, encoder: GuardedSession, decoder: GuardedSession) -> None:
        self.runtime = encoder.runtime
        self._encoder, self._decoder = encoder, decoder
        self._mattes, self._maps = decoder.index_of("mattes"), decoder.index_of("people")
        self._features: Kept[list[np.ndarray]] = Kept(KEPT_PHOTOS)
        self._answers: Kept[Answer] = Kept(KEPT_ANSWERS)

    def answers(self, looks: Sequence[Look]) -> list[Answer]:
        features = self._encoder.run_many([(look.photo,) for look in looks])
        return self._decoded(features, looks)

    def again(self, look: Look) -> Answer:
        """Return the Answer for one Look, and cache the photo's features and the answer for later calls."""
        photo, planes = digest(look.photo), _planes(look, 3)
        asked = photo + digest(planes)
        answer = self._answers.get(asked)
        if answer is None:
            features = self._features.get(photo)
            if features is None:
                (features,) = self._encoder.run_many([(look.photo,)])
                self._features.put(photo, features)
            (answer,) = self._decoded([features], [look])
            self._answers.put(asked, answer)
        return answer

    def _decoded(self, features: Sequence[list[np.ndarray]], looks: Sequence[Look]) -> list[Answer]:
        inputs = [(*levels, _planes(look, 3)) for levels, look in zip(features, looks, strict=True)]
        return [Answer(outputs[self._mattes], outputs[self._maps]) for outputs in self._decoder.run_many(inputs)]


def looker_of(sessions: Sequence[Session]) -> Looker:
    """Return the object that runs a network in one part, or in two parts: an encoder and a decoder."""
    parts = [GuardedSession(session) for session in sessions]
    return SplitLooker(*parts) if len(parts) == 2 else WholeLooker(*parts)


def _planes(look: Look, count: int) -> np.ndarray:
    """Return the prompt as `count` planes. Missing planes are filled with 0, which means that there is no prompt."""
    planes = np.zeros((count, *look.photo.shape[1:]), np.float32)
    if look.prompt is not None:
        planes[: len(look.prompt)] = look.prompt
    return planes


def digest(planes: np.ndarray) -> bytes:
    """Return a key for a `Kept` that differs for different arrays."""
    return hashlib.blake2b(np.ascontiguousarray(planes).data, digest_size=16).digest()
