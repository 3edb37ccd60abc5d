"""Tests that the gradients of depthwise and of parallel convolutions equal the gradients that plain torch computes."""

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from segmentation.network import KeylineUNet
from tests.segmentation.small_network import SMALL
from training import depthwise
from training.gradients import Gradients


class TestDepthwise:
    @pytest.mark.parametrize("stride", [1, 2])
    @pytest.mark.parametrize("kernel", [3, 5])
    @pytest.mark.parametrize("size", [(16, 16), (15, 18)])
    def test_all_three_gradients_are_those_of_conv2d(self, kernel, stride, size):
        torch.manual_seed(0)
        x = torch.randn(2, 4, *size, dtype=torch.float64, requires_grad=True)
        weight = torch.randn(4, 1, kernel, kernel, dtype=torch.float64, requires_grad=True)
        bias = torch.randn(4, dtype=torch.float64, requires_grad=True)
        expected = functional.conv2d(x, weight, bias, stride, kernel // 2, 1, 4)
        change = torch.randn_like(expected)

        result = depthwise.convolve(x, weight, bias, stride, kernel // 2, 1, 4)

        torch.testing.assert_close(result, expected)
        for ours, theirs in zip(
            torch.autograd.grad(result, (x, weight, bias), change),
            torch.autograd.grad(expected, (x, weight, bias), change),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)

    def test_a_hastened_network_answers_as_before(self):
        torch.manual_seed(0)
        network, inputs = KeylineUNet(SMALL).eval(), torch.randn(1, 4, 64, 64)
        before = network(inputs)

        depthwise.hasten(network)

        torch.testing.assert_close(network(inputs), before)


class TestSideBySide:
    def test_two_workers_give_the_mean_of_their_gradients(self):
        torch.manual_seed(0)
        network = nn.Linear(3, 2)
        pieces = list(torch.randn(2, 5, 3))
        queue = list(pieces)

        loss = Gradients(network, 2).of(lambda copied: copied(queue.pop()).square().mean())

        gradient = network.weight.grad.clone()
        network.zero_grad()
        expected = torch.stack([network(piece).square().mean() for piece in pieces]).mean()
        expected.backward()
        assert loss == pytest.approx(expected.item(), rel=1e-5)
        torch.testing.assert_close(gradient, network.weight.grad)

    def test_a_step_on_the_weights_reaches_every_worker(self):
        network = nn.Linear(3, 2)
        gradients = Gradients(network, 2)
        with torch.no_grad():
            network.weight.fill_(2)

        seen = []
        gradients.of(lambda copied: (seen.append(float(copied.weight.detach().mean())), copied.weight.sum())[1])

        assert seen == [2, 2]

    def test_what_the_loss_does_not_touch_has_no_gradient(self):
        network = nn.ModuleDict({"used": nn.Linear(2, 1), "idle": nn.Linear(2, 1)})

        Gradients(network, 2).of(lambda copied: copied["used"](torch.ones(1, 2)).sum())

        assert network["idle"].weight.grad is None
        assert network["used"].weight.grad is not None
