"""Conversion of drivers' values to the text that mappings read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from shared.mapping import READ_FAULT, VALUE_FAULTS, value_fault
from shared.sources.source import Extract

NUL = "\x00"
_SHOWN_NUL = "\u2400"
MAX_SHOWN = 80
"""Characters of a value that a reason quotes. A choice: a line of a table."""
MAX_EXPONENT = 400
"""Largest exponent of a number that is written out in digits. A choice above that of a double (308): more digits are no
quantity, and would fill memory."""

_NUMBER_TYPE = re.compile(
    r"u?int(eger)?\d*|(small|big|medium|tiny)int|long(long)?|short|tiny|int24|year|(esriFieldType)?(Double|Single|Integer"
    r"|SmallInteger|BigInteger|OID)|float\d*|double( precision)?|real|(new)?decimal|numeric|(small)?money|number|oid",
    re.I,
)


def to_extract(frame: pl.DataFrame) -> Extract:
    """An extract of a text frame; NULL and the empty text differ in its digest."""
    digest = hashlib.sha256(frame.write_csv(quote_style="necessary").encode()).hexdigest()
    return Extract(frame.height, digest, lambda: frame)


def number_columns(types: Mapping[str, str]) -> frozenset[str]:
    """The columns with a numeric type, by the names that sources use."""
    return frozenset(name for name, type_ in types.items() if _NUMBER_TYPE.fullmatch(type_.partition("(")[0].strip()))


def plain_number(value: float | str | Decimal) -> str | None:
    """A number in decimal digits without an exponent, a whole one without decimals. NaN is NULL; text that is not a
    finite number stays as it is.
    """
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except ArithmeticError:
        return str(value)
    if number.is_nan():
        return None
    if not number:
        return "0"
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        return str(value)
    text = format(number, "f")
    whole, point, decimals = text.partition(".")
    return whole if point and not decimals.strip("0") else text


def _duration(value: timedelta) -> str:
    """Hours, minutes and seconds, as spreadsheets and databases write them."""
    seconds, rest = divmod(abs(value), timedelta(seconds=1))
    sign = "-" if value < timedelta(0) else ""
    fraction = f".{rest.microseconds:06}" if rest else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def text_of_bytes(value: bytes) -> str:
    """Text where the bytes are printable UTF-8, which Impala and older writers store as binary; else hexadecimal
    digits.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex()
    return text if all(character.isprintable() or character in "\t\r\n\x00" for character in text) else value.hex()


_FORMATTERS: tuple[tuple[type, Callable[[Any], str | None]], ...] = (
    (str, str),
    (bool, lambda value: "true" if value else "false"),
    (int, str),
    (float, plain_number),
    (Decimal, lambda value: format(value, "f")),
    (datetime, lambda value: value.isoformat(" ")),
    (date, date.isoformat),
    (time, time.isoformat),
    (timedelta, _duration),
    (bytes, bytes.hex),
)


def as_text(value: object) -> str | None:
    """A driver's value as text."""
    if value is None:
        return None
    for type_, write in _FORMATTERS:
        if isinstance(value, type_):
            return write(value)
    return str(value)


def remove_nuls(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame without NUL characters, which PostgreSQL's text cannot hold.

    A value of NULs and blanks alone (COBOL's LOW-VALUES: a field that was never filled) is NULL, NULs at the end are
    padding and removed, and a NUL within a text is a fault of the value.
    """
    columns = [name for name in frame.columns if name not in (READ_FAULT, VALUE_FAULTS)]
    has_nul = frame.select(pl.col(columns).str.contains(NUL, literal=True).any())
    affected = [name for name in columns if has_nul[name][0]]
    if not affected:
        return frame
    faults: list[list[str]] = [[] for _ in range(frame.height)]
    cleaned = []
    for name in affected:
        texts = [_remove_nuls(text) for text in frame[name].to_list()]
        cleaned.append(pl.Series(name, [None if text and NUL in text else text for text in texts], dtype=pl.String))
        for row, text in enumerate(texts):
            if text and NUL in text:
                shown = text[:MAX_SHOWN].replace(NUL, _SHOWN_NUL)
                faults[row].append(value_fault(name, f"{name} holds a NUL character (0x00): '{shown}'"))
    return with_value_faults(frame.with_columns(cleaned), faults)


def _remove_nuls(text: str | None) -> str | None:
    if text is None or NUL not in text:
        return text
    return text.rstrip(NUL) if text.strip(f"{NUL} ") else None


def with_value_faults(frame: pl.DataFrame, faults: list[list[str]]) -> pl.DataFrame:
    """The frame with the faults of each row's values, added to those that it has."""
    if not any(faults):
        return frame
    existing = frame[VALUE_FAULTS].to_list() if VALUE_FAULTS in frame.columns else [None] * frame.height
    lines = [
        "\n".join(filter(None, [before, *of_row])) or None for before, of_row in zip(existing, faults, strict=True)
    ]
    return frame.with_columns(pl.Series(VALUE_FAULTS, lines, dtype=pl.String))
