"""Measure how much accuracy the built-in network loses in int8, with OpenVINO on the CPU.

`python -m training.quantised weights/keyline-small.safetensors val-duts-00.zip --calibration train-duts-00.zip` prints
the measures of the network, with the settings of the site, in float32 and in int8. The network is quantised with NNCF
after training. NNCF is not among the requirements: `pip install nncf`. The inputs of the calibration need about 6 GB of
memory.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import openvino

from segmentation.engines.looking import looker_of
from segmentation.engines.manifest import Manifest
from segmentation.engines.openvino_runtime import OpenVinoSession, full_precision
from segmentation.engines.registry import read_manifest
from segmentation.engines.torch_runtime import built_in_network, converted, parts_of
from segmentation.engines.unet import UNetEngine
from training.data import entries
from training.evaluate import Sample, listed, read_sample, score_subjects

CALIBRATION_PICTURES = 300


class RecordingSession(OpenVinoSession):
    """A session that stores the inputs of its runs: those that the network gets on the site."""

    def __init__(self, model: openvino.Model) -> None:
        super().__init__(model)
        self.inputs: list[list[np.ndarray]] = []

    def run(self, *batches: np.ndarray) -> list[np.ndarray]:
        self.inputs.append([batch.copy() for batch in batches])
        return super().run(*batches)


def engine_of(sessions: Sequence[OpenVinoSession], manifest: Manifest) -> UNetEngine:
    """Return an engine that runs the sessions of a network's parts with the settings of the manifest.

    The settings may enable a run on the mirrored picture and a second run on the subject's part of the picture.
    """
    return UNetEngine(looker_of(sessions), manifest, "")


def calibration_inputs(
    models: Sequence[openvino.Model], manifest: Manifest, pictures: Path, count: int
) -> list[list[list[np.ndarray]]]:
    """Run a network on the first `count` pictures. Return for each part of the network the inputs of all its runs."""
    sessions = [RecordingSession(model) for model in models]
    engine = engine_of(sessions, manifest)
    for entry in islice(entries(pictures), count):
        engine.auto(read_sample(entry).rgb)
    return [session.inputs for session in sessions]


def quantised(model: openvino.Model, inputs: list[list[np.ndarray]], preset: str) -> openvino.Model:
    """Return a part of the network with weights and activations in int8, calibrated with the inputs of real pictures.

    preset: `performance` (symmetric activations) or `mixed` (asymmetric ones, which are usually more exact).
    """
    import nncf  # not among the requirements

    preset_value = nncf.QuantizationPreset(preset)
    found: openvino.Model = nncf.quantize(model, nncf.Dataset(inputs), preset=preset_value, subset_size=len(inputs))
    return found


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("pictures", type=Path, help="held-out pictures with masks: a folder or zip")
    parser.add_argument("--calibration", type=Path, required=True, help="other pictures: a folder or zip")
    parser.add_argument("--limit", type=int, default=500, help="at most so many held-out pictures (default: 500)")
    options = parser.parse_args()

    manifest = read_manifest(options.weights)
    models = [converted(part, manifest.size) for part in parts_of(built_in_network(options.weights))]
    inputs = calibration_inputs(models, manifest, options.calibration, CALIBRATION_PICTURES)

    def in_int8(preset: str) -> list[OpenVinoSession]:
        return [OpenVinoSession(quantised(model, seen, preset)) for model, seen in zip(models, inputs, strict=True)]

    sessions = {"as served": [OpenVinoSession(model) for model in models], "int8 performance": in_int8("performance")}
    with full_precision():  # for `mixed` too: OpenVINO 2026.4 cannot compile it when the rest is bfloat16
        sessions["float32"] = [OpenVinoSession(model) for model in models]
        sessions["int8 mixed"] = in_int8("mixed")
    for name, parts in sessions.items():
        started = time.perf_counter()
        scores = score_subjects(engine_of(parts, manifest), _samples(options.pictures, options.limit))
        milliseconds = (time.perf_counter() - started) * 1000 / scores["pictures"]
        figures = ", ".join(f"{figure} {value:.4f}" for figure, value in scores.items() if figure != "pictures")
        sys.stdout.write(f"{name}: {scores['pictures']} pictures, {milliseconds:.0f} ms each, {figures}\n")
        sys.stdout.flush()


def _samples(pictures: Path, limit: int) -> Iterator[Sample]:
    return (read_sample(entry) for entry in islice(listed(pictures, masks=None, only_held_out=False), limit))


if __name__ == "__main__":
    main()
