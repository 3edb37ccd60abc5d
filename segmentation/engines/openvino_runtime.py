"""Sessions of OpenVINO, which is usually the fastest runtime on a CPU.

A torch network is converted once. The converted model is stored as one file, so that the next start does not import
torch.
"""

from __future__ import annotations

import logging
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import openvino

logger = logging.getLogger(__name__)


_precision: ContextVar[str | None] = ContextVar("precision", default=None)


@contextmanager
def full_precision() -> Iterator[None]:
    """Return a context manager for sessions with full precision.

    Sessions that are built inside the `with` block compute in float32 instead of the CPU's fastest precision.
    """
    token = _precision.set("f32")
    try:
        yield
    finally:
        _precision.reset(token)


class OpenVinoSession:
    """A session for an OpenVINO model that runs one picture at a time.

    Batches would not save time: on a CPU, a batch of n pictures takes as long as n runs with one picture. A network for
    exactly one picture is also compiled to faster code.

    threads: the number of cores; None lets OpenVINO decide.
    core: an OpenVINO core to reuse; None creates one.
    """

    runtime = "openvino"
    max_batch = 1

    def __init__(self, model: openvino.Model, *, threads: int | None = None, core: openvino.Core | None = None) -> None:
        config: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        if _precision.get():
            config["INFERENCE_PRECISION_HINT"] = _precision.get()
            self.runtime = "openvino-fp32"
        compiled = (core or openvino.Core()).compile_model(model, "CPU", config)
        self._request = compiled.create_infer_request()
        self._ports = compiled.outputs
        self.outputs = tuple(min(port.get_names(), default=str(index)) for index, port in enumerate(compiled.outputs))

    def run(self, *batches: np.ndarray) -> list[np.ndarray]:
        results = self._request.infer(list(batches), share_inputs=True)
        return [np.array(results[port]) for port in self._ports]


def onnx_session(path: Path, input_shape: tuple[int, ...], *, threads: int | None = None) -> OpenVinoSession:
    """Load an ONNX file with one input, fixed to `input_shape`, as a session.

    threads: the number of cores; None lets OpenVINO decide.

    Raise RuntimeError if OpenVINO cannot load the file.
    """
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape(input_shape)
    return OpenVinoSession(model, threads=threads, core=core)


def read_converted(path: Path) -> openvino.Model | None:
    """Return the model that `write_converted` stored at `path`; None if the file is missing or unusable."""
    try:
        with zipfile.ZipFile(path) as archive:  # reading a member checks its CRC-32
            graph, weights = archive.read("model.xml"), archive.read("model.bin")
        tensor = openvino.Tensor(np.frombuffer(weights, np.uint8))
        return openvino.Core().read_model(graph, tensor)
    except FileNotFoundError:
        return None
    except Exception as error:  # any fault of the stored model; the network is converted again
        logger.warning("The converted model %s is of no use (%s); converting again.", path.name, error)
        return None


def write_converted(model: openvino.Model, path: Path) -> None:
    """Store a converted model as the file `path`. Other processes do not see the file before it is complete.

    On a full or read-only disk, log a warning and continue. The next start then converts the network again.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".convert-") as folder:
            openvino.save_model(model, os.path.join(folder, "model.xml"), compress_to_fp16=True)
            packed = Path(folder, "packed.zip")
            with zipfile.ZipFile(packed, "w") as archive:
                for member in ("model.xml", "model.bin"):
                    archive.write(Path(folder, member), member)
            packed.replace(path)
    except (OSError, RuntimeError) as error:
        logger.warning("The converted model could not be kept as %s: %s", path, error)
