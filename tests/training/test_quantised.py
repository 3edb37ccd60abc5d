"""Test of the calibration pictures for NNCF (a package that quantises networks), without NNCF itself."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from django.conf import settings

pytest.importorskip("openvino")

from segmentation.engines.registry import read_manifest
from segmentation.engines.torch_runtime import built_in_network, converted, parts_of
from training.quantised import calibration_inputs

pytestmark = pytest.mark.slow


def test_the_calibration_gets_every_look_as_the_network_sees_it(tmp_path: Path) -> None:
    picture = np.full((120, 160, 3), 90, np.uint8)
    cv2.circle(picture, (80, 60), 20, (220, 180, 150), -1)
    cv2.imwrite(str(tmp_path / "one.png"), picture)
    weights = Path(settings.SHIPPED_WEIGHTS)
    manifest = read_manifest(weights)

    models = [converted(part, manifest.size) for part in parts_of(built_in_network(weights))]
    encoder, decoder = calibration_inputs(models, manifest, tmp_path, 5)

    assert len(encoder) == len(decoder) in (2, 4)  # the picture and its mirror image, and perhaps a second look at both
    assert {photo.shape for (photo,) in encoder} == {(1, 3, manifest.size, manifest.size)}
    assert {planes.shape for *_, planes in decoder} == {(1, 3, manifest.size, manifest.size)}
    assert {len(inputs) for inputs in decoder} == {6}  # five feature maps and the prompt planes
