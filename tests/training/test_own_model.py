"""Test of the tutorial from photos to a usable network: label the photos, then train, evaluate and load the network."""

import io
import json

import cv2
import numpy as np
import pytest
import skimage.data
from django.core.management import call_command

from segmentation.engines.registry import load_engine
from segmentation.options import Point

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
COUNT = 48


def run(*arguments):
    """Run a management command and return its output."""
    out = io.StringIO()
    call_command(*(str(part) for part in arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def photos(tmp_path):
    """Write 48 different small pictures, cut from a few photos, and return their folder."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for number in range(COUNT):
        photo = getattr(skimage.data, PHOTOS[number % len(PHOTOS)])()[..., ::-1]
        top, left = (rng.integers(0, side // 4) for side in photo.shape[:2])
        crop = photo[top : top + 3 * photo.shape[0] // 4, left : left + 3 * photo.shape[1] // 4]
        crop = crop[:, ::-1] if number % 2 else crop
        cv2.imwrite(str(folder / f"{number:02}.jpg"), cv2.resize(crop, (160, 120), interpolation=cv2.INTER_AREA))
    return folder


@pytest.mark.slow
def test_photos_become_a_network_that_serves(photos, tmp_path):
    labelled, out, weights = tmp_path / "labelled", tmp_path / "out", tmp_path / "out" / "weights.safetensors"

    said = run("label", photos, "--out", labelled)
    assert said.startswith(f"{COUNT} masks written by keyline-small")
    assert len(list(labelled.glob("*.png"))) == COUNT

    trained = ("train", "--data", labelled, "--out", out, "--pictures", 8, "--batch", 4, "--size", 64)
    run(*trained, "--initial", "weights/keyline-small.safetensors")
    said = run(*trained[:6], 16, *trained[7:], "--resume")
    assert "done: 16 pictures seen" in said

    for task in ("auto", "boxes", "clicks"):
        figures = json.loads(run("evaluate", labelled, "--weights", weights, "--task", task, "--size", 64, "--json"))
        assert all(value >= 0 for value in figures.values())
    engine = load_engine(weights)
    assert engine.takes_points
    matte = engine.points(skimage.data.astronaut(), [Point(220, 200), Point(20, 20, keep=False)], [], before=None)
    assert matte.alpha.shape == (64, 64)
