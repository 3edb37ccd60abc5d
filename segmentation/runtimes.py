"""The names of the runtimes that can run a model.

Django's settings import this module, so it imports only the standard library.
"""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """The setting that selects the libraries which run the built-in network and `.onnx` files.

    - auto: on a GPU, torch runs the built-in network, and ONNX Runtime runs `.onnx` files. Without a GPU, the library
      that was measured as the fastest runs a file. If nothing was measured, OpenVINO runs it.
    - openvino: OpenVINO runs all files, on the CPU and in its fastest precision (bfloat16 if the CPU supports it).
    - openvino-fp32: OpenVINO runs all files, on the CPU and in float32.
    - torch-cpu: torch runs the built-in network, and ONNX Runtime runs `.onnx` files, both on the CPU.
    - torch-cuda: torch runs the built-in network, and ONNX Runtime runs `.onnx` files, both on a GPU (CUDA).
    - onnx: ONNX Runtime runs `.onnx` files, on a GPU if there is one. torch runs the built-in network on a GPU, and
      OpenVINO runs it if there is no GPU.
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
