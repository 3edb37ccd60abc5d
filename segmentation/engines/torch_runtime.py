"""Stage 6, the model: the built-in network under torch, on a GPU or, where nothing faster is there, on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import torch
from torch import nn

from segmentation.errors import WeightsInvalid
from segmentation.network import load_network

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
    """Load the built-in network; raise WeightsInvalid saying what is wrong with the file."""
    try:
        return load_network(weights).eval()
    except WeightsInvalid:
        raise
    except Exception as error:
        raise WeightsInvalid(f"The weights file {weights.name} is not a checkpoint: {str(error)[:200]}") from error


def converted(network: nn.Module, size_px: int) -> openvino.Model:
    """Convert the built-in network for one picture of size_px x size_px."""
    example = torch.zeros(1, 4, size_px, size_px)
    with torch.inference_mode():
        model = openvino.convert_model(network, example_input=example, input=[(1, 4, size_px, size_px)])
    for port, name in zip(model.outputs, OUTPUTS, strict=True):
        port.get_tensor().set_names({name})
    return model
