"""Fixtures of the training tests: banks (training pictures in memory) of drawn pictures, and a limit of one thread."""

import json

import numpy as np
import pytest
import torch

from training.bank import bank_from
from training.data import entries, held_out

from .drawn import SIZE, disc, png, write_pairs, write_shard


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Let torch use only one thread, which is faster for small networks."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def pairs(tmp_path):
    return write_pairs(tmp_path / "pairs")


@pytest.fixture
def shards(tmp_path):
    """Write shards (zip files of training pictures) of all kinds, and return their folder.

    The kinds are subjects, separate people, objects and empty scenes.
    """
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
    boxes = {"people": [[0, 0, 32, 64], [40, 0, 60, 64]], "ignore": [[0, 0, 64, 16]]}
    write_shard(folder / "train-boxes-00.zip", {"b.webp": png(photo), "b.boxes.json": json.dumps(boxes)})
    return folder


@pytest.fixture
def bank(pairs):
    return bank_from(list(entries(pairs)), SIZE)


@pytest.fixture
def full_bank(shards):
    return bank_from(held_out(list(entries(shards)))[0], SIZE)
