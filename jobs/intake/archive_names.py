"""Decode the file names in a zip that does not mark them as UTF-8.

These names are in the code page of the computer that wrote the zip, and the zip does not contain the name of this code
page. All names have the same code page. So the correct code page must decode all of them, and the decoded texts must
look like file names. General detectors of encodings need more text than a few file names contain.
"""

from __future__ import annotations

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence

from jobs.intake.frequent_letters import FREQUENT, RUSSIAN

# Code pages of Windows and DOS, sorted by their frequency in archives; among equal scores the first one is used.
_CODE_PAGES = (
    "gb18030", "cp932", "big5hkscs", "cp949", "cp866", "cp1251", "cp850", "cp852", "cp1252", "cp1250", "cp437",
)  # fmt: skip
_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field: version, checksum of the plain name, name in UTF-8
_KOREAN_DISTANCE = 0.05  # nearly all of its letters are also frequent Chinese ones, in more frequent archives
_FOUND, _LIKELY, _POSSIBLE, _UNLIKELY, _WRONG = 1.0, 0.9, 0.5, 0.1, -1.0


def names_of(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Return the decoded names of a zip's entries, in the order of the entries."""
    names = [_flagged_name(entry) for entry in entries]
    raw = [_raw_name(entry) for entry, name in zip(entries, names, strict=True) if name is None]
    decoded = iter(decode_together(raw))
    return [next(decoded) if name is None else name for name in names]


def decode_together(raw: Sequence[bytes]) -> list[str]:
    """Decode the file names of one zip, which all have the same encoding.

    If all names are valid UTF-8 and contain no rare letters, return them decoded as UTF-8. Otherwise use the code page
    whose result looks most like file names.
    """
    try:
        names = [name.decode("utf-8") for name in raw]
    except UnicodeDecodeError:
        names = []
    if names and not any(_is_rare(letter) for letter in "".join(names)):
        return names
    best, best_score = "cp437", float("-inf")
    for code_page in _CODE_PAGES:
        try:
            text = "/".join(name.decode(code_page) for name in raw)
        except UnicodeDecodeError:
            continue
        score = _likeness(text, code_page)
        if score > best_score:
            best, best_score = code_page, score
    return [name.decode(best, "replace") for name in raw]


def _is_rare(letter: str) -> bool:
    """Return whether a letter indicates a wrong decoding.

    Such letters appear when a short name in another code page is decoded as UTF-8.
    """
    if letter >= "\U00020000":  # ideographs that hardly occur in names
        return True
    is_extended = "\u0180" <= letter <= "\u02ff" and letter not in "ƠơƯưȘșȚțǍǎǏǐǑǒǓǔǕǖǗǘǙǚǛǜ"
    return is_extended or "\u0370" <= letter <= "\u0385"


def _flagged_name(entry: zipfile.ZipInfo) -> str | None:
    """Return the name of an entry if the zip marks the name as UTF-8; otherwise return None."""
    if entry.flag_bits & _UTF8_FLAG:
        return entry.orig_filename
    place = 0
    while place + 4 <= len(entry.extra):
        kind, length = struct.unpack_from("<HH", entry.extra, place)
        body = entry.extra[place + 4 : place + 4 + length]
        is_path = kind == _UNICODE_PATH and len(body) > 5 and body[0] == 1
        if is_path and int.from_bytes(body[1:5], "little") == zlib.crc32(_raw_name(entry)):
            return body[5:].decode("utf-8", "replace")
        place += 4 + length
    return None


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("cp437", "replace")


def _likeness(text: str, code_page: str) -> float:
    """Return how much a text looks like file names: the mean score of its non-ASCII letters, at most 1.

    A higher value means that the text looks more like file names. A text without non-ASCII letters has the
    value 0.
    """
    scores = []
    for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if letter > "\x7f":
            beside = sum(other.isascii() and other.isalpha() for other in (before, after))
            is_odd = letter.isupper() and before.islower()  # a capital letter within a word
            scores.append(_UNLIKELY if is_odd else _score(letter, code_page, ascii_beside=beside))
    return sum(scores) / max(len(scores), 1)


def _score(letter: str, code_page: str, *, ascii_beside: int) -> float:
    """Return a score from -1 (wrong) to 1: how likely the letter is if file names have been decoded with `code_page`.

    ascii_beside: how many of the two neighbouring characters are ASCII letters (0..2).
    """
    name = unicodedata.name(letter, "")
    first, second = (*letter.encode(code_page), 0)[:2]
    if ascii_beside == 2 and 0x40 <= second < 0x7F:
        return _UNLIKELY  # probably a letter with an accent and the next letter of the same word
    if letter in FREQUENT.get(code_page, ()):
        return _FOUND - (_KOREAN_DISTANCE if code_page == "cp949" else 0)
    if second and (ascii_beside == 2 or (ascii_beside and 0x40 <= second < 0x7F)):
        return _UNLIKELY  # probably both letters belong to one word
    if code_page == "gb18030":
        # GB 2312: rows 16 to 55 are the common characters, 56 to 87 the rarer ones, 1 to 3 punctuation and full width.
        is_plain = second >= 0xA1
        if name.startswith("CJK UNIFIED"):
            return (_LIKELY - 0.15 if 0xB0 <= first <= 0xD7 else _POSSIBLE) if is_plain else _UNLIKELY
        return _LIKELY if is_plain and (first == 0xA3 or letter in "—·【】《》“”、。") else _WRONG
    if code_page == "big5hkscs":
        if name.startswith("CJK UNIFIED"):
            return _LIKELY - 0.2 if 0xA4 <= first <= 0xC6 else _UNLIKELY
        return _POSSIBLE if first in (0xA1, 0xA2) else _WRONG
    if code_page == "cp932":
        if name.startswith(("HIRAGANA", "KATAKANA")):
            return _FOUND
        if name.startswith("CJK UNIFIED"):
            return _LIKELY - 0.2 if first < 0x98 else _UNLIKELY
        if name.startswith("HALFWIDTH"):
            return _UNLIKELY + 0.2
        is_mark = name.startswith(("FULLWIDTH", "IDEOGRAPHIC SPACE")) or letter in "・「」【】"
        return _LIKELY - 0.1 if is_mark else _WRONG
    if code_page == "cp949":
        is_plain = 0xB0 <= first <= 0xC8 and second >= 0xA1  # KS X 1001
        return _LIKELY - 0.15 if name.startswith("HANGUL SYLLABLE") and is_plain else _UNLIKELY
    if code_page in ("cp866", "cp1251"):
        is_russian = "А" <= letter <= "я" or letter in "Ёё"
        if not is_russian or ascii_beside:
            return _WRONG
        return _LIKELY - (0.05 if letter.lower() in RUSSIAN else 0.2)
    if unicodedata.category(letter) not in ("Ll", "Lu") or not name.startswith("LATIN"):
        return _WRONG
    if letter in "ƒþÞðÐ":
        return _POSSIBLE
    return _LIKELY - (0.15 if letter < "\u0100" else 0.2)
