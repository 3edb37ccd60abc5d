"""Tests that training batches contain the requested kinds: prompts, compositions, groups of people and empty scenes."""

import pytest
import torch

from training import geometry, mixture
from training.bank import PEOPLE_CODES
from training.colour import compressed, softened
from training.mixture import Mixture, counted_people, draw, marked_people, possible

from .drawn import SIZE


class TestMixture:
    def test_sources_that_a_bank_cannot_serve_are_left_out(self, bank):
        shares = possible(Mixture(), bank)

        assert sum(shares.values()) == pytest.approx(1)
        assert {name for name, share in shares.items() if share} == {"photos", "boxed"}

    def test_a_prompt_is_drawn_round_what_is_asked_for(self, bank):
        torch.manual_seed(2)
        batch = draw(bank, {"boxed": 1.0}, 16, SIZE)

        asked = batch.alphas[:, :1] > 0.5
        assert set(batch.plane.unique().tolist()) == {-1.0, 1.0}
        inside = (batch.plane > 0) & asked
        assert inside.sum() > 0.9 * asked.sum()

    def test_with_a_prompt_a_composition_asks_for_one_of_its_subjects(self, full_bank):
        torch.manual_seed(0)
        batch = draw(full_bank, {"composites": 1.0}, 32, SIZE)

        prompted = batch.plane.abs().amax((1, 2, 3)) > 0
        outside = (batch.alphas[:, :1] > 0.5) & (batch.plane < 0)
        people = batch.alphas[:, 1]
        assert 0 < int(prompted.sum()) < 32
        assert outside[prompted].sum() < 0.1 * (batch.alphas[prompted, 0] > 0.5).sum()
        assert people[prompted].sum() > batch.alphas[prompted, 0].sum()
        torch.testing.assert_close(people[~prompted], batch.alphas[~prompted, 0])

    def test_empty_scenes_ask_for_nothing_and_nobody(self, full_bank):
        batch = draw(full_bank, {"empty": 1.0}, 4, SIZE)

        assert batch.alphas.max() == 0
        assert batch.trusted.min() == 1
        assert batch.people_known.all()
        assert not batch.people_present.any()

    def test_crowds_are_not_trusted(self, full_bank):
        torch.manual_seed(1)
        batch = marked_people(full_bank, 8, SIZE)

        assert batch.trusted[:, 0].max() == 0  # the subject of these scenes is unknown
        assert 0.5 < batch.trusted[:, 1].mean() < 1
        assert torch.equal(batch.people_known, batch.trusted[:, 1:] > 0)

    def test_boxed_people_are_known_everywhere_but_where_they_are_not_told_apart(self, full_bank, monkeypatch):
        whole = torch.tensor([[-1.0, -1.0, 1.0, 1.0]])
        monkeypatch.setattr(geometry, "random_crops", lambda count, *_: whole.expand(count, 4))
        monkeypatch.setattr(geometry, "chance", lambda count, *_: torch.arange(count) % 2 == 1)
        full_bank.alphas = full_bank.alphas[torch.arange(len(full_bank.alphas))]
        full_bank.alphas[full_bank.boxed_photo[0], :, :40] = 255  # a subject, part of it in the first person's box

        batch = counted_people(full_bank, 2, SIZE)

        assert batch.people_boxes[:, :2].tolist() == [
            [[-1, -1, 0, 1], [0.25, -1, 0.875, 1]],
            [[0, -1, 1, 1], [-0.875, -1, -0.25, 1]],
        ]
        assert batch.people_present.sum(1).tolist() == [2, 2]
        assert not batch.people_known[:, :, :16].any()
        assert batch.people_known[:, :, 16:].all()
        people, trusted = batch.alphas[0, 1, 32] > 0, batch.trusted[0, 1, 32] > 0
        assert people.tolist() == [True] * 32 + [False] * 32
        assert trusted.tolist() == [True] * 40 + [False] * 20 + [True] * 4
        assert not batch.trusted[:, 0].any()

    @pytest.mark.parametrize(("kind", "is_people"), [("thing", False), ("person", True), ("people", True)])
    def test_a_named_subject_teaches_about_people_only_where_it_is(self, bank, kind, is_people):
        bank.people[:] = PEOPLE_CODES[kind]

        batch = draw(bank, {"photos": 1.0}, 4, SIZE)

        assert torch.equal(batch.trusted[:, 1] > 0, batch.alphas[:, 0] > 0.5)
        torch.testing.assert_close(batch.alphas[:, 1], batch.alphas[:, 0] * is_people)
        assert not batch.people_known.any()

    def test_marked_people_are_pasted_as_people(self, full_bank, monkeypatch):
        torch.manual_seed(0)
        monkeypatch.setattr(mixture, "OBJECT_SHARE", 1.0)
        full_bank.people[:] = PEOPLE_CODES["thing"]  # so that all people of a composition are marked people
        monkeypatch.setattr(full_bank, "real", torch.zeros_like(full_bank.real).index_fill(0, full_bank.empty, 1.0))

        batch = mixture.composites(full_bank, 8, SIZE)

        assert batch.people_present.any(1).sum() >= 6
        assert batch.alphas[:, 1].amax((1, 2)).min() > 0.5

    def test_without_single_people_others_are_pasted_instead(self, full_bank):
        full_bank.person_cutout[:] = 0
        assert len(mixture.composites(full_bank, 6, SIZE).photos) == 6
        full_bank.person_cutout[0], full_bank.cutout[:] = 1, 0
        assert len(mixture.composites(full_bank, 6, SIZE).photos) == 6

    def test_some_people_come_close_enough_to_be_cut_by_the_border(self, full_bank):
        torch.manual_seed(0)
        cutouts = torch.zeros(64, 4, SIZE, SIZE)
        cutouts[:, 3, 8:56, 24:40] = 1
        middle = torch.ones(64)

        people = mixture._placed(cutouts, middle, torch.ones(64, dtype=torch.bool), SIZE)[:, 3]
        things = mixture._placed(cutouts, middle, torch.zeros(64, dtype=torch.bool), SIZE)[:, 3]

        assert (people[:, -1].amax(1) > 0).sum() > (things[:, -1].amax(1) > 0).sum()
        assert people.amax((1, 2)).min() > 0.5

    @pytest.mark.parametrize("factor", [1, 2, 3, 6])
    def test_a_reduced_pattern_becomes_even_instead_of_noise_and_stays_in_place(self, factor):
        pattern = (torch.arange(96)[:, None] + torch.arange(96)) % 2 * 1.0
        half = torch.cat([torch.zeros(96, 48), torch.ones(96, 48)], 1)
        shown = torch.tensor([[-1.0, -1.0, 1.0, 1.0]]) * factor  # the picture in the middle, reduced
        affine = geometry.maps(shown, torch.tensor([False]), torch.zeros(1))

        both = geometry.warp(torch.stack([pattern, half])[None], affine, 96, padding="zeros")[0]

        inner = slice(48 - 32 // factor, 48 + 32 // factor)
        assert both[0, inner, inner].std() < (0.51 if factor == 1 else 0.13)
        assert both[1, 48, 48 - 36 // factor : 46].max() < 0.02
        assert both[1, 48, 50 : 48 + 36 // factor].min() > 0.98


class TestGeometry:
    def test_boxes_round_masks_in_units_of_the_picture(self):
        masks = torch.zeros(2, 8, 8)
        masks[0, 2:4, 4:8] = 1

        boxes, present = geometry.mask_boxes(masks)

        assert boxes[0].tolist() == [0.0, -0.5, 1.0, 0.0]
        assert present.tolist() == [True, False]

    def test_placed_boxes_land_where_they_shall(self):
        torch.manual_seed(0)
        masks = torch.zeros(1, 1, 64, 64)
        masks[:, :, 8:24, 8:24] = 1
        boxes, _ = geometry.mask_boxes(masks[:, 0])

        shown = geometry.placements(boxes, torch.tensor([[0.5, 0.0]]), torch.tensor([0.25]))
        affine = geometry.maps(shown, torch.tensor([False]), torch.zeros(1))
        landed, _ = geometry.mask_boxes(geometry.warp(masks, affine, 64, padding="zeros")[:, 0])

        middle = (landed[0, :2] + landed[0, 2:]) / 2
        torch.testing.assert_close(middle, torch.tensor([0.5, 0.0]), atol=0.04, rtol=0)
        assert float((landed[0, 2:] - landed[0, :2]).max()) == pytest.approx(0.5, abs=0.12)

    def test_softening_moves_nothing(self):
        photos = torch.zeros(1, 3, 256, 256)
        photos[..., 128:] = 1
        for seed in range(20):
            torch.manual_seed(seed)
            profile = softened(photos)[0, 0, 128]
            assert abs(float((1 - profile).sum()) - 128) < 0.3

    def test_block_noise_keeps_even_areas_and_hurts_fine_ones(self):
        torch.manual_seed(0)
        even, fine = torch.full((1, 3, 16, 16), 0.5), torch.rand(1, 3, 16, 16)

        assert (compressed(even) - even).abs().max() < 0.02
        assert (compressed(fine) - fine).abs().mean() > 0.005
