import numpy as np

from segmentation.engines.base import Instance
from segmentation.options import Box
from segmentation.people import map_people, number_people


def person(left: int, right: int, score: float) -> Instance:
    """Return a person in rows 20 to 80 of an alpha of 100 x 100 cells. The picture has 400 x 400 pixels."""
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:80, left:right] = 1
    return Instance(Box(left * 4, 80, right * 4, 320), score, alpha)


def union(*people: Instance) -> np.ndarray:
    small = np.maximum.reduce([entry.alpha for entry in people])
    return small.repeat(4, axis=0).repeat(4, axis=1)


def test_two_people_get_two_ids_with_tight_boxes():
    people = person(10, 40, 0.9), person(60, 90, 0.8)
    ids, found = map_people(people, union(*people))
    assert ids.dtype == np.uint8
    assert ids.shape == (400, 400)
    assert (ids[200, 100], ids[200, 300], ids[200, 200], ids[10, 10]) == (1, 2, 0, 0)
    assert [entry.box for entry in found] == [Box(40, 80, 160, 320), Box(240, 80, 360, 320)]
    assert [entry.area_px for entry in found] == [120 * 240, 120 * 240]


def test_every_opaque_pixel_has_an_owner_and_no_other_has():
    people = person(10, 40, 0.9), person(35, 70, 0.8)
    alpha = union(*people)
    alpha[60:84] = alpha[100]  # the refined outline is a few pixels outside the engine's
    ids, _found = map_people(people, alpha)
    assert np.array_equal(ids > 0, alpha > 0.5)


def test_no_people_give_an_empty_map():
    ids, found = map_people((), np.ones((30, 40), np.float32))
    assert not ids.any()
    assert ids.shape == (30, 40)
    assert found == ()


def test_ids_without_pixels_are_closed_up():
    ids = np.zeros((10, 10), np.uint8)
    ids[:5], ids[5:] = 1, 3
    renumbered, people = number_people(ids, [0.9, 0.8, 0.7])
    assert np.unique(renumbered).tolist() == [1, 2]
    assert [(entry.id, entry.score, entry.area_px) for entry in people] == [(1, 0.9, 50), (2, 0.7, 50)]
