"""Test of an encoder with the weights of an ImageNet checkpoint: its output equals that of the original network."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as functional

from segmentation.errors import WeightsInvalid
from segmentation.network import Encoder, KeylineUNet
from tests.segmentation.small_network import CLICKABLE, SMALL
from training.mixture import IMAGENET_MEAN, IMAGENET_STD
from training.pretrained import inherit, load_encoder


def published(encoder):
    """Return a checkpoint with random weights for this encoder, with the tensor names of the published checkpoints.

    The checkpoint stores each batch normalisation separately from its convolution.
    """
    weights, number = {}, 0

    def note(layer, convolution, normalisation, inputs=None):
        weights[convolution + ".weight"] = torch.randn_like(layer.weight)[:, :inputs] * 0.3
        channels = len(layer.weight)
        weights[normalisation + ".weight"] = torch.rand(channels) + 0.5
        weights[normalisation + ".bias"] = torch.randn(channels) * 0.3
        weights[normalisation + ".running_mean"] = torch.randn(channels) * 0.3
        weights[normalisation + ".running_var"] = torch.rand(channels) + 0.5

    note(encoder.stem, "_conv_stem", "_bn0", inputs=3)
    for stage in encoder.stages:
        for block in stage:
            name = f"_blocks.{number}."
            if block.widen is not None:
                note(block.widen, name + "_expand_conv", name + "_bn0")
            note(block.filter, name + "_depthwise_conv", name + "_bn1")
            note(block.narrow, name + "_project_conv", name + "_bn2")
            number += 1
    return weights


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return Encoder(SMALL)


@pytest.fixture
def checkpoint(encoder, tmp_path):
    torch.save(published(encoder), tmp_path / "encoder.pth")
    return tmp_path / "encoder.pth"


def normalised(weights, name, x):
    values = (weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return functional.batch_norm(x, *values, eps=1e-3)


def test_the_stem_answers_as_theirs_to_a_photo_normalised_our_way(encoder, checkpoint):
    load_encoder(encoder, checkpoint)
    weights = torch.load(checkpoint, weights_only=True)
    photo = torch.rand(1, 3, 32, 32)
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))

    ours = encoder.stem(torch.cat([(photo - mean) / deviation, torch.ones(1, 1, 32, 32)], 1))

    theirs = functional.conv2d((photo * 255 - 127) / 128, weights["_conv_stem.weight"], None, 2, 1)
    inner = (..., slice(1, -1), slice(1, -1))  # at the border both pad with zeros, which have different meanings
    torch.testing.assert_close(ours[inner], normalised(weights, "_bn0", theirs)[inner], rtol=1e-4, atol=1e-4)


def test_a_block_answers_as_theirs(encoder, checkpoint):
    load_encoder(encoder, checkpoint)
    weights = torch.load(checkpoint, weights_only=True)
    x = torch.randn(1, SMALL.widths[2], 16, 16)

    ours = encoder.stages[3][0](x)

    y = functional.conv2d(x, weights["_blocks.3._expand_conv.weight"])
    y = functional.relu6(normalised(weights, "_blocks.3._bn0", y))
    kernel = weights["_blocks.3._depthwise_conv.weight"]
    y = functional.conv2d(y, kernel, None, 2, 1, groups=len(kernel))
    y = functional.relu6(normalised(weights, "_blocks.3._bn1", y))
    y = functional.conv2d(y, weights["_blocks.3._project_conv.weight"])
    torch.testing.assert_close(ours, normalised(weights, "_blocks.3._bn2", y), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda weights: weights.pop("_blocks.2._project_conv.weight"), "_blocks.2._project_conv"),
        (lambda weights: weights.update({"_conv_stem.weight": torch.zeros(9, 3, 3, 3)}), "_conv_stem has shape"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused(encoder, checkpoint, spoil, told):
    weights = torch.load(checkpoint, weights_only=True)
    spoil(weights)
    torch.save(weights, checkpoint)

    with pytest.raises(WeightsInvalid, match=told):
        load_encoder(encoder, checkpoint)


def test_a_file_that_is_no_checkpoint_is_refused(encoder, tmp_path):
    (tmp_path / "encoder.pth").write_bytes(b"nothing of the kind")

    with pytest.raises(WeightsInvalid, match=r"encoder\.pth"):
        load_encoder(encoder, tmp_path / "encoder.pth")


class TestInheriting:
    def test_a_fresh_network_inherits_all_but_boxes_and_answers_alike(self):
        older = KeylineUNet(SMALL).eval()
        network = KeylineUNet(CLICKABLE).eval()
        inherit(network, older)
        photo = torch.randn(1, 3, 64, 64)
        with torch.no_grad():
            expected, _ = older(torch.cat([photo, torch.zeros(1, 1, 64, 64)], 1))
            answered, _ = network(torch.cat([photo, torch.zeros(1, 3, 64, 64)], 1))

        torch.testing.assert_close(answered, expected, atol=1e-4, rtol=1e-4)

    def test_weights_of_another_size_are_not_inherited(self):
        with pytest.raises(WeightsInvalid, match="of another size"):
            inherit(KeylineUNet(replace(CLICKABLE, stem_width=12)), KeylineUNet(SMALL))
