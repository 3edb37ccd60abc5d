"""The torch runtime for the built-in network: on a GPU, or on the CPU if no faster runtime is available."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.jit._trace import TracerWarning

from segmentation.errors import WeightsInvalid
from segmentation.network import KeylineUNet
from segmentation.network_file import load_network

if TYPE_CHECKING:
    import openvino

OUTPUTS = ("mattes", "people")


class EncoderPart(nn.Module):
    """The encoder of a network that takes clicks. It computes the feature maps of a photo, (B, 3, S, S)."""

    outputs = tuple(f"stride {stride}" for stride in (2, 4, 8, 16, 32))

    def __init__(self, network: KeylineUNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network.encode(photo))


class DecoderPart(nn.Module):
    """The decoder of a network that takes clicks.

    Its inputs are the encoder's five feature maps and the prompt planes (B, 3, S, S).
    """

    outputs = OUTPUTS

    def __init__(self, network: KeylineUNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, *features_and_planes: Tensor) -> tuple[Tensor, ...]:
        *features, planes = features_and_planes
        return self.network.decode(features, planes)


def cuda_is_there() -> bool:
    return torch.cuda.is_available()


class TorchSession:
    """A session for a torch module. On a GPU it computes in bfloat16, with up to 16 pictures per batch.

    device: `cuda` or `cpu`.
    threads: the number of cores; None lets torch decide.
    """

    def __init__(self, network: nn.Module, *, device: str, threads: int | None = None) -> None:
        self.runtime = f"torch-{device}"
        self.outputs = getattr(network, "outputs", OUTPUTS)
        self.max_batch = 16 if device == "cuda" else 1
        self._device = torch.device(device)
        if threads and device == "cpu":
            torch.set_num_threads(threads)
        self._network = network.eval().to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def run(self, *batches: np.ndarray) -> list[np.ndarray]:
        inputs = [torch.from_numpy(batch).to(self._device, memory_format=torch.channels_last) for batch in batches]
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            outputs = self._network(*inputs)
        return [output.float().cpu().numpy() for output in outputs]


def built_in_network(weights: Path) -> KeylineUNet:
    """Load the built-in network. Raise WeightsInvalid if the file does not fit the network or contains NaN or infinity.

    The weights are checked for NaN and infinity here, because a ReLU may hide them in the result for the test picture.
    """
    network = load_network(weights)
    for name, tensor in network.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise WeightsInvalid(f"{weights.name} holds numbers that are not finite, in {name}.")
    return network


def parts_of(network: KeylineUNet) -> list[nn.Module]:
    """Return the modules of a network, in the order in which they run.

    A network that takes clicks is split into encoder and decoder; any other network stays whole.
    """
    return [EncoderPart(network), DecoderPart(network)] if network.config.is_clickable else [network]


def converted(network: nn.Module, size_px: int) -> openvino.Model:
    """Convert a network, or one of its parts, to an OpenVINO model for one picture of size_px x size_px pixels."""
    import openvino  # optional: torch works without it

    examples = _examples(network, size_px)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", TracerWarning)  # sizes become constants, which is correct here
        warnings.simplefilter("ignore", DeprecationWarning)  # warnings of tracing, which are harmless here
        traced = torch.jit.trace(network.eval(), examples, check_trace=False)
    shapes = [tuple(example.shape) for example in examples]
    model = openvino.convert_model(traced, example_input=examples, input=shapes)
    for port, name in zip(model.outputs, getattr(network, "outputs", OUTPUTS), strict=True):
        port.get_tensor().set_names({name})
    return model


def _examples(network: nn.Module, size_px: int) -> tuple[Tensor, ...]:
    if isinstance(network, EncoderPart):
        return (torch.zeros(1, 3, size_px, size_px),)
    if isinstance(network, DecoderPart):
        photo, planes = torch.zeros(1, 3, size_px, size_px), torch.zeros(1, 3, size_px, size_px)
        with torch.inference_mode():
            return (*network.network.encode(photo), planes)
    return (torch.zeros(1, 4, size_px, size_px),)
