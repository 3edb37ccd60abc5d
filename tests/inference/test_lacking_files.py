"""Tests of a host that cannot use an active model, because the file is missing or cannot be loaded.

Another host or another model must process the pictures.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.inference import engines, files
from jobs.inference.engines import HostLacksWeights
from jobs.models import ModelVersion, Role, Tier
from segmentation.errors import InferenceFailed, WeightsInvalid
from tests.inference.other_hosts import beats, move_to_another_host, raising

pytestmark = pytest.mark.django_db


def test_a_host_without_the_file_leaves_the_picture_to_one_that_has_it(
    settings: Settings, tmp_path: Path, version: ModelVersion, worker: engines.Engines
) -> None:
    move_to_another_host(settings, tmp_path)
    beats("there", weights=[version.sha256[:12]])
    worker.refresh()

    with pytest.raises(HostLacksWeights):
        worker.engine(Role.SUBJECT, Tier.FAST)

    assert worker.describe()["missing"] == ["tiny"]


def test_a_host_that_cannot_load_the_file_leaves_the_picture_to_one_that_can(
    version: ModelVersion, worker: engines.Engines
) -> None:
    digits = version.sha256[:12]
    load, worker.pool._load = worker.pool._load, raising(WeightsInvalid("It needs a newer runtime."))
    beats("there", weights=[digits], loadable=[digits])
    worker.refresh()

    with pytest.raises(HostLacksWeights):
        worker.engine(Role.SUBJECT, Tier.FAST)

    beats("there", weights=[digits], failed={digits: "It needs a newer runtime."})
    worker.pool._load = load

    assert worker.engine(Role.SUBJECT, Tier.FAST) is worker.pool.get(engines.built_in(Role.SUBJECT))


def test_a_file_that_no_host_has_is_replaced_by_the_built_in_model_and_reported(
    settings: Settings, tmp_path: Path, version: ModelVersion, worker: engines.Engines
) -> None:
    move_to_another_host(settings, tmp_path)
    worker.refresh()

    assert worker.engine(Role.SUBJECT, Tier.FAST) is worker.pool.get(engines.built_in(Role.SUBJECT))
    assert worker.describe()["missing"] == ["tiny"]


def test_a_role_without_an_activation_is_answered_by_the_built_in_model(
    version: ModelVersion, worker: engines.Engines
) -> None:
    worker.refresh()

    assert worker.engine(Role.PEOPLE, Tier.FAST) is worker.pool.get(engines.built_in(Role.PEOPLE))
    assert worker.engine(Role.SUBJECT, Tier.FAST) is not worker.engine(Role.PEOPLE, Tier.FAST)
    assert worker.engine(Role.SUBJECT, Tier.FINE) is None


def test_the_heartbeat_names_the_weights_that_the_host_has(version: ModelVersion, worker: engines.Engines) -> None:
    state = worker.describe()

    assert (state["host"], state["weights"], state["missing"]) == ("here", [version.sha256[:12]], [])


def test_a_digest_is_computed_again_when_the_file_changes(weights: Path) -> None:
    before = files.digest_of(weights)
    weights.write_bytes(weights.read_bytes() + b" ")

    assert files.digest_of(weights) != before


def test_a_worker_does_not_start_if_active_onnx_files_cannot_use_the_requested_cuda(
    version: ModelVersion, worker: engines.Engines, settings: Settings
) -> None:
    settings.MATTING_RUNTIME = "torch-cuda"
    version.tier = Tier.FINE
    version.save()

    with pytest.raises(InferenceFailed, match="onnxruntime-gpu"):
        worker.warm_up()

    ModelVersion.objects.update(is_active=False)
    worker.warm_up()
