"""Texts of a mapping (defaults) read without Polars, to check them when the mapping is written."""

import re
from datetime import date, datetime

import orjson

from shared.mapping.language.model import FieldType

TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)


def unreadable(text: str, type_: FieldType) -> str | None:
    """Why a default cannot be read as `type_`, or None where it can."""
    match type_:
        case FieldType.STRING | FieldType.LIST:
            good = True
        case FieldType.INTEGER:
            good = bool(_INTEGER.fullmatch(text))
        case FieldType.DECIMAL | FieldType.MONEY | FieldType.FLOAT:
            good = bool(_NUMBER.fullmatch(text))
        case FieldType.BOOLEAN:
            good = text.lower() in (*TRUE_WORDS, *FALSE_WORDS)
        case FieldType.DATE:
            good = bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)) and _is_iso(text, date)
        case FieldType.TIMESTAMP:
            good = _is_iso(text, datetime)
        case FieldType.JSON:
            good = _is_json(text)
    return None if good else f"{text!r} cannot be read as {type_}"


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
