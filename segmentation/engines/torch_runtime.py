"""Stage 6, the model: the built-in network under torch, on a GPU or, where nothing faster is there, on the CPU."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from segmentation.errors import WeightsInvalid
from segmentation.network import load_network

if TYPE_CHECKING:
    import openvino

OUTPUTS = ("mattes", "people")


def cuda_is_there() -> bool:
    return torch.cuda.is_available()


class TorchSession:
    """Run a torch module in channels-last order; on a GPU in bfloat16 and up to 16 pictures at once."""

    outputs = OUTPUTS

    def __init__(self, network: nn.Module, *, device: str, threads: int | None = None) -> None:
        self.runtime = f"torch-{device}"
        self.max_batch = 16 if device == "cuda" else 1
        self._device = torch.device(device)
        if threads and device == "cpu":
            torch.set_num_threads(threads)
        self._network = network.eval().to(self._device, memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        inputs = torch.from_numpy(batch).to(self._device, memory_format=torch.channels_last)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            outputs = self._network(inputs)
        return [output.float().cpu().numpy() for output in outputs]


def built_in_network(weights: Path) -> nn.Module:
    """Load the built-in network; raise WeightsInvalid saying what is wrong with the file.

    Numbers that are not finite are refused here, as a rectifier may hide them from the answer to a test picture.
    """
    network = load_network(weights)
    for name, tensor in network.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise WeightsInvalid(f"{weights.name} holds numbers that are not finite, in {name}.")
    return network


def converted(network: nn.Module, size_px: int) -> openvino.Model:
    """Convert the built-in network for one picture of size_px x size_px."""
    import openvino  # where it cannot run, this module still can

    example = torch.zeros(1, 4, size_px, size_px)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # sizes become constants, and they are constant
        warnings.simplefilter("ignore", DeprecationWarning)  # of tracing, which the converter knows best
        traced = torch.jit.trace(network, example, check_trace=False)
    model = openvino.convert_model(traced, example_input=example, input=[(1, 4, size_px, size_px)])
    for port, name in zip(model.outputs, OUTPUTS, strict=True):
        port.get_tensor().set_names({name})
    return model
