"""Tests of the simulated clicks of the training: their positions and their signs."""

import torch

from segmentation.network import KeylineUNet
from tests.segmentation.small_network import CLICKABLE
from training import clicks
from training.clicks import answered, drawn_clicks, place_clicks, prompt_planes
from training.mixture import draw

from .drawn import SIZE


def square_mask(count=1):
    mask = torch.zeros(count, 1, SIZE, SIZE)
    mask[:, :, 16:48, 8:40] = 1
    return mask


def test_a_click_lies_deep_in_what_it_is_about():
    torch.manual_seed(0)
    points = place_clicks(square_mask(200), square_mask(200))

    assert (points[:, 0] > 18).all()
    assert (points[:, 0] < 46).all()
    assert (points[:, 1] > 10).all()
    assert (points[:, 1] < 38).all()
    assert points.std(0).min() > 0.5


def test_a_click_draws_a_disc_and_covers_earlier_ones():
    planes, everywhere = torch.zeros(2, SIZE, SIZE), torch.tensor([True, True])
    points = torch.tensor([[20.0, 30.0], [40.0, 10.0]])

    once = drawn_clicks(planes, points, torch.tensor([1.0, -1.0]), everywhere)
    twice = drawn_clicks(once, points, torch.tensor([-1.0, -1.0]), torch.tensor([True, False]))

    assert once[0, 20, 30] == 1
    assert once[1, 40, 10] == -1
    assert 6 <= int((once != 0).sum()) / 2 <= 20
    assert twice[0, 20, 30] == -1
    assert torch.equal(twice[1], once[1])


def test_corrections_keep_what_is_missing_and_remove_what_is_too_much(bank, monkeypatch):
    """Clicks on missing parts must be keep clicks, and clicks on wrong parts must be remove clicks.

    The network's result is replaced by the left half of the picture.
    """
    half = torch.zeros(1, 1, SIZE, SIZE)
    half[..., : SIZE // 2] = 1
    monkeypatch.setattr(clicks, "answered", lambda _net, _levels, planes: half.expand(len(planes), -1, -1, -1))
    monkeypatch.setattr(clicks, "ROUNDS", (0.0, 0.0, 0.0, 1.0))
    torch.manual_seed(1)
    batch = draw(bank, {"boxed": 1.0}, 64, SIZE)

    planes = prompt_planes(KeylineUNet(CLICKABLE), [], batch)

    target = batch.alphas[:, 0] > 0.5
    keeps, removes, before = planes[:, 1] > 0, planes[:, 1] < 0, planes[:, 2]
    assert keeps.any()
    assert removes.any()
    assert target[keeps].float().mean() > 0.8
    assert target[removes].float().mean() < 0.2
    assert set(before.unique().tolist()) == {-1.0, 0.0, 1.0}
    boxed = planes[:, 0].abs().amax((1, 2)) > 0
    assert 0 < int(boxed.sum()) < 64
    assert not (keeps | removes).flatten(1).any(1)[before.abs().amax((1, 2)) == 0].all()


def test_what_must_not_be_clicked_at_keeps_its_empty_prompt(full_bank):
    batch = draw(full_bank, {"empty": 1.0}, 8, SIZE)
    network = KeylineUNet(CLICKABLE)

    planes = prompt_planes(network, network.encode(batch.normalised()), batch)

    assert not planes.any()


def test_asking_along_the_way_leaves_the_network_in_training():
    network = KeylineUNet(CLICKABLE).train()
    means = {name: value.clone() for name, value in network.state_dict().items() if "running" in name}
    with torch.no_grad():
        features = [level[:1] for level in network.eval().encode(torch.randn(1, 3, SIZE, SIZE))]
    network.train()

    alpha = answered(network, features, torch.zeros(1, 3, SIZE, SIZE))

    assert network.training
    assert alpha.shape == (1, 1, SIZE, SIZE)
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in means.items())
