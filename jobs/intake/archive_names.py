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
from collections.abc import Callable, Sequence

from jobs.intake.frequent_letters import FREQUENT, RUSSIAN

# Code pages of Windows and DOS, sorted by their frequency in archives; among equal scores the first one is used.
_CODE_PAGES = (
    "gb18030", "cp932", "big5hkscs", "cp949", "cp866", "cp1251", "cp850", "cp852", "cp1252", "cp1250", "cp437",
)  # fmt: skip
_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field: version, checksum of the plain name, name in UTF-8
# Scores of letters, from the best to the worst.
_FREQUENT = 1.0  # one of the frequent letters of the code page's language, or kana
_FREQUENT_KOREAN = 0.95  # nearly all of these bytes are also frequent Chinese letters, in more frequent archives
_CHINESE_MARK = 0.9
_FREQUENT_RUSSIAN = 0.85
_JAPANESE_MARK = 0.8
_COMMON = 0.75  # a common letter of its script
_LESS_COMMON = 0.7
_POSSIBLE = 0.5
_HALF_WIDTH = 0.3
_UNLIKELY = 0.1
_WRONG = -1.0
# Rows of the double-byte sets, by the first byte of a letter.
_GB_COMMON = range(0xB0, 0xD8)  # GB 2312, rows 16 to 55: common ideographs; the rarer ones are in rows 56 to 87
_GB_FULL_WIDTH = 0xA3
_BIG5_COMMON = range(0xA4, 0xC7)
_BIG5_MARKS = (0xA1, 0xA2)
_JIS_RARE = 0x98  # from here on
_KS_HANGUL = range(0xB0, 0xC9)  # KS X 1001
_EUC_SECOND = 0xA1  # the least second byte of GB 2312 and KS X 1001; the extensions use lower ones too
_ASCII_LETTERS = range(0x40, 0x7F)  # second bytes that are also ASCII letters, or marks between these
_CHINESE_MARKS, _JAPANESE_MARKS = "—·【】《》“”、。", "・「」【】"
# Letters of Icelandic and Faroese. In other languages, the bytes of þ and ð are mostly ţ and đ of another code page.
_NORDIC_RARE, _NORDIC_VOWELS, _NORDIC_OTHERS = frozenset("þÞðÐ"), frozenset("áéíóúýöÁÉÍÓÚÝÖ"), frozenset("æøÆØ")


def names_of(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Return the decoded names of a zip's entries, in the order of the entries."""
    names = [_flagged_name(entry) for entry in entries]
    raw = [_raw_name(entry) for entry, name in zip(entries, names, strict=True) if name is None]
    decoded = iter(decode_together(raw))
    return [next(decoded) if name is None else name for name in names]


def decode_together(raw: Sequence[bytes]) -> list[str]:
    """Decode the file names of one zip, which all have the same encoding.

    If all names are valid UTF-8 and their letters do not indicate a wrong decoding, return them decoded as UTF-8.
    Otherwise use the code page whose result looks most like file names.
    """
    try:
        names = [name.decode("utf-8") for name in raw]
    except UnicodeDecodeError:
        names = []
    if names and _is_plausible({letter for letter in "".join(names) if letter > "\x7f"}):
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


def _is_plausible(letters: set[str]) -> bool:
    """Return whether non-ASCII letters that were decoded as UTF-8 can be those of names.

    A short name in another code page may be valid UTF-8 too. Then it has letters that hardly occur in names. Rare
    ideographs (from U+20000) are such letters only if all the others are, too.
    """
    ideographs = {letter for letter in letters if letter >= "\U00020000"}
    others = letters - ideographs
    return not any(_is_rare(letter) for letter in others) and (bool(others) or not ideographs)


def _is_rare(letter: str) -> bool:
    """Return whether a letter below U+20000 hardly occurs in names."""
    is_extended = "\u0180" <= letter <= "\u02ff" and letter not in "ƏəƠơƯưȘșȚțǍǎǏǐǑǒǓǔǕǖǗǘǙǚǛǜ"
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
    is_nordic = code_page == "cp1252" and _is_nordic({letter for letter in text if letter > "\x7f"})
    for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if letter > "\x7f":
            beside = sum(other.isascii() and other.isalpha() for other in (before, after))
            is_odd = letter.isupper() and before.islower()  # a capital letter within a word
            scores.append(_UNLIKELY if is_odd else _score(letter, code_page, beside, is_nordic))
    return sum(scores) / max(len(scores), 1)


def _is_nordic(letters: set[str]) -> bool:
    """Return whether non-ASCII letters can be those of Icelandic or Faroese names, with at least one vowel."""
    return letters <= _NORDIC_RARE | _NORDIC_VOWELS | _NORDIC_OTHERS and bool(letters & _NORDIC_VOWELS)


def _score(letter: str, code_page: str, ascii_beside: int, is_nordic: bool) -> float:
    """Return a score from -1 (wrong) to 1: how likely the letter is if file names have been decoded with `code_page`.

    ascii_beside: how many of the two neighbouring characters are ASCII letters (0..2).
    is_nordic: whether all letters together can be Icelandic or Faroese.
    """
    name = unicodedata.name(letter, "")
    try:
        first, second = (*letter.encode(code_page), 0)[:2]
    except UnicodeEncodeError:  # part of a pair of letters that HKSCS encodes together
        return _WRONG
    if ascii_beside == 2 and second in _ASCII_LETTERS:
        return _UNLIKELY  # probably a letter with an accent and the next letter of the same word
    if letter in FREQUENT.get(code_page, ()):
        return _FREQUENT_KOREAN if code_page == "cp949" else _FREQUENT
    if second and (ascii_beside == 2 or (ascii_beside and second in _ASCII_LETTERS)):
        return _UNLIKELY  # probably both letters belong to one word
    if code_page in _SCORES:
        return _SCORES[code_page](letter, name, first, second)
    if code_page in ("cp866", "cp1251"):
        return _WRONG if ascii_beside else _russian_score(letter)
    return _latin_score(letter, name, is_nordic)


def _simplified_score(letter: str, name: str, first: int, second: int) -> float:
    is_plain = second >= _EUC_SECOND
    if name.startswith("CJK UNIFIED"):
        return (_COMMON if first in _GB_COMMON else _POSSIBLE) if is_plain else _UNLIKELY
    return _CHINESE_MARK if is_plain and (first == _GB_FULL_WIDTH or letter in _CHINESE_MARKS) else _WRONG


def _traditional_score(letter: str, name: str, first: int, second: int) -> float:
    if name.startswith("CJK UNIFIED"):
        return _LESS_COMMON if first in _BIG5_COMMON else _UNLIKELY
    return _POSSIBLE if first in _BIG5_MARKS else _WRONG


def _japanese_score(letter: str, name: str, first: int, second: int) -> float:
    if name.startswith(("HIRAGANA", "KATAKANA")):
        return _FREQUENT
    if name.startswith("CJK UNIFIED"):
        return _LESS_COMMON if first < _JIS_RARE else _UNLIKELY
    if name.startswith("HALFWIDTH"):
        return _HALF_WIDTH
    is_mark = name.startswith(("FULLWIDTH", "IDEOGRAPHIC SPACE")) or letter in _JAPANESE_MARKS
    return _JAPANESE_MARK if is_mark else _WRONG


def _korean_score(letter: str, name: str, first: int, second: int) -> float:
    is_plain = first in _KS_HANGUL and second >= _EUC_SECOND
    return _COMMON if name.startswith("HANGUL SYLLABLE") and is_plain else _UNLIKELY


def _russian_score(letter: str) -> float:
    if not "А" <= letter <= "я" and letter not in "Ёё":
        return _WRONG
    return _FREQUENT_RUSSIAN if letter.lower() in RUSSIAN else _LESS_COMMON


def _latin_score(letter: str, name: str, is_nordic: bool) -> float:
    if unicodedata.category(letter) not in ("Ll", "Lu") or not name.startswith("LATIN"):
        return _WRONG
    if letter == "ƒ" or (letter in _NORDIC_RARE and not is_nordic):
        return _POSSIBLE
    return _COMMON if letter < "\u0100" else _LESS_COMMON


# Functions that score a letter by itself, its Unicode name, and its first and second byte.
_SCORES: dict[str, Callable[[str, str, int, int], float]] = {
    "gb18030": _simplified_score,
    "big5hkscs": _traditional_score,
    "cp932": _japanese_score,
    "cp949": _korean_score,
}
