"""Tests of the choice of a model for a request; the result contains the model's name and the reason."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np
import pytest

from jobs.inference.escalation import Escalation
from jobs.inference.routing import EngineSource, RoutedEngine
from jobs.models import Role, Tier
from segmentation.engines.base import Engine, Instance, Matte
from segmentation.errors import InferenceFailed
from segmentation.options import Box, Quality
from tests.fakes import EmptyEngine, FakeEngine

RGB = np.zeros((40, 60, 3), np.uint8)


class Unsure(FakeEngine):
    """A fake inference engine that returns the alpha 0.5 everywhere, which is the highest possible uncertainty."""

    def auto(self, rgb: np.ndarray) -> Matte:
        self.calls.append("auto")
        return Matte(np.full(self.size, 0.5, np.float32))


class TooLarge(FakeEngine):
    """A fake inference engine that raises an out-of-memory error for each picture."""

    def auto(self, rgb: np.ndarray) -> Matte:
        raise InferenceFailed from MemoryError()


class Clickable(FakeEngine):
    """A fake inference engine that takes clicks."""

    takes_points = True

    def points(self, rgb: np.ndarray, points: object, boxes: object, *, before: Matte | None) -> Matte:
        return self.auto(rgb)


class Source(EngineSource):
    def __init__(self, **engines: Engine) -> None:
        self.engines = engines
        self.made_room = 0
        self.lacks: dict[str, str] = {}

    def engine(self, role: Role, tier: Tier) -> Engine | None:
        return self.engines.get(f"{role}_{tier}")

    def built_in(self) -> Engine:
        return self.engines["built_in"]

    def for_clicks(self) -> Engine:
        return self.engines["for_clicks"]

    def lack(self, role: Role, tier: Tier) -> str:
        return self.lacks.get(f"{role}_{tier}", "")

    def make_room(self, role: Role) -> None:
        self.made_room += 1


def named(name: str, engine: FakeEngine | None = None) -> FakeEngine:
    engine = engine or FakeEngine()
    engine.name = name
    return engine


def routed(source: Source, quality: Quality, **values: object) -> RoutedEngine:
    return RoutedEngine(source, quality=quality, escalation=Escalation(above=0.3, max_share=1, max_s=60), **values)


def answer_of(engine: RoutedEngine) -> tuple[str, str, str]:
    assert engine.choice is not None
    return engine.choice.model, engine.choice.tier, engine.choice.reason


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda engine: engine.auto(RGB), "subject"),
        (lambda engine: engine.boxes(RGB, [Box(5, 5, 30, 30)]), "boxes"),
        (lambda engine: engine.instances(RGB), "people"),
    ],
)
def test_each_role_is_answered_by_its_own_model(ask, expected: str) -> None:
    source = Source(subject_fast=named("subject"), prompts_fast=named("boxes"), people_fast=named("people"))
    engine = routed(source, Quality.FAST)

    ask(engine)

    assert answer_of(engine) == (expected, "fast", "quality")


def test_clicks_go_to_their_own_model_where_the_chosen_one_takes_none() -> None:
    large = named("large")
    large.takes_points = False
    source = Source(prompts_fast=large, for_clicks=named("clicks", Clickable()))
    engine = routed(source, Quality.FINE)

    assert engine.takes_points
    engine.points(RGB, [], [], before=None)

    assert answer_of(engine) == ("clicks", "fast", "quality")


def test_clicks_that_run_out_of_memory_stay_with_a_model_that_takes_them() -> None:
    class Full(Clickable, TooLarge): ...

    source = Source(prompts_fast=named("large", Full()), for_clicks=named("clicks", Clickable()))
    engine = routed(source, Quality.FAST)

    engine.points(RGB, [], [], before=None)

    assert answer_of(engine) == ("clicks", "fast", "memory")


def test_fine_is_answered_by_the_fine_model_alone() -> None:
    source = Source(subject_fast=named("small"), subject_fine=named("large"))
    engine = routed(source, Quality.FINE)

    engine.auto(RGB)

    assert answer_of(engine) == ("large", "fine", "quality")
    assert source.engines["subject_fast"].calls == []


@pytest.mark.parametrize("quality", [Quality.FAST, Quality.AUTO])
def test_a_fast_model_that_cannot_be_loaded_is_recorded(quality: Quality) -> None:
    source = Source(subject_fast=named("built in"), subject_fine=named("large"))
    source.lacks["subject_fast"] = "missing"
    engine = routed(source, quality)

    engine.auto(RGB)

    assert answer_of(engine) == ("built in", "fast", "missing")


@pytest.mark.parametrize("quality", [Quality.FINE, Quality.AUTO])
def test_a_fine_model_that_does_not_fit_into_memory_is_recorded(quality: Quality) -> None:
    source = Source(subject_fast=named("small", Unsure()))
    source.lacks["subject_fine"] = "memory"
    engine = routed(source, quality)

    engine.auto(RGB)

    assert answer_of(engine) == ("small", "fast", "memory")


def test_the_time_of_a_fine_picture_counts_for_auto() -> None:
    escalation = Escalation(above=0.0, max_share=1, max_s=0)
    source = Source(subject_fast=named("small", Unsure()), subject_fine=named("large"))

    RoutedEngine(source, quality=Quality.FINE, escalation=escalation).auto(RGB)
    engine = RoutedEngine(source, quality=Quality.AUTO, escalation=escalation)
    engine.auto(RGB)

    assert answer_of(engine) == ("small", "fast", "time")


def test_auto_asks_the_fine_model_only_where_the_fast_one_is_uncertain() -> None:
    certain = Source(subject_fast=named("small"), subject_fine=named("large"))
    uncertain = Source(subject_fast=named("small", Unsure()), subject_fine=named("large"))
    first, second = routed(certain, Quality.AUTO), routed(uncertain, Quality.AUTO)

    first.auto(RGB)
    second.auto(RGB)

    assert answer_of(first) == ("small", "fast", "certain")
    assert answer_of(second) == ("large", "fine", "uncertain")


class Small(FakeEngine):
    """A fake inference engine whose person, and whose subject in a box, cover only 0.1 % of the picture.

    alpha: the alpha value of this small area.
    """

    box = Box(10, 10, 20, 20)

    def __init__(self, alpha: float) -> None:
        super().__init__((320, 320))
        self.alpha = np.zeros((320, 320), np.float32)
        self.alpha[10:20, 10:20] = alpha

    def instances(self, rgb: np.ndarray) -> list[Instance]:
        return [Instance(self.box, 0.9, self.alpha)]

    def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
        return [Matte(self.alpha)]


@pytest.mark.parametrize(
    ("people", "reason"),
    [(EmptyEngine(), "uncertain"), (Small(1.0), "certain"), (Small(0.4), "uncertain")],
    ids=["no person", "a small person", "a small unclear person"],
)
def test_auto_escalates_where_people_are_missing_or_unclear_but_not_because_they_are_small(
    people: FakeEngine, reason: str
) -> None:
    engine = routed(Source(people_fast=people, people_fine=named("large")), Quality.AUTO)

    engine.instances(np.zeros((320, 320, 3), np.uint8))

    assert answer_of(engine)[2] == reason


def test_a_small_box_is_not_uncertain_because_it_is_small() -> None:
    engine = routed(Source(prompts_fast=Small(1.0), prompts_fine=named("large")), Quality.AUTO)

    engine.boxes(np.zeros((320, 320, 3), np.uint8), [Small.box])

    assert answer_of(engine)[2] == "certain"


def test_without_a_fine_model_auto_keeps_the_fast_answer() -> None:
    engine = routed(Source(subject_fast=named("small", Unsure())), Quality.AUTO)

    engine.auto(RGB)

    assert answer_of(engine) == ("small", "fast", "missing")


@pytest.mark.parametrize("quality", [Quality.FINE, Quality.AUTO])
def test_out_of_memory_falls_back_to_the_fast_model_and_is_recorded(quality: Quality) -> None:
    source = Source(subject_fast=named("small", Unsure()), subject_fine=named("large", TooLarge()))
    engine = routed(source, quality)

    engine.auto(RGB)

    assert answer_of(engine) == ("small", "fast", "memory")
    assert source.made_room == 1


@pytest.mark.parametrize("quality", [Quality.FAST, Quality.FINE])
def test_without_memory_for_the_fast_model_the_built_in_one_answers(quality: Quality) -> None:
    source = Source(
        subject_fast=named("medium", TooLarge()), subject_fine=named("large", TooLarge()), built_in=named("built in")
    )
    engine = routed(source, quality)

    engine.auto(RGB)

    assert answer_of(engine) == ("built in", "fast", "memory")


def test_the_arrays_of_a_failed_run_are_freed_before_the_next_model_runs() -> None:
    arrays: list[weakref.ref[np.ndarray]] = []

    class Failing(FakeEngine):
        def auto(self, rgb: np.ndarray) -> Matte:
            features = np.zeros(8)
            arrays.append(weakref.ref(features))
            raise InferenceFailed from MemoryError()

    class Observing(FakeEngine):
        def auto(self, rgb: np.ndarray) -> Matte:
            assert arrays[0]() is None
            return super().auto(rgb)

    source = Source(subject_fast=named("small", Observing()), subject_fine=named("large", Failing()))

    routed(source, Quality.FINE).auto(RGB)

    assert source.engines["subject_fast"].calls == ["auto"]


@pytest.mark.parametrize("quality", [Quality.FAST, Quality.FINE, Quality.AUTO])
@pytest.mark.parametrize("lack", ["memory", "missing"])
def test_a_trial_model_that_cannot_be_loaded_is_recorded(quality: Quality, lack: str) -> None:
    source = Source(subject_fast=named("small"), subject_fine=named("large"))
    source.lacks["subject_trial"] = lack
    engine = routed(source, quality, is_trial=True)

    engine.auto(RGB)

    assert answer_of(engine)[2] == lack


def test_a_picture_of_the_trial_is_answered_by_the_model_under_trial() -> None:
    source = Source(subject_fast=named("small"), subject_trial=named("candidate"))
    engine = routed(source, Quality.FAST, is_trial=True)

    engine.auto(RGB)

    assert answer_of(engine) == ("candidate", "trial", "trial")


def test_a_second_question_about_a_picture_leaves_its_choice_alone() -> None:
    source = Source(subject_fast=named("small"), subject_fine=named("large"), people_fast=named("people"))
    engine = routed(source, Quality.FINE)

    engine.auto(RGB)
    engine.instances(RGB)

    assert answer_of(engine) == ("large", "fine", "quality")
    assert source.engines["people_fast"].calls == ["instances"]


def test_other_failures_are_not_hidden() -> None:
    class Broken(FakeEngine):
        def boxes(self, rgb: np.ndarray, boxes: Sequence[Box]) -> list[Matte]:
            raise InferenceFailed("broken")

    with pytest.raises(InferenceFailed, match="broken"):
        routed(Source(prompts_fast=Broken()), Quality.FAST).boxes(RGB, [Box(5, 5, 30, 30)])
