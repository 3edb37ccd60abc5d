"""Tests of the loss functions: they are lowest for the correct result, and 0 where the truth is unknown."""

import pytest
import torch

from training.losses import generalised_iou, matte_loss, people_loss, people_targets, surroundings, training_loss
from training.mixture import draw, marked_people

from .drawn import SIZE


class TestLosses:
    def test_a_perfect_matte_costs_nothing_and_an_opposite_one_much(self):
        alphas = torch.zeros(1, 2, 16, 16)
        alphas[..., :8] = 1
        trusted = torch.ones_like(alphas)
        logits = (alphas * 2 - 1) * 30

        assert matte_loss(logits, alphas, trusted) < 0.01
        assert matte_loss(-logits, alphas, trusted) > 10

    def test_what_is_not_trusted_costs_nothing(self):
        alphas = torch.zeros(1, 2, 16, 16)
        trusted = torch.ones_like(alphas)
        trusted[:, 1] = 0
        right, wrong = torch.full_like(alphas, -30), torch.full_like(alphas, -30)
        wrong[:, 1] = 30

        assert matte_loss(wrong, alphas, trusted) == matte_loss(right, alphas, trusted)

    def test_a_small_part_missed_costs_more_than_its_share_of_the_pixels(self):
        alphas = torch.zeros(1, 2, 64, 64)
        alphas[..., 10:50, 8:40] = 1
        alphas[..., 20:24, 52:56] = 1
        trusted = torch.ones_like(alphas)
        missed, eroded = (alphas * 2 - 1) * 3, (alphas * 2 - 1) * 3
        missed[..., 20:24, 52:56] = -3  # 16 pixels in one place
        eroded[..., 28:32, 20:24] = -3  # the same number of pixels inside the other part

        assert matte_loss(missed, alphas, trusted) > matte_loss(eroded, alphas, trusted)

    @pytest.mark.parametrize("side", [32, 64, 160, 320])
    def test_the_surroundings_of_an_edge_are_half_of_each_side(self, side):
        alphas = torch.zeros(1, 2, side, side)
        alphas[..., : side // 2] = 1

        means = surroundings(alphas)[0, 0, side // 2]

        assert means.shape == (side,)
        assert means[side // 2 - 1 : side // 2 + 1].mean() == pytest.approx(0.5, abs=0.02)
        assert means[[side // 4, -side // 4]].tolist() == pytest.approx([1, 0])

    def test_people_peak_at_their_centres_with_their_sizes(self, full_bank):
        batch = marked_people(full_bank, 1, SIZE)
        batch.people_boxes[0, 0] = torch.tensor([-0.5, -1.0, 0.0, 1.0])
        batch.people_present[0] = torch.tensor([True] + [False] * 11)
        batch.people_known[:] = True

        heat, reach = people_targets(batch, 8, 8)

        assert heat[0, 3:5, 2].min() > 0.7  # the centre lies between two cells
        assert heat[0, :, 4:].max() < 0.3
        assert reach[0, :, 3, 2].tolist() == pytest.approx([0.5, 3.5, 1.5, 4.5])  # the box is 2 cells by 8
        perfect = torch.full((1, 5, 8, 8), -20.0)
        perfect[0, 1:] = reach[0].clamp(min=1e-3).log()
        perfect[0, 0][heat[0] > 0.7] = 20
        missed = perfect.clone()
        missed[:, 0] = -20
        assert people_loss(perfect, batch) < 0.01
        assert people_loss(missed, batch) > 5

    @pytest.mark.parametrize(
        ("other", "expected"),
        [
            ([1, 2, 3, 4], 1.0),
            ([2, 4, 6, 8], 0.25),
            ([1, 2, 1, 4], 0.5),
            ([4, 2, 1, 4], 2 / 7),
            ([4, 8, 1, 1], 6 / 63 - 21 / 84),
        ],
    )
    def test_generalised_overlap_of_boxes_round_one_point(self, other, expected):
        box, other = (torch.tensor(values, dtype=torch.float32).view(1, 4, 1, 1) for values in ([1, 2, 3, 4], other))

        assert generalised_iou(box, other).item() == pytest.approx(expected)

    def test_scenes_with_unknown_people_do_not_teach_the_people_maps(self, bank):
        batch = draw(bank, {"photos": 1.0}, 2, SIZE)
        batch.people_known[:] = False

        assert people_loss(torch.randn(2, 5, 8, 8), batch) == 0

    def test_where_not_all_people_are_known_the_known_ones_still_teach(self, bank):
        batch = draw(bank, {"photos": 1.0}, 1, SIZE)
        batch.people_boxes[0, 0] = torch.tensor([-0.5, -0.5, 0.0, 0.0])
        batch.people_present[0, 0] = True
        batch.people_known[:] = False
        maps = torch.zeros(1, 5, 8, 8, requires_grad=True)

        people_loss(maps, batch).backward()

        touched = maps.grad.abs().sum(1)[0] > 0
        assert touched[2:4, 2:4].all()
        assert not touched[4:].any()
        assert not touched[:, 4:].any()

    def test_coarse_mattes_are_taught_as_well(self, bank):
        torch.manual_seed(0)
        batch = draw(bank, {"photos": 1.0}, 2, SIZE)
        mattes, people = torch.zeros(2, 2, SIZE, SIZE), torch.zeros(2, 5, 8, 8)
        side = torch.zeros(2, 2, 8, 8, requires_grad=True)

        training_loss((mattes, people, side, torch.zeros(2, 2, 16, 16)), batch).backward()

        assert side.grad.abs().max() > 0
