"""Addresses in one way of writing: capitals, standard abbreviations, no punctuation; number, street and unit apart."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from shared.situs.postal_terms import NUMBERED_ROADS, STANDARD_WORDS, UNIT_DESIGNATORS

MAX_CHARACTERS = 200
"""Longest address that is read. A choice: USPS' addresses have four lines of 46 characters at most."""
_NUMBER = re.compile(r"\d+[A-Z]?")
_NUMBER_AND_LETTER = re.compile(r"\b(\d+)-([A-Z])\b")
_FRACTION = re.compile(r"\d/\d")
_ZIP = re.compile(r"(?<=[^\d])(\d{5})(?:-\d{4})?\s*$")
_DROPPED = str.maketrans("", "", "'’`.")
_SEPARATORS = re.compile(r"[^A-Z0-9/&#]+")


@dataclass(frozen=True)
class Address:
    """An address: `number` of the house, `street`, `unit` in the building, `city` and `zip`; "" for what is not there.

    A text that people write has its city within `street`, unless a comma is between them.
    """

    number: str
    street: str
    unit: str = ""
    city: str = ""
    zip: str = ""


def read_address(text: str, city: str | None = None, zip_code: str | None = None, state: str = "") -> Address:
    """Read an address; `city` and `zip_code` are known beside the text, `state` is the code of its state."""
    upper = _capitals(text[:MAX_CHARACTERS])
    zip_match = _ZIP.search(upper)
    if zip_match is not None:
        upper = upper[: zip_match.start()]
    line, _, rest = upper.strip(" ,").partition(",")
    words, further = _words(line), _words(rest)
    number, words = _number(words)
    if not number and further:  # the city, or the unit, goes before
        number, further = _number(further)
        words, further = (further, words) if number else (words, further)
    unit, words = _unit(words, first=1)
    if not unit:
        unit, further = _unit(further)
    if further and further[-1] == state:
        further = further[:-1]
    elif zip_match is not None and len(words) > 2 and words[-1] == state:
        words = words[:-1]
    return Address(
        number,
        standard_words(words),
        unit,
        standard_words(_words(_capitals(city))) if city else standard_words(further),
        (zip_code or "").strip()[:5] or (zip_match.group(1) if zip_match else ""),
    )


def standard_words(words: Sequence[str]) -> str:
    """Words in their standard abbreviations, as one text."""
    return " ".join(STANDARD_WORDS.get(word, word) for word in words)


def _capitals(text: str) -> str:
    """The text in capitals without accents, apostrophes and full stops."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).upper().translate(_DROPPED)


def _words(text: str) -> list[str]:
    words = _SEPARATORS.sub(" ", _NUMBER_AND_LETTER.sub(r"\1\2", text)).replace("#", " # ").split()
    return [word for word in words if "/" not in word or _FRACTION.fullmatch(word)]


def _number(words: list[str]) -> tuple[str, list[str]]:
    """The number of the house, and the other words: the first number that is not a road's."""
    for place, word in enumerate(words):
        before = STANDARD_WORDS.get(words[place - 1], words[place - 1]) if place else ""
        if not _NUMBER.fullmatch(word) or before in NUMBERED_ROADS or before in UNIT_DESIGNATORS or before == "#":
            continue
        number, rest = word.lstrip("0") or "0", words[place + 1 :]
        if rest and _FRACTION.fullmatch(rest[0]):
            number, rest = f"{number} {rest[0]}", rest[1:]
        return number, words[:place] + rest
    return "", words


def _unit(words: list[str], first: int = 0) -> tuple[str, list[str]]:
    """The unit, and the other words: what follows #, or a designator that is at least the `first` word."""
    for place, word in enumerate(words):
        designator = "#" if word == "#" else UNIT_DESIGNATORS.get(word)
        following = words[place + 1 : place + 2]
        if designator is None or not following or not (designator == "#" or _is_identifier(following[0])):
            continue
        end = place + 2
        if following[0] == "#":  # APT # 5
            following, end = words[place + 2 : place + 3], place + 3
        if following and (place >= first or designator == "#"):
            return following[0], words[:place] + words[end:]
    return "", words


def _is_identifier(word: str) -> bool:
    """True for what identifies a unit: a number, or a single letter."""
    return word == "#" or len(word) == 1 or any(character.isdigit() for character in word)
