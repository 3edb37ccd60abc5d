"""Tests of the built-in network: output shapes, initial state, weight files, and the use by the runtimes."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import openvino
import pytest
import skimage.data
import torch
import torch.nn.functional as functional
from safetensors.torch import save_file

from segmentation.engines.registry import load_engine
from segmentation.engines.torch_runtime import converted, parts_of
from segmentation.errors import WeightsInvalid
from segmentation.network import FoldedConvolution, InvertedResidual, KeylineUNet, bin_means
from segmentation.network_file import load_network
from segmentation.options import Box

from .small_network import CLICKABLE, SMALL

U2NET_MULTIPLICATIONS = 37.7e9  # Qin et al. 2020, at 320 x 320


@pytest.fixture
def network():
    torch.manual_seed(0)
    return KeylineUNet(SMALL).eval()


def saved(path, network, **changes):
    weights = {name: value.clone() for name, value in network.state_dict().items()} | changes
    weights = {name: value for name, value in weights.items() if value is not None}
    if path.suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)
    path.with_suffix(".json").write_text(json.dumps({"config": asdict(SMALL)}))
    return path


def outputs_of(network, inputs):
    with torch.inference_mode():
        return network(inputs)


class TestLeavingOut:
    def test_training_leaves_a_block_out_for_some_pictures_and_makes_up_for_it_in_the_others(self):
        torch.manual_seed(0)
        block, x = InvertedResidual(8, 8, 3, 1, 2), torch.randn(64, 8, 4, 4)
        served = block.eval()(x)
        block.drop = 0.5

        trained = block.train()(x)

        left_out = (trained == x).flatten(1).all(1)
        assert 16 < left_out.sum() < 48
        torch.testing.assert_close(trained[~left_out], 2 * served[~left_out] - x[~left_out])

    def test_serving_leaves_out_nothing(self):
        block, x = InvertedResidual(8, 8, 3, 1, 2).eval(), torch.randn(4, 8, 4, 4)
        before = block(x)
        block.drop = 0.9

        assert torch.equal(block(x), before)


class TestShapes:
    @pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160), (224, 32)])
    def test_every_multiple_of_32_gives_full_mattes_and_people_at_an_eighth(self, network, height, width):
        mattes, people = outputs_of(network, torch.randn(2, 4, height, width))

        assert mattes.shape == (2, 2, height, width)
        assert people.shape == (2, 5, height // 8, width // 8)

    def test_training_adds_mattes_at_strides_8_and_4(self, network):
        sides = network.train()(torch.randn(2, 4, 64, 64))[2:]

        assert [tuple(side.shape) for side in sides] == [(2, 2, 8, 8), (2, 2, 16, 16)]

    @pytest.mark.parametrize(("bins", "size"), [(1, 7), (2, 7), (4, 7), (4, 10), (4, 3), (2, 8)])
    def test_bins_average_as_adaptive_pooling_does(self, bins, size):
        values = torch.randn(1, 1, size)

        pooled = bin_means(bins, size) @ values[0, 0]

        torch.testing.assert_close(pooled, functional.adaptive_avg_pool1d(values, bins)[0, 0])


class TestBeginnings:
    def test_a_fresh_network_does_not_hear_its_prompt_below_the_stem(self, network):
        photo = torch.randn(1, 3, 64, 64)
        torch.nn.init.zeros_(network.encoder.stem.weight[:, 3:])
        silent, _ = outputs_of(network, torch.cat([photo, torch.zeros(1, 1, 64, 64)], 1))
        spoken, _ = outputs_of(network, torch.cat([photo, torch.ones(1, 1, 64, 64)], 1))

        torch.testing.assert_close(silent, spoken)

    def test_a_fresh_network_sees_nobody(self, network):
        _, people = outputs_of(network, torch.randn(4, 4, 64, 64))

        assert torch.sigmoid(people[:, 0]).mean() < 0.1

    def test_the_prompt_reaches_every_depth(self, network):
        network.train()
        plane = torch.ones(2, 1, 64, 64)
        network(torch.cat([torch.randn(2, 3, 64, 64), plane], 1))[0].sum().backward()

        assert all(layer.weight.grad.abs().max() > 0 for layer in network.encoder.prompt)


@pytest.mark.slow
class TestRuntimes:
    @pytest.mark.parametrize("size", [256, 320, 384])
    def test_openvino_answers_as_torch_does(self, network, size):
        inputs = torch.randn(1, 4, size, size)
        exact = {"INFERENCE_PRECISION_HINT": "f32"}

        answers = openvino.compile_model(converted(network, size), "CPU", exact)(inputs.numpy())

        for index, expected in enumerate(outputs_of(network, inputs)):
            np.testing.assert_allclose(answers[index], expected.numpy(), atol=1e-3)

    def test_a_picture_costs_at_most_a_quarter_of_u2net(self):
        network, counted = KeylineUNet().eval(), []

        def count(layer, _, output):
            cells = output.shape[2] * output.shape[3]
            counted.append(cells * layer.weight.numel())

        for layer in network.modules():
            if isinstance(layer, (torch.nn.Conv2d, FoldedConvolution)):
                layer.register_forward_hook(count)
        outputs_of(network, torch.zeros(1, 4, 320, 320))

        assert sum(counted) < U2NET_MULTIPLICATIONS / 4


class TestLoading:
    @pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
    def test_saved_weights_come_back(self, network, tmp_path, suffix):
        loaded = load_network(saved(tmp_path / f"weights{suffix}", network))

        inputs = torch.randn(1, 4, 64, 64)
        torch.testing.assert_close(outputs_of(loaded, inputs), outputs_of(network, inputs))
        assert not loaded.training

    def test_half_precision_is_loaded_as_single(self, network, tmp_path):
        halves = {name: value.half() for name, value in network.state_dict().items() if value.is_floating_point()}

        loaded = load_network(saved(tmp_path / "weights.safetensors", network, **halves))

        assert {value.dtype for value in loaded.parameters()} == {torch.float32}

    def test_missing_and_unexpected_names_are_told(self, network, tmp_path):
        path = saved(tmp_path / "weights.safetensors", network, **{"mattes.bias": None, "extra": torch.zeros(1)})

        with pytest.raises(WeightsInvalid, match=r"missing mattes\.bias; unexpected extra"):
            load_network(path)

    def test_a_wrong_shape_is_told_with_both_shapes(self, network, tmp_path):
        path = saved(tmp_path / "weights.safetensors", network, **{"mattes.bias": torch.zeros(3)})

        with pytest.raises(WeightsInvalid, match=r"mattes\.bias has shape \(3,\) instead of \(8,\)"):
            load_network(path)

    def test_many_faults_are_counted_rather_than_listed(self, network, tmp_path):
        path = saved(tmp_path / "weights.safetensors", network)
        path.with_suffix(".json").unlink()  # without a manifest, the network has the default size

        with pytest.raises(WeightsInvalid, match=r"and \d+ more"):
            load_network(path)

    @pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
    def test_a_file_that_is_no_checkpoint_is_refused(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"not a checkpoint at all")

        with pytest.raises(WeightsInvalid, match="not a readable checkpoint"):
            load_network(tmp_path / name)

    def test_a_missing_file_is_refused(self, tmp_path):
        with pytest.raises(WeightsInvalid):
            load_network(tmp_path / "nowhere.safetensors")

    def test_a_pth_file_cannot_run_code(self, tmp_path):
        marker = tmp_path / "ran"

        class Evil:
            def __reduce__(self):
                return marker.touch, ()

        torch.save({"weights": Evil()}, tmp_path / "weights.pth")

        with pytest.raises(WeightsInvalid):
            load_network(tmp_path / "weights.pth")
        assert not marker.exists()

    def test_a_pth_file_of_something_else_is_refused(self, tmp_path):
        torch.save([1, 2, 3], tmp_path / "weights.pth")

        with pytest.raises(WeightsInvalid, match="dictionary of tensors"):
            load_network(tmp_path / "weights.pth")

    def test_a_manifest_with_an_unknown_config_is_refused(self, network, tmp_path):
        path = saved(tmp_path / "weights.safetensors", network)
        path.with_suffix(".json").write_text('{"config": {"wings": 2}}')

        with pytest.raises(WeightsInvalid, match="config"):
            load_network(path)


SHIPPED = Path(__file__).parents[2] / "weights" / "keyline-small.safetensors"


@pytest.fixture(scope="module")
def engine():
    return load_engine(SHIPPED)


@pytest.mark.slow
class TestShippedWeights:
    def test_the_manifest_describes_the_file(self):
        manifest = json.loads(SHIPPED.with_suffix(".json").read_text())

        assert manifest["sha256"] == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
        assert manifest["parameters"] == sum(p.numel() for p in load_network(SHIPPED).parameters())
        assert SHIPPED.stat().st_size < 40e6

    def test_a_cup_on_a_table_comes_out_and_the_table_does_not(self, engine):
        alpha = engine.auto(skimage.data.coffee()).alpha  # the photo has 400 x 600 pixels, with the cup in the middle

        side = len(alpha)
        assert alpha[side * 35 // 100 : side * 66 // 100, side * 40 // 100 : side * 62 // 100].mean() > 0.9
        assert alpha[: side // 12, : side // 12].mean() < 0.1
        assert alpha[: side // 12, -side // 12 :].mean() < 0.1

    def test_a_box_holds_its_subject_and_nothing_outside(self, engine):
        cat = skimage.data.chelsea()

        (matte,) = engine.boxes(cat, [Box(60, 20, 400, 300)])

        height, width = matte.alpha.shape
        assert matte.alpha[height // 3 : height // 2, width // 3 : width // 2].mean() > 0.8
        assert matte.alpha[:, : width * 50 // 451].max() == 0


@pytest.mark.slow
class TestClickableNetwork:
    @pytest.fixture
    def clickable(self):
        torch.manual_seed(2)
        network = KeylineUNet(CLICKABLE).eval()
        for module in (*network.prompts.tell, network.attention[0].out):  # simulate a trained network
            torch.nn.init.normal_(module.weight, std=0.3)
        return network

    def test_prompts_change_the_answer_and_not_the_features(self, clickable):
        photo, planes = torch.randn(2, 3, 64, 64), torch.zeros(2, 3, 64, 64)
        planes[1, 1, 20:24, 20:24] = 1.0
        with torch.no_grad():
            features = clickable.encode(photo[:1].expand(2, -1, -1, -1))
            mattes, people = clickable.decode(features, planes)
            at_once = clickable(torch.cat([photo[:1].expand(2, -1, -1, -1), planes], 1))

        assert (mattes.shape, people.shape) == ((2, 2, 64, 64), (2, 5, 8, 8))
        assert (mattes[0] - mattes[1]).abs().max() > 1e-3
        torch.testing.assert_close(at_once[0], mattes)

    def test_openvino_runs_both_parts_as_torch_does(self, clickable):
        photo, planes = torch.randn(1, 3, 64, 64), torch.randn(1, 3, 64, 64)
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        encoder, decoder = (openvino.compile_model(converted(part, 64), "CPU", exact) for part in parts_of(clickable))

        features = list(encoder(photo.numpy()).values())
        answers = list(decoder([*features, planes.numpy()]).values())

        with torch.no_grad():
            expected = clickable(torch.cat([photo, planes], 1))
        for answer, tensor in zip(answers, expected, strict=True):
            np.testing.assert_allclose(answer, tensor.numpy(), atol=1e-3)
