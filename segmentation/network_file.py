"""Loading of the built-in network from a weight file, with the config of its manifest or of its tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from .errors import WeightsInvalid
from .network import KeylineUNet, NetworkConfig


def load_network(path: Path) -> KeylineUNet:
    """Load a weight file, `.safetensors` or `.pth`, into the network that its manifest or `config_of` describes.

    Return the network in evaluation mode, in float32. Raise WeightsInvalid for missing or unexpected tensors, wrong
    shapes (the message names them), or an unreadable file.
    """
    weights = read_tensors(path)
    network = KeylineUNet(_config_beside(path) or config_of(weights))
    expected = network.state_dict()
    faults = [f"missing {name}" for name in expected if name not in weights]
    faults += [f"unexpected {name}" for name in weights if name not in expected]
    faults += [
        f"{name} has shape {tuple(weights[name].shape)} instead of {tuple(value.shape)}"
        for name, value in expected.items()
        if name in weights and weights[name].shape != value.shape
    ]
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise WeightsInvalid(f"{path.name} does not fit the network: {'; '.join(faults[:5])}{more}.")
    network.load_state_dict({name: value.to(expected[name].dtype) for name, value in weights.items()})
    return network.eval()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a weight file by name. Raise WeightsInvalid if the file does not contain tensors.

    `.pth` files are read with `weights_only`, so that they cannot run code.
    """
    try:
        weights = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # invalid files raise every kind of error in the unpickler
        raise WeightsInvalid(f"{path.name} is not a readable checkpoint.") from error
    if isinstance(weights, dict) and isinstance(weights.get("state_dict"), dict):
        weights = weights["state_dict"]  # training frameworks store it beside their own state
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise WeightsInvalid(f"{path.name} does not hold a dictionary of tensors.")
    return weights


def config_of(weights: Mapping[str, Tensor]) -> NetworkConfig:
    """Return the config of a network whose manifest has none, from the names of its tensors.

    The numbers of prompt planes and attention blocks are those of the tensors; all other sizes have their defaults.
    """
    blocks = {name.split(".")[1] for name in weights if name.startswith("attention.")}
    is_clickable = any(name.startswith("prompts.") for name in weights)
    return NetworkConfig(prompt_planes=3 if is_clickable else 1, attention_blocks=len(blocks))


def _config_beside(path: Path) -> NetworkConfig | None:
    """Return the config from a weight file's manifest, or None if there is no manifest or no config in it.

    Raise WeightsInvalid if the config or the manifest is invalid.
    """
    manifest = path.with_suffix(".json")
    if not manifest.exists():
        return None
    try:
        values = json.loads(manifest.read_text(encoding="utf-8")).get("config")
        return config_from_json(values) if values is not None else None
    except (ValueError, AttributeError, TypeError) as error:
        raise WeightsInvalid(f"The manifest {manifest.name} has no usable config.") from error


def config_from_json(values: dict[str, Any]) -> NetworkConfig:
    """Build a config from the manifest's JSON object. Raise TypeError for unknown field names."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return NetworkConfig(**fields)
