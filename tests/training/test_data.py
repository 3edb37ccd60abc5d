"""Tests that read training sets: pictures with their masks, held-out pictures, and known annotations."""

import json

import numpy as np
import pytest

from training.bank import DESERTED_WEIGHT, PEOPLE_CODES, bank_from, weight_by_share
from training.compose import pairs as pairs_of
from training.data import BOXED_BY_EYE, NAMED_SUBJECTS, Entry, entries, held_out, load, square

from .drawn import SIZE, disc, png, write_pairs, write_shard


class TestData:
    def test_a_photo_and_its_mask_are_one_entry_whatever_the_suffix(self, pairs):
        listed = list(entries(pairs))

        assert len(listed) == 8
        assert {entry.photo.rpartition(".")[2] for entry in listed} == {"jpg"}
        assert all(set(entry.beside) == {".png"} for entry in listed)

    def test_crowds_are_marked_as_ignored_and_objects_know_people(self, shards):
        (entry,) = entries(shards / "train-people-00.zip")

        picture = load(entry, SIZE)

        assert set(np.unique(picture.people)) == {0, 1, 255}
        assert picture.alpha is None
        assert [person for _, person in picture.objects] == [True]

    def test_a_name_may_hold_dots_and_capitals(self, tmp_path):
        photo, mask = disc(1)
        for name in ("IMG_1.2020.jpg", "UPPER.JPG", "Shot 12.30.45.png.jpg"):
            (tmp_path / name).write_bytes(png(photo))
            (tmp_path / (name[:-4] + ".png")).write_bytes(png(mask))
        assert {entry.name for entry in entries(tmp_path)} == {"IMG_1.2020", "UPPER", "Shot 12.30.45.png"}
        assert all(load(entry, SIZE).alpha.max() == 255 for entry in entries(tmp_path))

    def test_masks_of_people_lie_where_their_photos_do(self):
        ids = np.zeros((120, 1200), np.uint8)
        ids[:, 600:] = 1
        edge = int(np.argmax(square(ids, 352, nearest=True)[0]))
        assert edge == 176

    def test_what_is_held_out_depends_on_names_alone(self):
        def entry(name):
            return Entry("train-clothing", name, name, {}, bytes)

        listed = [entry(f"{number}") for number in range(120)]
        kept, apart = held_out(listed)

        assert len(apart) == 50
        assert {e.name for e in apart} == {e.name for e in held_out(listed[::-1])[1]}
        assert not {e.name for e in apart} & {e.name for e in kept}

    def test_subjects_named_by_eye_are_known_by_their_photos_name(self, tmp_path):
        photo, mask = disc(0)
        name = next(name for name, kind in NAMED_SUBJECTS.items() if kind == "person")
        shard = {f"{stem}.webp": png(photo) for stem in (name, "other")}
        write_shard(tmp_path / "train-duts-00.zip", shard | {f"{stem}.png": png(mask) for stem in (name, "other")})

        subjects = {entry.name: load(entry, SIZE).subject for entry in entries(tmp_path)}

        assert subjects == {name: "person", "other": None}
        assert set(NAMED_SUBJECTS.values()) == {"alone", "person", "people", "deserted", "thing"} < set(PEOPLE_CODES)

    def test_a_scene_whose_every_object_is_marked_and_no_person_has_nobody(self, tmp_path):
        photo, mask = disc(0)
        listed = json.dumps([{"id": 1, "class": "cup", "box": [0, 0, 9, 9]}])
        files = {"a.webp": png(photo), "a.things.png": png((mask > 0).astype(np.uint8)), "a.things.json": listed}
        write_shard(tmp_path / "train-things-00.zip", files)
        (entry,) = entries(tmp_path)

        picture = load(entry, SIZE)

        assert picture.people.shape == (SIZE, SIZE)
        assert picture.people.max() == 0

    def test_an_object_that_may_be_a_person_is_selected_but_never_pasted(self, pairs, tmp_path):
        photo, mask = disc(0)
        for name, kind in (("a", "unknown"), ("b", "cup"), ("c", "person")):
            listed = json.dumps([{"id": 1, "class": kind, "box": [0, 0, 9, 9]}])
            files = {"a.webp": png(photo), "a.things.png": png((mask > 0).astype(np.uint8)), "a.things.json": listed}
            write_shard(tmp_path / f"train-objects-{name}.zip", files)

        bank = bank_from([*entries(pairs), *entries(tmp_path)], SIZE)

        assert len(bank.objects) == 3
        assert bank.object_is_person.tolist() == [False, False, True]
        assert bank.object_cutout.tolist() == [0.0, 1.0, 1.0]

    def test_the_bank_knows_what_each_set_is_for(self, full_bank):
        assert len(full_bank.empty) == 4
        assert len(full_bank.marked) == len(full_bank.objects) == len(full_bank.boxed) == 1
        assert full_bank.boxed_present.sum((0, 2)).tolist() == [2, 1]
        assert (full_bank.real > 0.7).sum() == 6  # small subjects have a higher weight than their set alone gives
        assert (full_bank.people[full_bank.real > 0] == PEOPLE_CODES["one"]).all()
        assert full_bank.people[full_bank.marked_photo[0]] == PEOPLE_CODES["marked"]

    @pytest.mark.parametrize("by_eye", [False, True])
    def test_boxes_of_people_come_from_beside_the_photo_or_from_those_drawn_by_eye(self, tmp_path, monkeypatch, by_eye):
        listed = {"people": [[10, 20, 30, 40], [0, 0, 80, 40]], "ignore": [[40, 0, 80, 10]]}
        photo = png(np.zeros((40, 80, 3), np.uint8))
        files = {"a.webp": photo} | ({} if by_eye else {"a.boxes.json": json.dumps(listed)})
        write_shard(tmp_path / "train-boxes-00.zip", files)
        drawn = {"people": [[12.5, 50, 37.5, 100], [0, 0, 100, 100]], "ignore": [[50, 0, 100, 25]]}
        monkeypatch.setitem(BOXED_BY_EYE, "train-boxes", {"a": drawn} if by_eye else {})
        (entry,) = entries(tmp_path)

        people, ignored = load(entry, SIZE).boxed

        assert people.tolist() == [[0.125, 0.5, 0.375, 1.0], [0, 0, 1, 1]]
        assert ignored.tolist() == [[0.5, 0, 1, 0.25]]

    def test_scenes_whose_people_are_small_or_none_are_drawn_less_often(self, tmp_path):
        files = {}
        for name, side in (("near", 20), ("far", 4), ("none", 0)):
            ids = np.zeros((SIZE, SIZE), np.uint8)
            ids[:side, :side] = 1
            files |= {f"{name}.webp": png(disc(0)[0]), f"{name}.png": png(ids * 255), f"{name}.people.png": png(ids)}
        write_shard(tmp_path / "train-people-00.zip", files)
        boxes = {"near": [[0, 0, 9, 9]], "none": []}
        files = {f"{name}.webp": png(disc(0)[0]) for name in boxes}
        files |= {f"{name}.boxes.json": json.dumps({"people": listed}) for name, listed in boxes.items()}
        write_shard(tmp_path / "train-boxes-00.zip", files)
        write_pairs(tmp_path / "one", count=1)

        bank = bank_from([*entries(tmp_path), *entries(tmp_path / "one")], SIZE)

        assert bank.marked_weight.tolist() == pytest.approx([1, DESERTED_WEIGHT, DESERTED_WEIGHT])
        assert bank.boxed_weight.tolist() == pytest.approx([1, DESERTED_WEIGHT])

    @pytest.mark.parametrize(("share", "weight"), [(0.2, 1), (0.1, 2), (0.01, 4), (0.0, 4), (0.3, 2 / 3), (1, 0.5)])
    def test_small_subjects_are_shown_more_often(self, share, weight):
        assert weight_by_share(share) == pytest.approx(weight)


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
