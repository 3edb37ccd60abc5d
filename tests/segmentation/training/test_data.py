"""Pictures are found with their masks, kept apart where they are for measuring, and known for what they are."""

import numpy as np
import pytest

from segmentation.training.bank import PEOPLE_CODES
from segmentation.training.compose import pairs as pairs_of
from segmentation.training.data import Entry, entries, held_out, load

from .drawn import SIZE


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
