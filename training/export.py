"""Export of averaged weights for the site, as a 16-bit safetensors file with a manifest."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file

from segmentation.engines.manifest import KEYLINE, manifest_path
from segmentation.network import KeylineUNet
from training.mixture import IMAGENET_MEAN, IMAGENET_STD

# The best serving settings for such a network, measured on the built-in weights (docs/model-log.md).
SERVED = {"box_mode": "crop", "box_margin": 0.3, "mirrored": False, "second_look": True, "min_score": 0.35}


def export(network: KeylineUNet, path: Path, *, size: int) -> None:
    """Write the network's weights to `path`, and a manifest next to it.

    An existing manifest with the same `config` is kept. Both files are written completely before they are renamed.

    size: the side in pixels of the input that the site will use.
    """
    manifest = manifest_path(path)
    described = manifest_of(network, path, size)
    if not (manifest.exists() and _config_in(manifest) == described["config"]):
        draft = manifest.with_name(manifest.name + ".part")
        draft.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
        draft.replace(manifest)
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }
    part = path.with_name(path.name + ".part")
    save_file(weights, part)
    part.replace(path)


def manifest_of(network: KeylineUNet, path: Path, size: int) -> dict[str, object]:
    """Return the manifest's JSON object for the weights in `path`.

    Licence, data and measurements must be added by hand before publication.

    size: the input's side in pixels.
    """
    return {
        "name": path.stem,
        "family": KEYLINE,
        "file": path.name,
        "licence": "not stated",
        "architecture": "segmentation.network.KeylineUNet",
        "config": {name: list(value) if isinstance(value, tuple) else value for name, value in _config(network)},
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "points": network.config.is_clickable,
        "size": size,
        "mean": list(IMAGENET_MEAN),
        "std": list(IMAGENET_STD),
        **SERVED,
    }


def _config(network: KeylineUNet) -> list[tuple[str, object]]:
    return list(asdict(network.config).items())


def _config_in(manifest: Path) -> object:
    try:
        return json.loads(manifest.read_text(encoding="utf-8")).get("config")
    except (ValueError, AttributeError):
        return None


def sharpened(network: KeylineUNet, gain: float, offset: float) -> None:
    """Change the last layer's weights so that the logits of subject and people become logit * gain + offset."""
    last = network.mattes
    assert last.bias is not None
    with torch.no_grad():
        last.weight.mul_(gain)
        last.bias.mul_(gain).add_(offset)
