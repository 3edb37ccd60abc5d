"""The names of the runtimes that can run a model. Imports nothing, so that the start-up check can read it."""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """`auto` takes CUDA where there is a GPU, else the fastest of the others: OpenVINO until it has been measured.

    `openvino` computes as the CPU does best, in bfloat16 where it can; `openvino-fp32` in full precision.
    """

    AUTO = "auto"
    OPENVINO = "openvino"
    OPENVINO_FP32 = "openvino-fp32"
    TORCH_CPU = "torch-cpu"
    TORCH_CUDA = "torch-cuda"
    ONNX = "onnx"


RUNTIMES = tuple(str(runtime) for runtime in Runtime)
