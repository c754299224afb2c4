"""Numbers and names as a person reads them on paper: US conventions, a real minus sign, an en dash for nothing."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

NOTHING = "–"
MINUS = "−"

_LONGEST_NAME = 80
_UNBROKEN = re.compile(r"(\S{18})(?=\S)")


def dollars(amount: Decimal | None) -> str:
    """Whole dollars: `$1,234,567`."""
    return NOTHING if amount is None else _signed(amount, lambda size: f"${_rounded(size, 0):,}")


def dollar_change(amount: Decimal | None) -> str:
    """Whole dollars with their sign: `+$1,234`, `−$1,234`."""
    return NOTHING if amount is None else ("+" if amount > 0 else "") + dollars(amount)


def count(number: int | None) -> str:
    """`12,345`."""
    return NOTHING if number is None else _signed(Decimal(number), lambda size: f"{size:,}")


def count_change(number: int | None) -> str:
    """`+12`, `−3`."""
    return NOTHING if number is None else ("+" if number > 0 else "") + count(number)


def percent_change(percent: Decimal | None) -> str:
    """`+3.2%`."""
    if percent is None:
        return NOTHING
    return ("+" if percent > 0 else "") + _signed(percent, lambda size: f"{_rounded(size, 1):,}%")


def decimals(number: float | None, places: int) -> str:
    """`0.987`; a negative one with a real minus sign."""
    if number is None:
        return NOTHING
    return _signed(Decimal(repr(number)), lambda size: f"{_rounded(size, places):,}")


def interval(low: float | None, high: float | None, places: int) -> str:
    """`0.932 to 1.021`."""
    return NOTHING if low is None or high is None else f"{decimals(low, places)} to {decimals(high, places)}"


def moment(time: datetime) -> str:
    """`November 22, 2026, 22:57 UTC` of a time in UTC."""
    return f"{day(time.date())}, {time:%H:%M} UTC"


def day(when: date) -> str:
    """`November 2, 2026`."""
    return f"{when:%B} {when.day}, {when.year}"


def name(text: str | None) -> str:
    """A name in a table's cell: on one line, shortened, and with places where a long word may break."""
    if text is None:
        return "(none)"
    line = " ".join(text.split()) or "(blank)"
    if len(line) > _LONGEST_NAME:
        line = line[: _LONGEST_NAME - 1] + "…"
    return _UNBROKEN.sub("\\1\u200b", line)


def omission(rows: int, most: int, which: str) -> str | None:
    """What is said below a table that had to be cut short."""
    if rows <= most:
        return None
    return f"{count(most)} of {count(rows)} rows are printed, {which}; the CSV and JSON of this report have all."


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _signed(number: Decimal, written: Callable[[Decimal], str]) -> str:
    text = written(abs(number))
    return MINUS + text if number < 0 and any(digit in text for digit in "123456789") else text
