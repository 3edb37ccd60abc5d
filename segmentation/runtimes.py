"""The names of the runtimes that can run a model. The start-up check imports this module, so it imports nothing."""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """`auto` uses CUDA if there is a GPU, else the fastest other runtime: OpenVINO until measured.

    `openvino` computes in the CPU's fastest precision, bfloat16 if supported; `openvino-fp32` in full precision.
    """

    AUTO = "auto"
    OPENVINO = "openvino"
    OPENVINO_FP32 = "openvino-fp32"
    TORCH_CPU = "torch-cpu"
    TORCH_CUDA = "torch-cuda"
    ONNX = "onnx"


RUNTIMES = tuple(str(runtime) for runtime in Runtime)
