"""Loading of weight files: build the engine for a file and test it on a picture."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from segmentation.engines.base import Engine
from segmentation.engines.fastest import fastest_runtime, remembered_runtime
from segmentation.engines.looking import Looker, looker_of
from segmentation.engines.manifest import BUILT_IN_SUFFIXES, KEYLINE, PEOPLE, Manifest, checked_digest, manifest_path
from segmentation.engines.onnx import SalientEngine
from segmentation.engines.onnx_people import PeopleEngine
from segmentation.engines.preparation import LEAST_CONTRAST
from segmentation.engines.session import GuardedSession, Session
from segmentation.engines.unet import UNetEngine
from segmentation.errors import InferenceFailed, WeightsInvalid
from segmentation.options import Box, Point
from segmentation.runtimes import RUNTIMES, Runtime

logger = logging.getLogger(__name__)

VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Loading:
    """The inputs for building a session: weight file, manifest, sha256, runtime, cache folder and number of threads."""

    weights: Path
    manifest: Manifest
    sha256: str
    runtime: str
    cache_dir: Path | None
    threads: int | None


def load_engine(
    weights: Path, *, runtime: str = "auto", cache_dir: Path | None = None, threads: int | None = None
) -> Engine:
    """Load a weight file, test it on a picture and return its engine.

    weights: a `.safetensors` or `.pth` file of the built-in network, for which a manifest is optional, or an `.onnx`
    file with a manifest.
    runtime: one of RUNTIMES (see Runtime). The engine's attribute `runtime` names the runtime that is used.
    cache_dir: the folder with converted models and measurements. With None, converted models are not stored and
    measurements are not used.
    threads: the number of cores for one picture; None lets the runtime decide.

    Raise WeightsInvalid if the file or its manifest is invalid or the test fails, and InferenceFailed if the requested
    runtime is not available.
    """
    if runtime not in RUNTIMES:
        raise InferenceFailed(f"The runtime must be one of {', '.join(RUNTIMES)}, not {runtime:.20}.")
    if not weights.is_file():
        raise WeightsInvalid(f"The weights file {weights.name} does not exist.")
    if runtime == Runtime.AUTO and cache_dir is not None:
        runtime = _remembered(weights, cache_dir) or Runtime.AUTO
    if runtime == Runtime.OPENVINO_FP32:
        from segmentation.engines.openvino_runtime import full_precision

        with full_precision():
            return load_engine(weights, runtime=Runtime.OPENVINO, cache_dir=cache_dir, threads=threads)
    manifest = read_manifest(weights)
    sha256 = checked_digest(weights, manifest)
    loading = Loading(weights, manifest, sha256, runtime, cache_dir, threads)
    version = sha256[:VERSION_DIGITS]
    engine: Engine
    if manifest.family == KEYLINE:
        engine = UNetEngine(built_in_looker(loading), manifest, version)
    else:
        kind = PeopleEngine if manifest.family == PEOPLE else SalientEngine
        engine = kind(GuardedSession(onnx_session(loading)), manifest, version)
    warm_up(engine)
    return engine


def _remembered(weights: Path, cache_dir: Path) -> Runtime | None:
    """Return the runtime that was measured as the fastest for this file.

    Return None if there is no measurement or if there may be a GPU.
    """
    if a_gpu_may_be_there():
        return None
    return remembered_runtime(weights, cache_dir=cache_dir, built_in=weights.suffix.lower() in BUILT_IN_SUFFIXES)


def measure_runtimes(weights: Path, *, cache_dir: Path, threads: int | None = None) -> Runtime:
    """Measure the CPU runtimes that can run a weight file, store the fastest one and return it.

    cache_dir, threads: as in `load_engine`.

    If there may be a GPU, measure nothing and return Runtime.AUTO.
    """
    if a_gpu_may_be_there():
        return Runtime.AUTO
    built_in = weights.suffix.lower() in BUILT_IN_SUFFIXES
    candidates = (Runtime.OPENVINO, Runtime.OPENVINO_FP32, Runtime.TORCH_CPU if built_in else Runtime.ONNX)

    def load(runtime: Runtime) -> Engine:
        return load_engine(weights, runtime=runtime, cache_dir=cache_dir, threads=threads)

    return fastest_runtime(weights, candidates=candidates, load=load, cache_dir=cache_dir, built_in=built_in)


def read_manifest(weights: Path) -> Manifest:
    """Return the manifest of a weight file; a file of the built-in network without a manifest gets a default one.

    Raise WeightsInvalid for another file type, for a missing or invalid manifest, and for a file without a manifest
    that is not a readable checkpoint.
    """
    suffix, beside = weights.suffix.lower(), manifest_path(weights)
    if suffix in BUILT_IN_SUFFIXES:
        if not beside.exists():
            return Manifest(name=weights.stem, family=KEYLINE, box_mode="prompt", points=_is_clickable(weights))
        return replace(Manifest.read(beside), family=KEYLINE)
    if suffix != ".onnx":
        raise WeightsInvalid("A weights file ends in .safetensors, .pth or .onnx.")
    manifest = Manifest.read(beside)
    if manifest.family == KEYLINE:
        raise WeightsInvalid("The built-in network's weights are a .safetensors or .pth file, not .onnx.")
    return manifest


def _is_clickable(weights: Path) -> bool:
    """Return whether a file of the built-in network takes clicks, from its tensors.

    Raise WeightsInvalid if the file is not a readable checkpoint.
    """
    from segmentation.network_file import config_of, read_tensors  # imports torch; a file with a manifest needs none

    return config_of(read_tensors(weights)).is_clickable


def built_in_looker(loading: Loading) -> Looker:
    """Load the built-in network and return the object that runs it (see the module `looking`).

    A network that takes clicks has two sessions, for its encoder and its decoder.

    Raise WeightsInvalid if the manifest's `points` does not match the network.
    """
    looker = looker_of(built_in_sessions(loading))
    if looker.takes_clicks != loading.manifest.points:
        raise WeightsInvalid("The manifest says of points what does not fit the network.", field="points")
    return looker


def built_in_sessions(loading: Loading) -> list[Session]:
    """Build one session per part of the built-in network, in the order in which the parts run.

    Torch is imported only if it is needed. The runtime `onnx` has the same effect as `auto`, because the built-in
    network is not an ONNX file. Raise InferenceFailed if the requested runtime is not available.
    """
    if loading.runtime == "torch-cuda" or (loading.runtime in ("auto", "onnx") and a_gpu_may_be_there()):
        from segmentation.engines import torch_runtime

        if torch_runtime.cuda_is_there():
            return _built_in_on_torch(loading, "cuda")
        if loading.runtime == "torch-cuda":
            raise InferenceFailed("This machine has no GPU that torch can use.")
    if loading.runtime in ("auto", "onnx", "openvino"):
        try:
            return _built_in_on_openvino(loading)
        except (ImportError, RuntimeError) as error:
            if loading.runtime == "openvino":
                raise InferenceFailed("OpenVINO cannot run the built-in network here.") from error
            logger.warning("OpenVINO cannot run the built-in network here; torch does it. %s", error)
    return _built_in_on_torch(loading, "cpu")


def _built_in_on_torch(loading: Loading, device: str) -> list[Session]:
    from segmentation.engines import torch_runtime

    parts = torch_runtime.parts_of(torch_runtime.built_in_network(loading.weights))
    return [torch_runtime.TorchSession(part, device=device, threads=loading.threads) for part in parts]


def _built_in_on_openvino(loading: Loading) -> list[Session]:
    from segmentation.engines import openvino_runtime

    count = 2 if loading.manifest.points else 1
    caches = [_converted_path(loading, part) for part in range(count)]
    models = [openvino_runtime.read_converted(cache) if cache else None for cache in caches]
    if not all(models):
        from segmentation.engines import torch_runtime

        parts = torch_runtime.parts_of(torch_runtime.built_in_network(loading.weights))
        models = [torch_runtime.converted(part, loading.manifest.size) for part in parts]
        for cache, model in zip(caches, models, strict=False):
            if cache:
                openvino_runtime.write_converted(model, cache)
    return [openvino_runtime.OpenVinoSession(model, threads=loading.threads) for model in models]


def _converted_path(loading: Loading, part: int) -> Path | None:
    """Return the path of a converted part of the network, or None if there is no cache folder.

    The file name depends on the weights, the input size, the network's code and OpenVINO's version. If one of them
    changes, the network is converted again.
    """
    if loading.cache_dir is None:
        return None
    import openvino

    network = Path(__file__).parents[1] / "network.py"
    made_by = hashlib.sha256(openvino.__version__.encode() + network.read_bytes()).hexdigest()
    return loading.cache_dir / f"{loading.sha256[:16]}-{loading.manifest.size}-{made_by[:8]}-{part}.openvino.zip"


def onnx_session(loading: Loading) -> Session:
    """Build a session for an ONNX file with the runtime `loading.runtime`.

    `auto` means ONNX Runtime if it can use a GPU, otherwise OpenVINO, and ONNX Runtime on the CPU if OpenVINO cannot
    read the file.

    Raise InferenceFailed if the runtime is `torch-cuda` and ONNX Runtime cannot use CUDA. Raise WeightsInvalid if no
    runtime can read the file, and also if the runtime is `openvino` and OpenVINO cannot read the file.
    """
    if loading.runtime == "torch-cuda":
        return _onnx_on_onnx_runtime(loading, on_cuda=True)
    if loading.runtime in ("auto", "onnx") and a_gpu_may_be_there():
        try:
            return _onnx_on_onnx_runtime(loading, on_cuda=True)
        except InferenceFailed as error:
            logger.warning("%s runs on the CPU, although there may be a GPU. %s", loading.weights.name, error)
    if loading.runtime in ("auto", "openvino"):
        try:
            return _onnx_on_openvino(loading)
        except (ImportError, RuntimeError) as error:
            if loading.runtime == "openvino":
                raise WeightsInvalid(f"OpenVINO cannot read {loading.weights.name}.") from error
            logger.warning("OpenVINO cannot read %s; ONNX Runtime does it. %s", loading.weights.name, error)
    return _onnx_on_onnx_runtime(loading, on_cuda=False)


def _onnx_on_onnx_runtime(loading: Loading, *, on_cuda: bool) -> Session:
    from segmentation.engines import onnx_runtime

    try:
        return onnx_runtime.OnnxRuntimeSession(loading.weights, threads=loading.threads, on_cuda=on_cuda)
    except InferenceFailed:
        raise
    except Exception as error:  # the runtime's own exceptions have no other common base class
        raise WeightsInvalid(f"The weights file {loading.weights.name} is no ONNX model that can be run.") from error


def _onnx_on_openvino(loading: Loading) -> Session:
    from segmentation.engines import openvino_runtime

    size = loading.manifest.size
    shape = (1, 3, size, size) if loading.manifest.batched else (3, size, size)
    return openvino_runtime.onnx_session(loading.weights, shape, threads=loading.threads)


def a_gpu_may_be_there() -> bool:
    """Return whether this machine may have a GPU: whether a GPU's device file exists, or whether this is Windows.

    This function does not import torch.
    """
    return os.name == "nt" or any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg"))


def warm_up(engine: Engine) -> None:
    """Run an engine on a test picture, so that the first request does not wait for the runtime's initialisation.

    The test picture shows a bright disc on a shaded background.

    Raise WeightsInvalid if the run fails or its result is not a matte of values 0..1. Also raise it if the alpha is the
    same everywhere, because every model should find the disc. Models that find only people are allowed to find nothing.
    """
    rgb = np.empty((240, 320, 3), np.uint8)
    rgb[:] = np.linspace(60, 120, 320, dtype=np.uint8)[None, :, None]
    cv2.circle(rgb, (160, 120), 70, (220, 180, 150), -1, cv2.LINE_AA)
    try:
        mattes = [engine.auto(rgb), *engine.boxes(rgb, [Box(80, 40, 240, 200)])]
        if engine.takes_points:
            mattes.append(engine.points(rgb, [Point(160, 120)], [], before=None))
    except InferenceFailed as error:
        raise WeightsInvalid(f"The network fails on a test picture: {error.__cause__ or error}"[:400]) from error
    for matte in mattes:
        for alpha in (matte.alpha, matte.people):
            if alpha is None:
                continue
            if alpha.ndim != 2 or not np.isfinite(alpha).all() or alpha.min() < 0 or alpha.max() > 1:
                raise WeightsInvalid("The network's answer to a test picture is not an alpha between 0 and 1.")
    subject = mattes[0]
    level = float(subject.alpha.mean())
    # A network for people only is right to find nothing in the test picture.
    may_be_empty = subject.people is subject.alpha and level < LEAST_CONTRAST
    if np.ptp(subject.alpha) < LEAST_CONTRAST and not may_be_empty:
        raise WeightsInvalid(f"The network answers a test picture with the same alpha everywhere ({level:.2f}).")
