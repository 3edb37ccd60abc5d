"""Tests of folders on the server: allowed paths, and the error when a link replaces a folder during a request."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from jobs.errors import PermissionDenied, StorageFailed
from jobs.intake import folders
from jobs.intake.folders import Place, place_in
from jobs.intake.sources import FileSource, RefusedSource
from segmentation.errors import ImageUnreadable, InvalidParameter


@pytest.fixture
def root(tmp_path: Path, settings) -> Path:
    folder = tmp_path / "inputs"
    folder.mkdir()
    settings.MATTING_INPUT_ROOTS = [str(folder)]
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.png").write_bytes(b"secret")
    return folder


def test_the_more_exact_place_wins_where_a_relative_path_fits_twice(root: Path) -> None:
    (root / "shop").mkdir()

    assert place_in("shop", [root], field="x").path == root / "shop"
    assert place_in("inputs/shop", [root], field="x").path == root / "shop"


def test_an_alias_stands_for_the_first_root_unless_it_is_a_root_itself(tmp_path: Path, root: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()

    assert place_in("/root/inputs/a", [root, other], field="x", alias="/root/inputs").path == root / "a"
    assert place_in(str(other), [root, other], field="x", alias=str(other)).path == other


def test_a_root_that_is_a_link_itself_is_its_target(tmp_path: Path, root: Path) -> None:
    (tmp_path / "alias").symlink_to(root)

    assert place_in("a", [tmp_path / "alias"], field="x") == Place(root, ("a",))


def test_a_folder_swapped_for_a_link_after_the_check_is_not_read(root: Path, outside: Path) -> None:
    (root / "shop").mkdir()
    place = place_in("shop", [root], field="input_dir")
    (root / "shop").rmdir()
    (root / "shop").symlink_to(outside)

    with pytest.raises((PermissionDenied, InvalidParameter)):
        folders.sources_in(place, field="input_dir")


def test_a_folder_above_swapped_for_a_link_after_the_check_is_not_written(root: Path, outside: Path) -> None:
    (root / "shop" / "deeper").mkdir(parents=True)
    place = place_in("shop/deeper", [root], field="output_dir")
    (root / "shop" / "deeper").rmdir()
    (root / "shop").rmdir()
    (root / "shop").symlink_to(outside)

    with pytest.raises(StorageFailed), folders.folder_made(place):
        pass
    assert sorted(path.name for path in outside.iterdir()) == ["secret.png"]


def test_a_file_swapped_for_a_link_after_the_listing_is_not_read(root: Path, outside: Path) -> None:
    (root / "a.png").write_bytes(b"mine")
    (source,) = folders.sources_in(place_in(".", [root], field="x"), field="x")
    (root / "a.png").unlink()
    (root / "a.png").symlink_to(outside / "secret.png")

    with pytest.raises(PermissionDenied):
        folders.read_file(source.path, 100)


def test_a_link_inside_the_root_is_read(root: Path) -> None:
    (root / "a.png").write_bytes(b"mine")
    (root / "b.png").symlink_to(root / "a.png")

    assert folders.read_file(str(root / "b.png"), 100) == b"mine"


def test_no_more_is_read_than_one_byte_over_the_limit(root: Path) -> None:
    (root / "a.png").write_bytes(b"x" * 1000)

    assert len(folders.read_file(str(root / "a.png"), 10)) == 11


def test_a_pipe_is_refused_without_waiting_for_its_other_end(root: Path) -> None:
    os.mkfifo(root / "pipe.png")

    with pytest.raises(ImageUnreadable, match="regular"):
        folders.read_file(str(root / "pipe.png"), 10)


@pytest.mark.parametrize("name", ["gone.png", "."])
def test_what_is_no_file_is_refused(root: Path, name: str) -> None:
    with pytest.raises(ImageUnreadable):
        folders.read_file(str(root / name), 10)


def test_files_are_listed_by_name_with_their_sizes_without_folders_and_hidden_files(root: Path) -> None:
    for name in ("b.png", "a.png", ".hidden"):
        (root / name).write_bytes(name.encode())
    (root / "deeper").mkdir()

    listed = folders.sources_in(Place(root), field="x")

    assert listed == [FileSource(str(root / name), name, 5) for name in ("a.png", "b.png")]


def test_a_name_that_is_no_text_is_one_failed_picture(root: Path) -> None:
    os.close(os.open(os.fsencode(root) + b"/\xff.png", os.O_CREAT | os.O_WRONLY))

    (listed,) = folders.sources_in(Place(root), field="x")

    assert isinstance(listed, RefusedSource)
    listed.name.encode()


def test_a_file_is_written_whole_or_not_at_all(root: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            raise OSError("disk full")

    with folders.folder_made(Place(root, ("a", "b"))) as folder:
        folders.write_file(folder, "x.png", io.BytesIO(b"first"))
        folders.write_file(folder, "x.png", io.BytesIO(b"second"))
        with pytest.raises(StorageFailed):
            folders.write_file(folder, "x.png", Breaks())

    assert (root / "a" / "b" / "x.png").read_bytes() == b"second"


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(root: Path, outside: Path) -> None:
    (root / "x.png").symlink_to(outside / "secret.png")

    with folders.folder_made(Place(root)) as folder:
        folders.write_file(folder, "x.png", io.BytesIO(b"mine"))

    assert (root / "x.png").read_bytes() == b"mine"
    assert (outside / "secret.png").read_bytes() == b"secret"
