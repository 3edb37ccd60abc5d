"""Sessions of ONNX Runtime, which runs ONNX files on the CPU or on an NVIDIA GPU (CUDA)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from segmentation.errors import InferenceFailed
from segmentation.runtimes import INSTALL_ONNX_CUDA

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
# An ONNX model with one Relu node: the smallest test of a provider. The package `onnx` would write the same bytes.
_PROBE = (
    b'\x08\x08:3\n\x0c\n\x01x\x12\x01y"\x04Relu\x12\x01pZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\x11"
)


def cuda_is_there() -> bool:
    """Return whether the installed ONNX Runtime was built with CUDA.

    The result does not say whether CUDA works on this machine. `require_cuda` checks this.
    """
    return _CUDA in onnxruntime.get_available_providers()


def require_cuda() -> None:
    """Run a small network on CUDA. If that is not possible, raise InferenceFailed with a hint about what to install."""
    OnnxRuntimeSession(_PROBE, on_cuda=True).run(np.ones(1, np.float32))


class OnnxRuntimeSession:
    """A session for an ONNX file that runs one picture at a time.

    model: the path of the file, or its bytes.
    threads: the number of cores; None lets ONNX Runtime decide.
    on_cuda: run on CUDA, and raise InferenceFailed if that is not possible. Without this check, ONNX Runtime would
    continue on the CPU.

    The attribute `runtime` is `onnx-cuda` if the session uses CUDA, and `onnx` if it uses only the CPU.
    """

    max_batch = 1

    def __init__(self, model: Path | bytes, *, threads: int | None = None, on_cuda: bool = False) -> None:
        options = onnxruntime.SessionOptions()
        # The arena keeps the memory of the largest run: 14 GB instead of 7.7 GB with the largest public networks.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        if threads:
            options.intra_op_num_threads = threads
        if on_cuda:
            if not cuda_is_there():
                raise InferenceFailed(f"The installed ONNX Runtime has no CUDA. {INSTALL_ONNX_CUDA}")
            onnxruntime.preload_dlls()  # finds the CUDA libraries that pip has installed, also those of torch
        providers = [_CUDA, _CPU] if on_cuda else [_CPU]
        self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        is_on_cuda = _CUDA in self._session.get_providers()
        if on_cuda:
            if not is_on_cuda:
                raise InferenceFailed(f"ONNX Runtime cannot use CUDA here. {INSTALL_ONNX_CUDA}")
            self._session.disable_fallback()  # a run that fails on CUDA must not continue on the CPU
        self._input = self._session.get_inputs()[0].name
        self.runtime = "onnx-cuda" if is_on_cuda else "onnx"
        self.outputs = tuple(output.name for output in self._session.get_outputs())

    def run(self, *batches: np.ndarray) -> list[np.ndarray]:
        (batch,) = batches
        return self._session.run(None, {self._input: batch})
