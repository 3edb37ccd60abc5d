"""Training lowers the loss on pictures that the tests draw, goes on where it stopped, and leaves servable weights."""

import json
import zipfile

import cv2
import numpy as np
import pytest
import torch

from segmentation.network import NetworkConfig, load_network
from segmentation.training import geometry
from segmentation.training.bank import PEOPLE_CODES, bank_from
from segmentation.training.colour import compressed
from segmentation.training.compose import pairs as pairs_of
from segmentation.training.data import Entry, entries, held_out, load
from segmentation.training.losses import matte_loss, people_loss, people_targets, training_loss
from segmentation.training.mixture import Mixture, draw, marked_people, possible
from segmentation.training.optimiser import Muon, optimisers, orthogonalised
from segmentation.training.train import Schedule, start, train, train_from, train_step

SMALL = NetworkConfig(widths=(8, 8, 16, 16, 24), depths=(1, 1, 1, 2), people_width=8)
SIZE = 64
CPU = torch.device("cpu")
SCHEDULE = Schedule(minutes=1, size=SIZE, batch=4, stages=((1.0, 1.0),), warm_up_steps=1)


def disc(seed, size=SIZE):
    """Draw a bright disc before a dark, noisy ground; return the photo and its mask."""
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 90, (size, size, 3), dtype=np.uint8)
    mask = np.zeros((size, size), np.uint8)
    centre = tuple(int(value) for value in rng.integers(size // 3, 2 * size // 3, 2))
    cv2.circle(mask, centre, size // 5, 255, -1)
    photo[mask > 0] = rng.integers(170, 255, 3)
    return photo, mask


def png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()


def write_pairs(folder, count=8):
    folder.mkdir(exist_ok=True)
    for index in range(count):
        photo, mask = disc(index)
        cv2.imwrite(str(folder / f"photo-{index}.jpg"), photo)
        cv2.imwrite(str(folder / f"photo-{index}.png"), mask)
    return folder


def write_shard(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Networks this small lose more by waiting for a second, busy core than they gain by it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def pairs(tmp_path):
    return write_pairs(tmp_path / "pairs")


@pytest.fixture
def shards(tmp_path):
    """Write shards of every kind: subjects, people one by one, objects and empty scenes."""
    folder = tmp_path / "shards"
    folder.mkdir()
    photo, mask = disc(1)
    subject = {f"{n}.webp": png(disc(n)[0]) for n in range(56)} | {f"{n}.png": png(disc(n)[1]) for n in range(56)}
    write_shard(folder / "train-clothing-00.zip", subject)
    write_shard(folder / "background-00.zip", {f"{n}.webp": png(disc(n)[0]) for n in range(64)})
    ids = (mask > 0).astype(np.uint8)
    ignore = np.zeros_like(mask)
    ignore[:8] = 255
    listed = json.dumps([{"id": 1, "class": "person", "box": [0, 0, 9, 9]}])
    marked = {"a.webp": png(photo), "a.png": png(mask), "a.people.png": png(ids), "a.ignore.png": png(ignore)}
    write_shard(folder / "train-people-00.zip", marked | {"a.things.png": png(ids), "a.things.json": listed})
    return folder


@pytest.fixture
def bank(pairs):
    return bank_from(list(entries(pairs)), SIZE)


@pytest.fixture
def full_bank(shards):
    return bank_from(held_out(list(entries(shards)))[0], SIZE)


def fresh_run(tmp_path, **settings):
    torch.manual_seed(0)
    return start(device=CPU, schedule=SCHEDULE, out=tmp_path, config=SMALL, **settings)


class TestTraining:
    def test_a_fresh_network_learns_to_find_the_discs(self, bank, tmp_path):
        run = fresh_run(tmp_path)
        shares = possible(Mixture(), bank)

        losses = [float(train_step(run, bank, shares, SCHEDULE)) for _ in range(20)]

        assert np.mean(losses[-6:]) < 0.85 * np.mean(losses[:4])
        assert run.seen == 20 * SCHEDULE.batch

    def test_every_source_of_pictures_can_be_learned_from(self, full_bank, tmp_path):
        run = fresh_run(tmp_path)
        shares = possible(Mixture(), full_bank)

        losses = [float(train_step(run, full_bank, shares, SCHEDULE)) for _ in range(3)]

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
        assert train_step(resumed, bank, {"photos": 1.0}, SCHEDULE) == pytest.approx(float(went_on), rel=1e-4)

    def test_a_spent_schedule_trains_no_further(self, bank, tmp_path):
        run = fresh_run(tmp_path)
        run.spent_s = 60 * SCHEDULE.minutes

        assert train(bank, SCHEDULE, run, tmp_path, pytest.fail).step == 0

    def test_an_interrupted_run_leaves_a_state_to_go_on_from(self, bank, tmp_path, monkeypatch):
        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("segmentation.training.train.train_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(bank, SCHEDULE, fresh_run(tmp_path), tmp_path, pytest.fail)

        assert fresh_run(tmp_path, resume=True).step == 0
        assert (tmp_path / "state.pt").exists()

    def test_a_folder_of_pairs_becomes_weights_that_load(self, pairs, tmp_path):
        lines = []

        run = train_from(
            data=pairs, out=tmp_path / "out", schedule=Schedule(minutes=1e-9, size=SIZE, batch=2), say=lines.append
        )

        assert run.step == 1  # the first step uses the time up, however fast the machine is
        assert lines[0].startswith("8 pictures")
        load_network(tmp_path / "out" / "weights.safetensors")

    def test_a_folder_without_subjects_is_refused(self, tmp_path):
        cv2.imwrite(str(tmp_path / "photo.jpg"), disc(1)[0])

        with pytest.raises(ValueError, match="no photo with a subject"):
            train_from(data=tmp_path, out=tmp_path / "out", schedule=SCHEDULE, say=print)


class TestSchedule:
    def test_sizes_grow_in_steps_of_32(self):
        schedule = Schedule(minutes=10, size=320, stages=((0.5, 0.5), (0.8, 0.7), (1.0, 1.0)))

        assert [schedule.size_at(done) for done in (0, 0.49, 0.6, 0.9, 1.0)] == [160, 160, 224, 320, 320]

    def test_rates_rise_then_fall_to_a_rest(self):
        schedule = Schedule(minutes=10, warm_up_steps=10, last_rate=0.02)

        assert schedule.rate_at(0, 0) == pytest.approx(0.1)
        assert schedule.rate_at(0, 10) == 1
        assert schedule.rate_at(0.5, 100) == pytest.approx(0.5)
        assert schedule.rate_at(1.2, 100) == 0.02


class TestData:
    def test_a_photo_and_its_mask_are_one_entry_whatever_the_suffix(self, pairs):
        listed = list(entries(pairs))

        assert len(listed) == 8
        assert {entry.photo.rpartition(".")[2] for entry in listed} == {"jpg"}
        assert all(entry.beside == {".png"} for entry in listed)

    def test_crowds_are_marked_as_ignored_and_objects_know_people(self, shards):
        (entry,) = entries(shards / "train-people-00.zip")

        picture = load(entry, SIZE)

        assert set(np.unique(picture.people)) == {0, 1, 255}
        assert picture.alpha is None
        assert [person for _, person in picture.objects] == [True]

    def test_what_is_held_out_depends_on_names_alone(self):
        def entry(name):
            return Entry("train-clothing", name, name, frozenset(), bytes)

        listed = [entry(f"{number}") for number in range(120)]
        kept, apart = held_out(listed)

        assert len(apart) == 50
        assert {e.name for e in apart} == {e.name for e in held_out(listed[::-1])[1]}
        assert not {e.name for e in apart} & {e.name for e in kept}

    def test_the_bank_knows_what_each_set_is_for(self, full_bank):
        assert len(full_bank.empty) == 4
        assert len(full_bank.marked) == len(full_bank.objects) == 1
        assert (full_bank.real > 0).sum() == 6
        assert (full_bank.people[full_bank.real > 0] == PEOPLE_CODES["one"]).all()
        assert full_bank.people[full_bank.marked_photo[0]] == PEOPLE_CODES["marked"]


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

        assert batch.trusted[:, 0].max() == 0  # nobody said what the subject of these scenes is
        assert 0.5 < batch.trusted[:, 1].mean() < 1


class TestPairs:
    def test_compositions_for_the_evaluation_are_always_the_same_two_people(self, shards):
        first, again = (list(pairs_of(shards, count=3)) for _ in range(2))

        for one, other in zip(first, again, strict=True):
            assert (one.rgb == other.rgb).all()
            assert all(alpha.max() > 0.9 for alpha in one.alphas)
            assert sum(one.alphas).max() <= 1 + 1e-6

    def test_without_held_out_people_there_is_nothing_to_compose(self, pairs):
        with pytest.raises(ValueError, match="to compose"):
            next(pairs_of(pairs))


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

    def test_block_noise_keeps_even_areas_and_hurts_fine_ones(self):
        torch.manual_seed(0)
        even, fine = torch.full((1, 3, 16, 16), 0.5), torch.rand(1, 3, 16, 16)

        assert (compressed(even) - even).abs().max() < 0.02
        assert (compressed(fine) - fine).abs().mean() > 0.005


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

    def test_people_peak_at_their_centres_with_their_sizes(self, full_bank):
        batch = marked_people(full_bank, 1, SIZE)
        batch.people_boxes[0, 0] = torch.tensor([-0.5, -1.0, 0.0, 1.0])
        batch.people_present[0] = torch.tensor([True] + [False] * 11)
        batch.people_known[:] = True

        heat, sizes, counted = people_targets(batch, 8, 8)

        assert heat[0, 3:5, 2].min() > 0.7  # the centre lies between two cells
        assert heat[0, :, 4:].max() < 0.3
        assert sizes[0, :, 3, 2].exp().tolist() == pytest.approx([2.0, 8.0])
        assert counted[0, 3, 2] == 1
        perfect = torch.full((1, 3, 8, 8), -20.0)
        perfect[0, 1:] = sizes[0]
        perfect[0, 0][heat[0] > 0.7] = 20
        missed = perfect.clone()
        missed[:, 0] = -20
        assert people_loss(perfect, batch) < 0.01
        assert people_loss(missed, batch) > 5

    def test_scenes_with_unknown_people_do_not_teach_the_people_maps(self, bank):
        batch = draw(bank, {"photos": 1.0}, 2, SIZE)
        batch.people_known[:] = False

        assert people_loss(torch.randn(2, 3, 8, 8), batch) == 0

    def test_coarse_mattes_are_taught_as_well(self, bank):
        torch.manual_seed(0)
        batch = draw(bank, {"photos": 1.0}, 2, SIZE)
        mattes, people = torch.zeros(2, 2, SIZE, SIZE), torch.zeros(2, 3, 8, 8)
        side = torch.zeros(2, 2, 8, 8, requires_grad=True)

        training_loss((mattes, people, side, torch.zeros(2, 2, 16, 16)), batch).backward()

        assert side.grad.abs().max() > 0


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

    def test_only_convolutions_before_a_normalisation_are_turned(self):
        from segmentation.network import KeylineUNet

        network = KeylineUNet(SMALL)
        muon, adam = optimisers(network, 0.1, 0.1)
        turned = {id(p) for p in muon.param_groups[0]["params"]}

        assert id(network.stem[0].weight) in turned
        assert id(network.mattes.weight) not in turned
        assert id(network.stem[1].weight) not in turned
        together = len(turned) + len(adam.param_groups[0]["params"])
        assert together == len(list(network.parameters()))
