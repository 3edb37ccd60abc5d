"""The names of the runtimes that can run a model. Imports nothing, so that the start-up check can read it."""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """`auto` takes CUDA where there is a GPU, else OpenVINO, else what the weights file can run on without it."""

    AUTO = "auto"
    OPENVINO = "openvino"
    TORCH_CPU = "torch-cpu"
    TORCH_CUDA = "torch-cuda"
    ONNX = "onnx"


RUNTIMES = tuple(str(runtime) for runtime in Runtime)
