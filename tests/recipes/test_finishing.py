"""Tests that a worker runs the model once for each picture, and then applies all recipes of the job."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from jobs.intake.sources import accept_bytes
from jobs.models import Artifact, Job, Status
from jobs.recipes.selectors import recipe_get
from jobs.recipes.services import recipe_save
from jobs.results import storage
from jobs.work import tasks
from jobs.work.submission import Door, job_submit
from segmentation.options import CutoutOptions
from tests.cast import Person
from tests.fakes import FakeEngine, answering
from tests.photos import encoded

pytestmark = pytest.mark.django_db

SHOP = {
    "title": "Shop",
    "canvas": {"width_px": 300, "height_px": 300},
    "background": {"type": "color", "color": "#ffffff"},
    "outputs": [{"format": "jpeg"}, {"format": "png"}],
}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(fake))
    return fake


def finished_job(person: Person, *names: str, picture: str = "bag.jpg") -> Job:
    job = job_submit(
        actor=person.actor,
        door=Door(dialect="native"),
        options=CutoutOptions(),
        sources=[accept_bytes(encoded("JPEG", quality=60), name=picture)],
        recipes=[recipe_get(person.actor, name) for name in names],
    )
    tasks.image_process(str(job.images.get().pk))
    job.refresh_from_db()
    return job


def files_of(job: Job) -> dict[str, Artifact]:
    return {artifact.file_name: artifact for artifact in job.artifacts.filter(kind=Artifact.Kind.FINISHED)}


def test_several_recipes_cost_one_run_of_the_model(alice: Person, model: FakeEngine) -> None:
    recipe_save(actor=alice.actor, name="shop", body=SHOP)

    job = finished_job(alice, "shop", "instagram-square")

    assert job.status == Status.SUCCEEDED
    assert model.calls == ["auto"]
    files = files_of(job)
    assert set(files) == {"bag-shop-1.jpg", "bag-shop-2.png", "bag-instagram-square-1.jpg"}
    square = Image.open(io.BytesIO(storage.read(files["bag-instagram-square-1.jpg"].key)))
    assert square.size == (1080, 1080)


def test_a_recipe_that_a_picture_cannot_satisfy_is_noted_and_the_others_go_on(alice: Person, model: FakeEngine) -> None:
    small = SHOP | {"outputs": [{"format": "png", "max_bytes": 1024}]}
    recipe_save(actor=alice.actor, name="tiny", body=small)
    recipe_save(actor=alice.actor, name="shop", body=SHOP)

    job = finished_job(alice, "tiny", "shop")

    assert job.status == Status.SUCCEEDED
    assert set(files_of(job)) == {"bag-shop-1.jpg", "bag-shop-2.png"}
    assert any("recipe tiny" in note and "bytes" in note for note in job.images.get().notes)


def test_a_job_keeps_the_version_that_it_was_submitted_with(alice: Person, model: FakeEngine) -> None:
    recipe_save(actor=alice.actor, name="shop", body=SHOP)
    job = job_submit(
        actor=alice.actor,
        door=Door(dialect="native"),
        options=CutoutOptions(),
        sources=[accept_bytes(encoded("JPEG", quality=60), name="bag.jpg")],
        recipes=[recipe_get(alice.actor, "shop")],
    )
    recipe_save(actor=alice.actor, name="shop", body=SHOP | {"outputs": [{"format": "webp"}]})

    tasks.image_process(str(job.images.get().pk))

    assert set(files_of(job)) == {"bag-shop-1.jpg", "bag-shop-2.png"}


@pytest.mark.parametrize("picture", ["../../etc/passwd.jpg", "C:\\photos\\bag.jpg", "a:b*c.jpg", "\x00.jpg", "..."])
def test_file_names_are_safe_whatever_the_picture_is_called(alice: Person, model: FakeEngine, picture: str) -> None:
    recipe_save(actor=alice.actor, name="shop", body=SHOP)

    job = finished_job(alice, "shop", picture=picture)

    assert len(files_of(job)) == 2
    assert not any(set(name) & set('\\/:*?"<>|\x00') for name in files_of(job))
