"""Choose the model for each picture, and record which model ran and why. Only workers import this module.

A `RoutedEngine` combines the models for one picture and has the interface of an inference engine. So `segmentation`
does not need to know roles and tiers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np

from jobs.inference.choice import Choice
from jobs.inference.escalation import Escalation
from jobs.inference.memory import is_out_of_memory
from jobs.models import Role, Tier
from segmentation.engines.base import Engine, Instance, Matte
from segmentation.engines.cropping import cells_of
from segmentation.errors import InferenceFailed
from segmentation.options import Box, Point, Quality
from segmentation.pipeline import NOTHING_SURE, uncertainty_of

logger = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")


class EngineSource(Protocol):
    """The interface of an object that returns engines by role and tier. `jobs.inference.engines` implements it."""

    def engine(self, role: Role, tier: Tier) -> Engine | None:
        """Return the engine for a role and tier, and load it if needed. Return None if no model can be used."""
        ...

    def lack(self, role: Role, tier: Tier) -> str:
        """Return why the last call of `engine` for this role and tier did not return the active model.

        The text is one of the reasons of `Choice`. It is empty if `engine` returned the active model, or if no model is
        active.
        """
        ...

    def built_in(self) -> Engine:
        """Return the engine of the built-in model, which supports all roles."""
        ...

    def for_clicks(self) -> Engine:
        """Return the engine that processes clicks if the model of the role `prompts` takes none."""
        ...

    def make_room(self, role: Role) -> None:
        """Unload all models except the fast model of a role, to free memory."""
        ...


class RoutedEngine:
    """The inference engine for one picture. It chooses the model and then behaves like the engine of this model.

    The first run sets `choice`: the model that was used, and the reason.

    source: provides the engines.
    quality: the quality of the picture.
    escalation: decides whether the fine model processes a picture of the quality `auto`.
    is_trial: whether the model under trial processes the picture, if one is active.
    """

    def __init__(
        self,
        source: EngineSource,
        *,
        quality: Quality,
        escalation: Escalation,
        is_trial: bool = False,
    ) -> None:
        self._source, self._quality, self._escalation = source, quality, escalation
        self._is_trial = is_trial
        self.choice: Choice | None = None
        self.name, self.version, self.runtime = "", "", ""

    def auto(self, rgb: np.ndarray) -> Matte:
        return self._answer(Role.SUBJECT, lambda engine: engine.auto(rgb), lambda matte: uncertainty_of(matte.alpha))

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        return self._answer(
            Role.PROMPTS,
            lambda engine: engine.boxes(rgb, boxes),
            lambda mattes: max(
                (_doubt_in(box, matte.alpha, rgb) for box, matte in zip(boxes, mattes, strict=True)), default=0.0
            ),
        )

    @property
    def takes_points(self) -> bool:
        """Whether the fast model for prompts or the model for clicks accepts clicks."""
        return self._fast(Role.PROMPTS).takes_points or self._source.for_clicks().takes_points

    def points(self, rgb: np.ndarray, points: Sequence[Point], boxes: Sequence[Box], *, before: Matte | None) -> Matte:
        """Run the fast model for prompts on clicks. If this model accepts no clicks, run the model for clicks.

        Each click corrects the result of the previous clicks, so the same model processes all clicks of a picture. The
        parameters are those of `Engine.points`.
        """
        engine = self._fast(Role.PROMPTS)
        if not engine.takes_points:
            engine = self._source.for_clicks()
        return self._asked(
            Role.PROMPTS,
            engine,
            Tier.FAST,
            self._source.lack(Role.PROMPTS, Tier.FAST) or "quality",
            lambda one: one.points(rgb, points, boxes, before=before),
            last=self._source.for_clicks,
        )

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        return self._answer(
            Role.PEOPLE,
            lambda engine: engine.instances(rgb),
            lambda people: max((_doubt_in(person.box, person.alpha, rgb) for person in people), default=NOTHING_SURE),
        )

    def _answer(self, role: Role, ask: Callable[[Engine], _Answer], doubt: Callable[[_Answer], float]) -> _Answer:
        if self.choice is not None:  # a second run on the same picture, for example to find which part of it is people
            return ask(self._fast(role))
        if self._is_trial and (trial := self._source.engine(role, Tier.TRIAL)) is not None:
            return self._asked(role, trial, Tier.TRIAL, "trial", ask)
        trial_lack = self._source.lack(role, Tier.TRIAL) if self._is_trial else ""
        if self._quality is Quality.FINE and (fine := self._source.engine(role, Tier.FINE)) is not None:
            return self._asked(role, fine, Tier.FINE, trial_lack or "quality", ask)
        fast = self._fast(role)
        reason = self._source.lack(role, Tier.FAST) or trial_lack or "quality"
        if self._quality is Quality.FINE:
            reason = self._source.lack(role, Tier.FINE) or "missing"
        answer = self._asked(role, fast, Tier.FAST, reason, ask)
        if self._quality is Quality.AUTO:
            return self._escalated(role, answer, ask, doubt)
        return answer

    def _escalated(
        self, role: Role, answer: _Answer, ask: Callable[[Engine], _Answer], doubt: Callable[[_Answer], float]
    ) -> _Answer:
        """Return the fine model's result if the fast model's result is too uncertain.

        If the fine model is not needed, is missing or runs out of memory, return the fast model's result.

        answer: the fast model's result.
        ask: a function that runs a given engine.
        doubt: a function that returns the uncertainty (0..1) of a result.
        """
        decision = self._escalation.decide(doubt(answer))
        fine = self._source.engine(role, Tier.FINE) if decision == "uncertain" else None
        if fine is None:
            if self.choice is not None and self.choice.reason == "quality":  # the active fast model was used
                reason = decision if decision != "uncertain" else self._source.lack(role, Tier.FINE) or "missing"
                self.choice = replace(self.choice, reason=reason)
            return answer
        started = time.perf_counter()
        better = _unless_full(fine, ask)
        if better is None:
            self._source.make_room(role)
            if self.choice is not None:
                self.choice = replace(self.choice, reason="memory")
            return answer
        self._escalation.took(time.perf_counter() - started)
        self._note(fine, Tier.FINE, "uncertain")
        return better

    def _asked(
        self,
        role: Role,
        engine: Engine,
        tier: Tier,
        reason: str,
        ask: Callable[[Engine], _Answer],
        last: Callable[[], Engine] | None = None,
    ) -> _Answer:
        """Run a model and return its result.

        If memory runs out, run the fast model instead. If memory runs out again, run the last model.

        ask: a function that runs a given engine.
        last: a function that returns the last model; None for the built-in model.
        """
        started = time.perf_counter()
        answer = _unless_full(engine, ask)
        if answer is None:
            self._source.make_room(role)
            reason = "memory"
            if tier is not Tier.FAST:
                engine, tier = self._fast(role), Tier.FAST
                answer = _unless_full(engine, ask)
        if answer is None:
            engine = (last or self._source.built_in)()
            answer = ask(engine)
        if tier is Tier.FINE:
            self._escalation.took(time.perf_counter() - started)
        self._note(engine, tier, reason)
        return answer

    def _fast(self, role: Role) -> Engine:
        engine = self._source.engine(role, Tier.FAST)
        if engine is None:
            raise InferenceFailed("No model is loaded.")
        return engine

    def _note(self, engine: Engine, tier: Tier, reason: str) -> None:
        self.choice = Choice(engine.name, engine.version, engine.runtime, tier, reason)
        self.name, self.version, self.runtime = engine.name, engine.version, engine.runtime


def _doubt_in(box: Box, alpha: np.ndarray, rgb: np.ndarray) -> float:
    """Return the uncertainty (0..1) of the subject in a box. The box may be much smaller than the picture."""
    rows, columns = cells_of(box, rgb.shape[1], rgb.shape[0], alpha.shape[1], alpha.shape[0])
    return uncertainty_of(alpha, subject=alpha[rows, columns])


def _unless_full(engine: Engine, ask: Callable[[Engine], _Answer]) -> _Answer | None:
    """Return the model's result, or None if memory ran out.

    The traceback of the error keeps the arrays of the failed run in memory. So the caller must run another model only
    after this function has returned.
    """
    try:
        return ask(engine)
    except InferenceFailed as error:
        if not is_out_of_memory(error):
            raise
        logger.warning("the model %s ran out of memory", engine.name)
    return None
