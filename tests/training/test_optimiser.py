"""Tests of the optimisers: Muon changes weights by an angle, and each parameter has its optimiser and learning rate."""

import pytest
import torch

from segmentation.network import KeylineUNet
from tests.segmentation.small_network import SMALL
from training.optimiser import Muon, optimisers, orthogonalised


class TestOptimiser:
    def test_orthogonalised_matrices_have_singular_values_near_one(self):
        torch.manual_seed(0)
        for shape in ((8, 20), (20, 8)):
            values = torch.linalg.svdvals(orthogonalised(torch.randn(shape)))
            assert values.min() > 0.5
            assert values.max() < 1.4

    def test_a_step_turns_a_weight_and_keeps_its_length(self):
        torch.manual_seed(0)
        weight = torch.nn.Parameter(torch.randn(6, 4, 3, 3))
        before = weight.detach().clone()
        weight.grad = torch.randn_like(weight)

        Muon([weight], lr=0.1).step()

        after = weight.detach()
        assert after.norm().item() == pytest.approx(before.norm().item(), rel=1e-5)
        assert 0.05 < ((after - before).norm() / before.norm()).item() < 0.11

    def test_the_encoder_goes_at_its_own_rate_and_normalised_convolutions_are_turned(self):
        network = KeylineUNet(SMALL)

        muon, adam = optimisers(network, 0.1, 0.01, 0.001)

        turned, encoder, others = (
            {id(parameter) for parameter in group["params"]} for group in (*muon.param_groups, *adam.param_groups)
        )
        assert id(network.up[0][0][0].weight) in turned
        assert id(network.encoder.stem.weight) in encoder
        assert {id(network.mattes.weight), id(network.up[0][0][1].weight)} <= others
        assert len(turned) + len(encoder) + len(others) == len(list(network.parameters()))
        assert [group["peak"] for group in (*muon.param_groups, *adam.param_groups)] == [0.1, 0.001, 0.01]
