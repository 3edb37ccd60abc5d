"""Tests of the licences of models: which licences an operator must accept before a model can be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from jobs.inference.capabilities import licence_needs_acceptance
from segmentation.engines.manifest import Manifest, manifest_path


@pytest.mark.parametrize(
    "licence",
    [
        *("CC-BY-NC-4.0", "cc by-nc 4.0", "Research only", "non-commercial", "proprietary", "see website", "unknown"),
        *("not stated (code: Apache-2.0)", "MIT (code), research only (weights)", "Apache-2.0 non-commercial", ""),
    ],
)
def test_a_licence_that_is_not_a_known_free_one_must_be_accepted(licence: str) -> None:
    assert licence_needs_acceptance(Manifest(name="model", licence=licence))


@pytest.mark.parametrize(
    "licence", ["MIT", "MIT License", "Apache-2.0", "Apache License, Version 2.0", "BSD 3-Clause", "CC0-1.0"]
)
def test_a_known_free_licence_needs_no_acceptance(licence: str) -> None:
    assert not licence_needs_acceptance(Manifest(name="model", licence=licence))
    assert licence_needs_acceptance(Manifest(name="model", licence=licence, non_commercial=True))


def test_the_shipped_model_needs_no_acceptance() -> None:
    assert not licence_needs_acceptance(Manifest.read(manifest_path(Path(settings.SHIPPED_WEIGHTS))))
