"""Tests that load and check weight files, and tests of the errors for unusable files."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from segmentation.engines import openvino_runtime, registry, torch_runtime
from segmentation.engines.registry import load_engine
from segmentation.errors import InferenceFailed, WeightsInvalid
from segmentation.network import KeylineUNet, NetworkConfig
from segmentation.options import Box

pytestmark = pytest.mark.slow

MANIFEST = {"name": "tried", "family": "keyline", "size": 64, "box_mode": "prompt", "licence": "MIT"}


@pytest.fixture(scope="session")
def tensors():
    """Return the tensors of an untrained built-in network whose output depends on the picture."""
    torch.manual_seed(7)
    network = KeylineUNet()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(0.3)
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.fixture(scope="session")
def weights(tensors, tmp_path_factory):
    """Return the path of a valid weight file with its manifest."""
    path = tmp_path_factory.mktemp("weights") / "tried.safetensors"
    save_file(tensors, path)
    (path.with_suffix(".json")).write_text(json.dumps(MANIFEST | {"sha256": sha256_of(path)}))
    return path


@pytest.fixture(scope="session")
def cached(weights, tmp_path_factory):
    """Return a cache folder that contains the converted network. Tests must copy the folder before they change it."""
    folder = tmp_path_factory.mktemp("cache")
    load_engine(weights, runtime="openvino", cache_dir=folder)
    return folder


@pytest.fixture
def cache(cached, tmp_path):
    (original,) = cached.iterdir()
    (tmp_path / original.name).write_bytes(original.read_bytes())
    return tmp_path


@pytest.fixture
def rgb():
    return np.random.default_rng(3).integers(0, 255, (90, 120, 3), np.uint8)


@pytest.fixture
def conversions(cached, monkeypatch):
    """Replace the conversion to OpenVINO by a function that reads the converted network from the folder `cached`.

    Return a list to which this function adds the input size of each requested conversion.
    """
    sizes = []
    (original,) = cached.iterdir()

    def convert(network, size_px):
        sizes.append(size_px)
        return openvino_runtime.read_converted(original)

    monkeypatch.setattr(torch_runtime, "converted", convert)
    return sizes


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_engine_says_what_is_loaded(weights, cache):
    engine = load_engine(weights, cache_dir=cache, runtime="openvino")
    assert (engine.name, engine.version, engine.runtime) == ("tried", sha256_of(weights)[:12], "openvino")


def test_openvino_and_torch_give_the_same_alphas(weights, cache, rgb):
    fast, plain = (load_engine(weights, runtime=name, cache_dir=cache) for name in ("openvino", "torch-cpu"))
    assert plain.runtime == "torch-cpu"
    expected, found = plain.auto(rgb), fast.auto(rgb)
    assert expected.alpha.std() > 0.01
    np.testing.assert_allclose(found.alpha, expected.alpha, atol=0.02)
    np.testing.assert_allclose(found.people, expected.people, atol=0.02)
    box = Box(20, 10, 80, 70)
    np.testing.assert_allclose(fast.boxes(rgb, [box])[0].alpha, plain.boxes(rgb, [box])[0].alpha, atol=0.02)


def test_a_second_start_reads_the_converted_network(weights, tmp_path, rgb, conversions):
    for _ in range(3):
        assert load_engine(weights, runtime="openvino", cache_dir=tmp_path).auto(rgb).alpha.std() > 0.01
    assert conversions == [64]


def test_a_second_start_does_without_torch(weights, cache):
    program = (
        "import sys; from pathlib import Path; from segmentation.engines.registry import load_engine;"
        f"load_engine(Path({str(weights)!r}), runtime='openvino', cache_dir=Path({str(cache)!r}));"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2]).returncode == 0


@pytest.mark.parametrize("damage", ["cut short", "empty", "text", "a flipped byte", "a zip of nonsense"])
def test_a_broken_cache_is_made_anew(weights, cache, rgb, conversions, damage):
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    if damage == "a zip of nonsense":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("model.xml", "<net/>")
            archive.writestr("model.bin", b"nonsense")
    else:
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
        file.write_bytes({"cut short": whole[:middle], "empty": b"", "text": b"no", "a flipped byte": flipped}[damage])
    assert load_engine(weights, runtime="openvino", cache_dir=cache).auto(rgb).alpha.std() > 0.01
    assert conversions == [64]
    assert [path.name for path in cache.iterdir()] == [file.name]
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None


def test_a_cache_that_cannot_be_written_is_no_reason_not_to_start(weights, tmp_path, rgb, conversions):
    (tmp_path / "file").write_text("in the way")
    engine = load_engine(weights, runtime="openvino", cache_dir=tmp_path / "file" / "cache")
    assert engine.auto(rgb).alpha.std() > 0.01


def test_other_weights_do_not_take_the_first_ones_cache(weights, tensors, cache, rgb, tmp_path):
    other = tmp_path / "others" / "tried.safetensors"
    other.parent.mkdir()
    save_file({name: -tensor if name == "mattes.weight" else tensor for name, tensor in tensors.items()}, other)
    other.with_suffix(".json").write_text(json.dumps(MANIFEST))
    first, second = (load_engine(path, runtime="openvino", cache_dir=cache) for path in (weights, other))
    assert first.version != second.version
    assert np.abs(first.auto(rgb).alpha - second.auto(rgb).alpha).max() > 0.01


def test_without_a_usable_gpu_auto_takes_openvino(weights, cache, monkeypatch):
    monkeypatch.setattr(registry, "a_gpu_may_be_there", lambda: True)
    monkeypatch.setattr(torch_runtime, "cuda_is_there", lambda: False)
    assert load_engine(weights, cache_dir=cache).runtime == "openvino"


def test_without_openvino_auto_takes_torch(weights, monkeypatch):
    def fail(loading):
        raise RuntimeError("no such processor")

    monkeypatch.setattr(registry, "a_gpu_may_be_there", lambda: False)
    monkeypatch.setattr(registry, "_built_in_on_openvino", fail)
    assert load_engine(weights).runtime == "torch-cpu"
    with pytest.raises(InferenceFailed, match="OpenVINO"):
        load_engine(weights, runtime="openvino")


@pytest.mark.parametrize("runtime", ["torch-cuda", "abacus"])
def test_a_runtime_that_cannot_be_had_is_refused(weights, monkeypatch, runtime):
    monkeypatch.setattr(torch_runtime, "cuda_is_there", lambda: False)
    with pytest.raises(InferenceFailed):
        load_engine(weights, runtime=runtime)


def test_the_built_in_network_runs_on_another_runtime_if_onnx_is_chosen(weights, cache, monkeypatch):
    monkeypatch.setattr(registry, "a_gpu_may_be_there", lambda: False)
    assert load_engine(weights, runtime="onnx", cache_dir=cache).runtime == "openvino"
    monkeypatch.setattr(registry, "_built_in_on_openvino", Mock(side_effect=ImportError))
    assert load_engine(weights, runtime="onnx").runtime == "torch-cpu"


def test_weights_saved_by_torch_are_loaded_without_a_manifest(tensors, tmp_path):
    path = tmp_path / "my_custom_unet.pth"
    torch.save(tensors, path)
    engine = load_engine(path, runtime="torch-cpu")
    assert engine.name == "my_custom_unet"


def without_one(tensors):
    return {name: tensor for name, tensor in tensors.items() if name != "mattes.bias"}


def with_one_more(tensors):
    return tensors | {"surprise.weight": torch.zeros(3)}


def with_a_wrong_shape(tensors):
    return tensors | {"mattes.bias": torch.zeros(5)}


def with_no_number(tensors):
    return tensors | {"mattes.bias": torch.full((8,), float("nan"))}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without_one, r"missing mattes\.bias"),
        (with_one_more, r"unexpected surprise\.weight"),
        (with_a_wrong_shape, r"mattes\.bias has shape \(5,\) instead of \(8,\)"),
        (with_no_number, r"not finite, in mattes\.bias"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_that_do_not_fit_are_refused_with_the_reason(tensors, tmp_path, change, says, suffix):
    path = tmp_path / f"off{suffix}"
    (torch.save if suffix == ".pth" else save_file)(change(tensors), path)
    with pytest.raises(WeightsInvalid, match=says):
        load_engine(path, runtime="torch-cpu")


class Bomb:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(tmp_path):
    touched = tmp_path / "touched"
    torch.save({"mattes.bias": Bomb(touched)}, tmp_path / "bomb.pth")
    with pytest.raises(WeightsInvalid, match="not a readable checkpoint"):
        load_engine(tmp_path / "bomb.pth", runtime="torch-cpu")
    assert not touched.exists()


@pytest.mark.parametrize("name", ["text.pth", "text.safetensors", "empty.pth", "list.pth"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"" if "empty" in name else b"Dear network, " * 30)
    if "list" in name:
        torch.save([1, 2, 3], path)
    with pytest.raises(WeightsInvalid, match=r"not a readable checkpoint|not hold a dictionary of tensors"):
        load_engine(path, runtime="torch-cpu")


@pytest.mark.parametrize("checksum", ["sha256", "md5"])
def test_weights_that_are_not_those_of_the_manifest_are_refused(weights, tmp_path, checksum):
    path = tmp_path / "tried.safetensors"
    path.write_bytes(weights.read_bytes())
    path.with_suffix(".json").write_text(json.dumps(MANIFEST | {checksum: "0" * 32}))
    with pytest.raises(WeightsInvalid, match=checksum):
        load_engine(path, runtime="torch-cpu")


def test_a_file_that_is_not_there_or_of_no_kind_is_refused(tmp_path):
    with pytest.raises(WeightsInvalid, match="does not exist"):
        load_engine(tmp_path / "gone.safetensors")
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(WeightsInvalid, match="ends in"):
        load_engine(tmp_path / "photo.jpg")


def test_a_manifest_that_is_not_json_is_refused(weights, tmp_path):
    path = tmp_path / "tried.safetensors"
    path.write_bytes(weights.read_bytes())
    path.with_suffix(".json").write_text("{")
    with pytest.raises(WeightsInvalid, match="JSON"):
        load_engine(path)


@pytest.mark.parametrize("runtime", ["openvino", "torch-cpu"])
def test_a_network_for_clicks_needs_no_manifest(tmp_path: Path, runtime: str) -> None:
    network = KeylineUNet(NetworkConfig(prompt_planes=3, attention_blocks=1))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(0.3)
    torch.save(network.state_dict(), tmp_path / "mine.pth")

    assert load_engine(tmp_path / "mine.pth", runtime=runtime, cache_dir=tmp_path).takes_points
