"""Tests of training on drawn pictures: the loss falls, training continues after an interruption, weights are usable."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from segmentation.network_file import load_network
from tests.segmentation.small_network import CLICKABLE
from training import train as train_module
from training.mixture import Mixture, possible
from training.train import CONTINUED, SPELL, NotFinite, Schedule, start, train, train_from, train_step

from .drawn import SIZE, disc

CPU = torch.device("cpu")
SCHEDULE = Schedule(minutes=1, size=SIZE, batch=4, stages=((1.0, 1.0),), scales=(1.0,), warm_up_steps=1)


def fresh_run(tmp_path, **settings):
    torch.manual_seed(0)
    return start(device=CPU, schedule=SCHEDULE, out=tmp_path, config=CLICKABLE, **settings)


class TestTraining:
    @pytest.mark.slow
    def test_a_fresh_network_learns_to_find_the_discs(self, bank, tmp_path):
        run = fresh_run(tmp_path)
        shares = possible(Mixture(), bank)

        losses = [train_step(run, bank, shares, SCHEDULE) for _ in range(20)]

        assert np.mean(losses[-6:]) < 0.85 * np.mean(losses[:4])
        assert run.seen == 20 * SCHEDULE.batch

    def test_deeper_blocks_of_the_encoder_are_left_out_more_often(self, tmp_path):
        run = fresh_run(tmp_path)

        drops = [module.drop for module in run.network.encoder.modules() if hasattr(module, "drop")]

        assert drops == sorted(drops)
        assert 0 == drops[0] < drops[-1] < SCHEDULE.drop

    def test_every_source_of_pictures_can_be_learned_from(self, full_bank, tmp_path):
        run = fresh_run(tmp_path)
        shares = possible(Mixture(), full_bank)

        losses = [train_step(run, full_bank, shares, SCHEDULE) for _ in range(3)]

        assert min(shares.values()) > 0
        assert np.isfinite(losses).all()

    def test_a_resumed_run_goes_on_where_it_stopped(self, bank, tmp_path):
        run = fresh_run(tmp_path)
        for _ in range(3):
            train_step(run, bank, {"photos": 1.0}, SCHEDULE)
        run.spent_s = 12.5
        run.save(tmp_path)

        resumed = fresh_run(tmp_path, resume=True)

        assert (resumed.step, resumed.seen, resumed.spent_s) == (3, 3 * SCHEDULE.batch, 12.5)
        for name, value in run.network.state_dict().items():
            torch.testing.assert_close(resumed.network.state_dict()[name], value)
        torch.manual_seed(5)
        went_on = train_step(run, bank, {"photos": 1.0}, SCHEDULE)
        torch.manual_seed(5)
        assert train_step(resumed, bank, {"photos": 1.0}, SCHEDULE) == pytest.approx(went_on, rel=1e-4)

    def test_a_step_without_finite_gradients_goes_back_to_the_checkpoint(self, bank, tmp_path, monkeypatch):
        run = fresh_run(tmp_path)
        spoiled = iter([True])
        whole, said = train_module.training_loss, []

        def loss(outputs, batch, edges):
            return whole(outputs, batch, edges) * (float("nan") if next(spoiled, False) else 1.0)

        monkeypatch.setattr(train_module, "training_loss", loss)

        train(bank, replace(SCHEDULE, pictures=2 * SCHEDULE.batch), run, tmp_path, said.append)

        assert "not finite" in said[0]
        assert said[0].endswith("the checkpoint of 0 pictures")
        assert run.seen == 2 * SCHEDULE.batch
        assert all(value.isfinite().all() for value in run.averaged.state_dict().values())

    def test_gradients_that_are_never_finite_end_the_run_with_finite_weights(self, bank, tmp_path, monkeypatch):
        run = fresh_run(tmp_path)
        monkeypatch.setattr(train_module, "training_loss", lambda outputs, *_: outputs[0].sum() * float("inf"))

        with pytest.raises(NotFinite, match="step 0"):
            train(bank, replace(SCHEDULE, pictures=8), run, tmp_path, lambda line: None)

        resumed = fresh_run(tmp_path, resume=True)
        assert all(value.isfinite().all() for value in resumed.network.state_dict().values())

    def test_a_spent_schedule_trains_no_further(self, bank, tmp_path):
        run = fresh_run(tmp_path)
        run.spent_s = 60 * SCHEDULE.minutes

        assert train(bank, SCHEDULE, run, tmp_path, pytest.fail).step == 0

    def test_a_schedule_in_pictures_ends_with_them_however_long_they_take(self, bank, tmp_path):
        schedule = replace(SCHEDULE, pictures=10)

        run = train(bank, schedule, fresh_run(tmp_path), tmp_path, print)

        assert run.seen == 12  # the first multiple of a batch

    def test_a_stopped_run_finishes_its_step_and_can_be_resumed(self, bank, tmp_path):
        run = fresh_run(tmp_path)

        train(bank, SCHEDULE, run, tmp_path, print, stopped=lambda: run.step == 2)

        assert fresh_run(tmp_path, resume=True).step == 2

    def test_an_interrupted_run_leaves_a_state_to_go_on_from(self, bank, tmp_path, monkeypatch):
        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("training.train.train_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(bank, SCHEDULE, fresh_run(tmp_path), tmp_path, pytest.fail)

        assert fresh_run(tmp_path, resume=True).step == 0
        assert (tmp_path / "state.pt").exists()

    def test_a_folder_of_pairs_becomes_weights_that_load(self, pairs, tmp_path):
        lines = []

        run = train_from(
            data=pairs, out=tmp_path / "out", schedule=Schedule(minutes=1e-9, size=SIZE, batch=2), say=lines.append
        )

        assert run.step == 1  # the first step uses all of the time, on any machine
        assert lines[0].startswith("8 photos")
        load_network(tmp_path / "out" / "weights.safetensors")

    def test_each_stage_has_pictures_in_a_size_of_its_own(self, pairs, tmp_path, monkeypatch):
        sides, whole = [], train_module.bank_from
        monkeypatch.setattr(train_module, "bank_from", lambda listed, side: sides.append(side) or whole(listed, side))
        stages = ((0.5, 0.5), (1.0, 1.0))

        run = train_from(
            data=pairs,
            out=tmp_path / "out",
            schedule=Schedule(pictures=8, size=128, batch=2, stages=stages, scales=(1.0,)),
            say=lambda line: None,
        )

        assert run.seen == 8
        assert sides == [96, 192]

    def test_a_folder_without_subjects_is_refused(self, tmp_path):
        cv2.imwrite(str(tmp_path / "photo.jpg"), disc(1)[0])

        with pytest.raises(ValueError, match="no photo with a subject"):
            train_from(data=tmp_path, out=tmp_path / "out", schedule=SCHEDULE, say=print)


class TestSchedule:
    def test_sizes_grow_in_steps_of_32(self):
        schedule = Schedule(minutes=10, size=320, stages=((0.5, 0.5), (0.8, 0.7), (1.0, 1.0)))

        assert [schedule.size_at(done) for done in (0, 0.49, 0.6, 0.9, 1.0)] == [160, 160, 224, 320, 320]

    def test_a_spell_of_steps_has_one_size_and_all_sizes_come(self):
        schedule = Schedule(minutes=10, size=320, stages=((1.0, 0.8),), scales=(0.75, 1.0, 1.25))

        sizes = [schedule.size_of(0.5, step) for step in range(20 * SPELL)]

        assert set(sizes) == {192, 256, 320}
        assert all(len(set(sizes[start : start + SPELL])) == 1 for start in range(0, len(sizes), SPELL))
        assert sizes == [schedule.size_of(0.5, step) for step in range(20 * SPELL)]

    def test_rates_rise_then_fall_to_a_rest(self):
        schedule = Schedule(minutes=10, warm_up_steps=10, last_rate=0.02)

        assert schedule.rate_at(0, 0) == pytest.approx(0.1)
        assert schedule.rate_at(0, 10) == 1
        assert schedule.rate_at(0.5, 100) == pytest.approx(0.5)
        assert schedule.rate_at(1.2, 100) == 0.02

    def test_trained_weights_go_on_at_lower_rates_in_one_stage(self):
        fresh = Schedule(minutes=10, size=320)

        continued = fresh.continued()

        assert [continued.size_at(done) for done in (0, 0.49, 0.5, 1.0)] == [256, 256, 256, 256]
        shares = [getattr(continued, name) / getattr(fresh, name) for name in CONTINUED]
        assert 0.3 < continued.encoder_rate / fresh.encoder_rate < min(shares[:2]) <= max(shares) < 1
        assert (continued.minutes, continued.size) == (10, 320)
