"""Tests of zips: file names from all desktop systems, files that these systems add, and malicious archives."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from jobs.intake import archives
from jobs.intake.archive_names import decode_together
from jobs.intake.archives import ArchiveLimits, sources_in
from jobs.intake.sources import CheckedSource, RefusedSource
from segmentation.errors import InvalidParameter
from segmentation.image import Limits
from tests import photos

WITHIN = ArchiveLimits(max_entries=50, max_bytes=50 * 2**20)


def zipped(files: dict[str, bytes], *, encoding: str = "utf-8") -> io.BytesIO:
    """Return a zip that contains `files`, a dict from names to contents.

    encoding: the encoding of the names. The zip has the UTF-8 flag only if it is utf-8.
    """
    parts, directory, place = [], [], 0
    for name, data in files.items():
        raw, flags = name.encode(encoding), 0x800 if encoding == "utf-8" else 0
        values = (20, flags, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(raw), 0)
        local = struct.pack("<4s5H3I2H", b"PK\x03\x04", *values) + raw + data
        directory.append(struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *values, 0, 0, 0, 0, place) + raw)
        parts.append(local)
        place += len(local)
    listing = b"".join(directory)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(directory), len(directory), len(listing), place, 0)
    return io.BytesIO(b"".join(parts) + listing + end)


def names_in(file: io.BytesIO) -> list[str]:
    return [source.name for source in sources_in(file, limits=Limits(), archive_limits=WITHIN, field="zip")]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("utf-8", ["图片.jpg", "写真.jpg", "Größe.jpg"]),
        ("gb18030", ["图片.jpg"]),
        ("gb18030", ["证件照 (2).jpg", "衣服 详情页.jpg"]),
        ("gb18030", ["沙发.png"]),
        ("gb18030", ["IMG_0001（1）.jpg", "红色T恤.jpg"]),
        ("cp932", ["写真.jpg", "スクリーンショット.png"]),
        ("cp932", ["表示.png"]),  # with a backslash as the second byte of a letter
        ("cp932", ["靴（黒）.jpg"]),
        ("cp932", ["ﾃｽﾄ.jpg"]),
        ("cp932", ["化粧品.png", "時計_正面.jpg"]),
        ("big5", ["圖片.jpg"]),
        ("big5", ["測試.jpg"]),
        ("cp949", ["사진.jpg", "상품 이미지.png"]),
        ("cp949", ["강아지.jpg"]),
        ("cp949", ["스크린샷 2024-01-01.png"]),
        ("cp949", ["결혼식.jpg"]),
        ("cp866", ["Фото.jpg"]),
        ("cp866", ["Ёлка.jpg"]),
        ("cp1251", ["снимок экрана.png"]),
        ("cp1251", ["собака.jpg"]),
        ("cp850", ["Straße_München.jpg"]),
        ("cp850", ["mère.jpg"]),
        ("cp1252", ["müller.jpg", "été.jpg"]),
        ("cp1252", ["français.png"]),
        ("cp437", ["señor.jpg", "Café.jpg"]),
        ("cp852", ["zażółć.jpg"]),
        ("cp1252", ["Þór.jpg"]),
        ("cp1252", ["Björk Guðmundsdóttir.jpg", "Akureyri_höfn_þoka.jpg"]),
        ("cp1252", ["Tórshavn_góð_sjón.jpg", "Føroyar.jpg"]),
        ("cp1250", ["Constanţa.jpg"]),
        ("cp1250", ["Đurđević.jpg", "Đorđe.jpg"]),
    ],
)
def test_names_are_read_in_the_code_page_of_the_desktop_that_packed_them(encoding: str, names: list[str]) -> None:
    data = photos.encoded("JPEG", quality=50)

    assert names_in(zipped(dict.fromkeys(names, data), encoding=encoding)) == names


def test_names_that_happen_to_be_utf8_too_are_not_taken_for_it() -> None:
    assert decode_together(["图片.jpg".encode("gbk")]) == ["图片.jpg"]
    assert "图片.jpg".encode("gbk").decode("utf-8") == "\u037c\u01ac.jpg"


@pytest.mark.parametrize("name", ["𠮷野家.jpg", "Əli.jpg", "Məmməd.jpg", "😀.jpg"])
def test_unusual_letters_without_the_flag_are_read_as_utf8(name: str) -> None:
    assert decode_together([name.encode()]) == [name]


def test_ideographs_that_hardly_occur_in_names_are_no_sign_of_utf8() -> None:
    assert decode_together(["𠮷.jpg".encode()]) != ["𠮷.jpg"]


def test_letters_that_a_code_page_encodes_only_in_pairs_cause_no_error() -> None:
    assert decode_together([b"\x88\x62.jpg"]) == ["êb.jpg"]


def test_a_unicode_name_in_the_extra_field_goes_before_the_plain_one() -> None:
    file = io.BytesIO()
    entry = zipfile.ZipInfo("plain.jpg")
    body = b"\x01" + zlib.crc32(b"plain.jpg").to_bytes(4, "little") + "图片.jpg".encode()
    entry.extra = struct.pack("<HH", 0x7075, len(body)) + body
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr(entry, photos.encoded("JPEG", quality=50))

    assert names_in(file) == ["图片.jpg"]


def test_what_desktops_add_is_left_out() -> None:
    data = photos.encoded("JPEG", quality=50)
    litter = (
        "Thumbs.db", "a/ehthumbs.db", "desktop.ini", "Desktop.INI", ".DS_Store", "__MACOSX/a/._IMG.jpg", ".git/x.jpg",
        "@eaDir/IMG.jpg", "$RECYCLE.BIN/b.jpg", "~$IMG.jpg",
    )  # fmt: skip

    assert names_in(zipped(dict.fromkeys((*litter, "a/IMG.jpg"), data))) == ["IMG.jpg"]


def test_files_that_share_bytes_are_refused() -> None:
    packed = zipped({"a.jpg": photos.encoded("JPEG", quality=50)}).getvalue()
    start = packed.index(b"PK\x01\x02")
    end = packed.index(b"PK\x05\x06")
    listing = packed[start:end] * 3
    closing = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 3, 3, len(listing), start, 0)

    with pytest.raises(InvalidParameter, match="overlap"):
        names_in(io.BytesIO(packed[:start] + listing + closing))


def test_only_so_many_pixels_of_an_archive_are_decoded_while_the_request_waits(monkeypatch) -> None:
    good = photos.encoded("PNG")
    cut = good[: len(good) // 2]
    monkeypatch.setattr(archives, "MAX_PROVEN_PIXELS", 512 * 512)

    first, second, third = sources_in(
        zipped({"a.png": cut, "b.png": good, "c.png": cut}), limits=Limits(), archive_limits=WITHIN, field="zip"
    )

    assert isinstance(first, RefusedSource)
    assert isinstance(second, CheckedSource)
    assert isinstance(third, CheckedSource)  # beyond the limit of the check at submission; a worker detects the damage
