"""Attributes of features: their names, their kinds, and values as JSON."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from functions.districts.schemas import FieldKind, LayerField

MAX_FIELDS = 200
"""Attributes of a layer. A choice: a Shapefile has 255 at most."""
RESERVED_NAMES = frozenset({"district_id", "name", "valid_from", "valid_to", "geometry", "geom", "fid", "id"})
"""Names that a feature's own columns have here or in a file of any format."""
MAX_NAME = 60

_DECLARED: tuple[tuple[re.Pattern[str], FieldKind], ...] = (
    (re.compile(r"bool|checkbox|^bit", re.I), "boolean"),
    (re.compile(r"timestamp|datetime|^time$|esriFieldTypeDate$|calendar_date", re.I), "datetime"),
    (re.compile(r"^date$|dateonly", re.I), "date"),
    (re.compile(r"int(eger)?\d*(\(|$| )|serial|esriFieldType(Small|Big)?Integer|OID$", re.I), "integer"),
    (re.compile(r"numeric|decimal|double|float|real|number|money|single", re.I), "real"),
)
"""Kinds by what sources call a column's type, the first that matches."""


def fields_of(columns: Sequence[str], types: Mapping[str, str]) -> dict[str, LayerField]:
    """A field for each column; its name is lower case, made of letters, digits and underscores, and used once."""
    fields: dict[str, LayerField] = {}
    names = set(RESERVED_NAMES)
    for column in columns:
        base = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")[:MAX_NAME] or "field"
        base = base if base[0].isalpha() else f"f_{base}"
        name, number = base, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.add(name)
        fields[column] = LayerField(name=name, title=column, kind=kind_of(types.get(column, "text")))
    return fields


def kind_of(declared: str) -> FieldKind:
    """The kind of a column by what the source calls its type."""
    return next((kind for pattern, kind in _DECLARED if pattern.search(declared)), "text")


def typed_values(field: LayerField, values: Sequence[Any]) -> tuple[LayerField, list[Any]]:
    """A column's values as JSON by its field's kind; where one is not of that kind, the column is text."""
    parse = _PARSERS[field.kind]
    try:
        return field, [None if _is_missing(value) else parse(value) for value in values]
    except (ValueError, TypeError, OverflowError, KeyError):
        as_text = field.model_copy(update={"kind": "text"})
        return as_text, [None if value is None else _text(value) for value in values]


def texts_of(values: Iterable[Any]) -> list[str]:
    """Values of the columns of identifiers and names as texts: "" for none, a whole number without its point."""
    return ["" if value is None else _text(value).strip() for value in values]


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value != value  # NaN


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date) else str(value)


def _integer(value: Any) -> int:
    number = int(value)
    if isinstance(value, str) and value.strip() != str(number):
        raise ValueError(f"{value!r} has leading zeros or a sign: it is a code")
    if abs(number) >= 1 << 53:
        raise ValueError(f"{number} is no number in JSON")
    return number


def _real(value: Any) -> float:
    number = float(value)
    if number - number != 0:
        raise ValueError(f"{value!r} is no number in JSON")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}[str(value).strip().lower()]


def _date(value: Any) -> str:
    day = value if isinstance(value, date) else date.fromisoformat(str(value).strip()[:10])
    return (day.date() if isinstance(day, datetime) else day).isoformat()


def _datetime(value: Any) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    return moment.isoformat()


_PARSERS: dict[FieldKind, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "real": _real,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
