"""Scores of addresses: street, number, unit and ZIP code compared, misspelled or not."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.situs.addresses import Address
from shared.situs.postal_terms import STREET_KINDS

# Weights of the parts of a score, and what it loses by a difference. Choices, tried on addresses
# spoiled by the rules of the benchmark `district_lookup` (tests/spoiled_addresses.py): an address on the right street
# with a wrong number goes before the number on another street.
_STREET_WEIGHT = 0.75
_NUMBER_WEIGHT = 1 - _STREET_WEIGHT
_WITHOUT_NUMBER = 0.6
"""Score of a number that is not asked for."""
_TRANSPOSED, _MISTYPED = 0.8, 0.7
"""Score of a number of which two digits are the other way round, and of one with one digit more, less or another."""
_OTHER_UNIT, _OTHER_ZIP = 0.04, 0.02
"""Losses by a unit, or a ZIP code, that differs where both are known."""
_OTHER_CITY = 0.08
"""Loss of a street in a city that is quite another."""
_LEFT_OUT, _OTHER_WORD = 0.04, 0.2
"""Losses by a word of the street that was not asked for: a direction or the kind of street, and any other."""
_REORDERED = 0.01
"""Loss by words in another order, or otherwise written."""
MIN_SCORE = 0.7
"""Least score of an answer: the number, and six of ten letters of the street."""
AMBIGUOUS_WITHIN = 0.005
"""Difference of scores below which two addresses answer equally well."""


@dataclass(frozen=True)
class Candidate:
    """An indexed address."""

    street: str
    number: str
    unit: str
    city: str
    zip: str


def street_score(asked: Address, street: str, city: str) -> float:
    """Likeness of a street in a city to the one that is asked for: 1 for the same words, whatever their order.

    The text as a whole is compared, and word by word: words that were left out cost little where they are a direction
    or the kind of street.
    """
    with_city = f"{street} {city}".strip()
    best = max(_likeness(asked.street, street), _likeness(asked.street, with_city), _by_words(asked, street, city))
    if asked.city and city:
        best -= _OTHER_CITY * (1 - _likeness(asked.city, city))
    return max(best, 0.0)


def score(asked: Address, candidate: Candidate, of_street: float) -> float:
    """Score of an address, 0 to 1; `of_street` is its street's."""
    total = _STREET_WEIGHT * of_street + _NUMBER_WEIGHT * _number_score(asked.number, candidate.number)
    if asked.unit and asked.unit != candidate.unit:
        total -= _OTHER_UNIT
    if asked.zip and candidate.zip and asked.zip != candidate.zip:
        total -= _OTHER_ZIP
    return max(total, 0.0)


def near_numbers(number: str, numbers: Iterable[str]) -> set[str]:
    """Those of the numbers that a slip of the finger makes of a number."""
    return {other for other in numbers if _number_score(number, other) > 0}


def distance(first: str, second: str) -> int:
    """Optimal string alignment distance: letters inserted, deleted, replaced, or swapped with their neighbor."""
    before, row = [0] * (len(second) + 1), list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        earlier, before, row = before, row, [i, *([0] * len(second))]
        for j, b in enumerate(second, start=1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                row[j] = min(row[j], earlier[j - 2] + 1)
    return row[-1]


def _by_words(asked: Address, street: str, city: str) -> float:
    """The share of the letters asked for that the street's words have, less what it has beside them."""
    words, own, of_city = asked.street.split(), street.split(), city.split()
    if not words or not own:
        return 0.0
    matched, likeness = set[int](), 0.0
    candidates = [*own, *of_city]
    for word in words:
        place = max(range(len(candidates)), key=lambda n: _likeness(word, candidates[n]))
        matched.add(place)
        likeness += len(word) * _likeness(word, candidates[place])
    beside = [word for place, word in enumerate(own) if place not in matched]
    missing = sum(_LEFT_OUT if word in STREET_KINDS else _OTHER_WORD for word in beside)
    in_order = asked.street in (street, f"{street} {city}")
    return likeness / sum(map(len, words)) - missing - (0 if in_order else _REORDERED)


def _likeness(first: str, second: str) -> float:
    longest = max(len(first), len(second))
    if not longest:
        return 0.0
    return 1.0 if first == second else 1 - distance(first, second) / longest


def _number_score(asked: str, number: str) -> float:
    if not asked:
        return _WITHOUT_NUMBER
    if asked == number:
        return 1.0
    if not number or distance(asked, number) != 1:
        return 0.0
    return _TRANSPOSED if sorted(asked) == sorted(number) else _MISTYPED
