"""Literals of a mapping (defaults, bounds, constants), checked without Polars when the mapping is written."""

import re
from datetime import date, datetime

import orjson

from shared.mapping.language.model import FieldType

TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)


def literal_error(text: str, type_: FieldType) -> str | None:
    """The message for a literal that cannot be read as `type_`; None for one that can."""
    match type_:
        case FieldType.STRING | FieldType.LIST:
            readable = True
        case FieldType.INTEGER:
            readable = bool(_INTEGER.fullmatch(text))
        case FieldType.DECIMAL | FieldType.MONEY | FieldType.FLOAT:
            readable = bool(_NUMBER.fullmatch(text))
        case FieldType.BOOLEAN:
            readable = text.lower() in (*TRUE_WORDS, *FALSE_WORDS)
        case FieldType.DATE:
            readable = bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)) and _is_iso(text, date)
        case FieldType.TIMESTAMP:
            readable = _is_iso(text, datetime)
        case FieldType.JSON:
            readable = _is_json(text)
    return None if readable else f"{text!r} cannot be read as {type_}"


def _is_iso(text: str, type_: type[date] | type[datetime]) -> bool:
    try:
        type_.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
