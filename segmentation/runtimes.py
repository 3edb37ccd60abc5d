"""The names of the runtimes that can run a model.

The start-up check imports this module, so it imports little.
"""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """A way to run a model.

    `auto` uses CUDA if there is a GPU, else the runtime that was measured as the fastest, or OpenVINO before a
    measurement. `torch-cuda` runs the built-in network with torch and `.onnx` files with ONNX Runtime, both on CUDA.
    `torch-cpu` is for the built-in network and `onnx` is for `.onnx` files. Files of the other kind then run on another
    runtime. `openvino` computes in the CPU's fastest precision, which is bfloat16 if the CPU supports it.
    `openvino-fp32` computes in float32.
    """

    AUTO = "auto"
    OPENVINO = "openvino"
    OPENVINO_FP32 = "openvino-fp32"
    TORCH_CPU = "torch-cpu"
    TORCH_CUDA = "torch-cuda"
    ONNX = "onnx"


INSTALL_ONNX_CUDA = (
    "Check the driver, and install onnxruntime-gpu with its CUDA libraries: "
    "pip uninstall --yes onnxruntime && pip install 'onnxruntime-gpu[cuda,cudnn]'."
)
MAY_USE_GPUS = (Runtime.AUTO, Runtime.TORCH_CUDA, Runtime.ONNX)
RUNTIMES = tuple(str(runtime) for runtime in Runtime)


def device_of(runtime: str) -> str:
    """Return the kind of device, `cuda` or `cpu`, that the runtime with this name uses."""
    return "cuda" if "cuda" in runtime else "cpu"
