"""Numbers and names in print: US conventions, a true minus sign, an en dash for a missing value."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

MISSING = "–"
MINUS = "−"

MAX_NAME_LENGTH = 80
"""Characters of a name in a table's cell. A choice: more of it tells nobody more, and makes the row higher."""

MAX_WORD_LENGTH = 18
"""Characters of a word without a place to break it: what the narrowest column of names holds at its size of type."""

_LONG_WORD = re.compile(rf"(\S{{{MAX_WORD_LENGTH}}})(?=\S)")


def dollars(amount: Decimal | None) -> str:
    """Whole dollars: `$1,234,567`."""
    return MISSING if amount is None else _signed(amount, lambda size: f"${_rounded(size, 0):,}")


def dollar_change(amount: Decimal | None) -> str:
    """Whole dollars with their sign: `+$1,234`, `−$1,234`."""
    return MISSING if amount is None else ("+" if amount > 0 else "") + dollars(amount)


def count(number: int | None) -> str:
    """`12,345`."""
    return MISSING if number is None else _signed(Decimal(number), lambda size: f"{size:,}")


def count_change(number: int | None) -> str:
    """`+12`, `−3`."""
    return MISSING if number is None else ("+" if number > 0 else "") + count(number)


def percent_change(percent: Decimal | None) -> str:
    """`+3.2%`."""
    if percent is None:
        return MISSING
    return ("+" if percent > 0 else "") + _signed(percent, lambda size: f"{_rounded(size, 1):,}%")


def decimals(number: float | None, places: int) -> str:
    """`0.987`; a negative one with a true minus sign."""
    if number is None:
        return MISSING
    return _signed(Decimal(repr(number)), lambda size: f"{_rounded(size, places):,}")


def interval(low: float | None, high: float | None, places: int) -> str:
    """`0.932 to 1.021`."""
    return MISSING if low is None or high is None else f"{decimals(low, places)} to {decimals(high, places)}"


def moment(time: datetime) -> str:
    """`November 22, 2026, 22:57 UTC` of a time in UTC."""
    return f"{day(time.date())}, {time:%H:%M} UTC"


def day(when: date) -> str:
    """`November 2, 2026`."""
    return f"{when:%B} {when.day}, {when.year}"


def name(text: str | None) -> str:
    """A name for a table's cell: on one line, shortened, and with break opportunities in long words."""
    if text is None:
        return "(none)"
    line = " ".join(text.split()) or "(blank)"
    if len(line) > MAX_NAME_LENGTH:
        line = line[: MAX_NAME_LENGTH - 1] + "…"
    return _LONG_WORD.sub("\\1\u200b", line)


def omission(rows: int, printed: int, which: str) -> str | None:
    """The remark below a table that is printed in part: `which` rows are. None where all are printed."""
    if rows <= printed:
        return None
    return f"{count(printed)} of {count(rows)} rows are printed, {which}; the XLSX of this report has all."


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _signed(number: Decimal, unsigned: Callable[[Decimal], str]) -> str:
    """The number with its sign; one that is rounded to zero has none. `unsigned` writes its size."""
    text = unsigned(abs(number))
    return MINUS + text if number < 0 and any(digit in text for digit in "123456789") else text
