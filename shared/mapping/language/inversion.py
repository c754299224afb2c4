"""Inversion of a field: the text that a source's column has to have for a field to get a value.

Only what is one to one is inverted: blanks, cases and codes for "not known" have an inverse that the field reads as the
same value; sums, joined columns and lookups have none.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from shared.mapping.language.model import CountyMapping, FieldMap, FieldType, TableMapping
from shared.mapping.language.write_back import WriteBackColumn, WriteBackTable
from shared.mapping.transformations import ParseDate, ValueMap
from shared.mapping.transformations.numbers import ParseNumber
from shared.mapping.transformations.step import Step
from shared.mapping.transformations.text import NullIf, StripWhitespace, ToLower, ToUpper

Value = str | None
"""A value as text: a number without superfluous zeros, a date as 2025-01-31."""
_Codes = Mapping[str, str | None]

NUMBERS: Final = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.FLOAT})
_TYPES: Final = NUMBERS | {FieldType.STRING, FieldType.DATE}


class NotInvertibleError(ValueError):
    """A value that no text of the source's column gives."""


def inversion_error(field: FieldMap, value_maps: Mapping[str, _Codes]) -> str | None:
    """The reason why a field has no inverse; None where it has one."""
    if len(field.sources) != 1:
        return f"{field.target} is made of {len(field.sources)} columns" if field.sources else "it has no source"
    if field.type not in _TYPES:
        return f"a field of the type {field.type} has no inverse"
    for step in field.transformations:
        name = getattr(step, "type", "")
        if type(step) not in _INVERSES:
            return f"{name} has no inverse"
        if isinstance(step, ParseDate) and (len(step.patterns) > 1 or "%y" in step.patterns[0]):
            return f"{name} reads several formats, or years of two digits"
        codes = value_maps.get(step.map, {}) if isinstance(step, ValueMap) else {}
        if len(set(codes.values())) < len(codes):
            return "its value map gives one value to several codes"
    return None


def canonical(value: Any, type_: FieldType) -> Value:
    """A value of a row, or of an override's JSON, as text."""
    if value is None:
        return None
    if type_ in NUMBERS:
        try:
            number = Decimal(str(value))
        except InvalidOperation as error:
            raise NotInvertibleError(f"{value!r} is no number") from error
        return "0" if number == 0 else format(number.normalize(), "f")
    return str(value)


def invert(field: FieldMap, value_maps: Mapping[str, _Codes], value: Value) -> Value:
    """The source's text for a value (see `canonical`) of a field that has an inverse. Raises NotInvertibleError."""
    text = value
    for step in reversed(field.transformations):
        text = _INVERSES[type(step)](step, text, value_maps)
    return text


def written_columns(mapping: CountyMapping, table: TableMapping, way: WriteBackTable) -> dict[str, FieldMap]:
    """The fields that go back, by the column of the county's system."""
    fields = {field.target: field for field in table.field_map}
    if way.columns:
        return {_column(chosen, fields[chosen.target]): fields[chosen.target] for chosen in way.columns}
    key = set(key_columns(table, way))
    used = [name for field in table.field_map for name in field.sources]
    return {
        field.sources[0]: field
        for field in table.field_map
        if inversion_error(field, mapping.value_maps) is None
        and used.count(field.sources[0]) == 1
        and field.target != table.key
        and field.sources[0] not in key
    }


def key_columns(table: TableMapping, way: WriteBackTable) -> tuple[str, ...]:
    """The columns that find a row in the county's system."""
    return way.key or table.primary_key_source_fields


def _column(chosen: WriteBackColumn, field: FieldMap) -> str:
    return chosen.source or field.sources[0]


def _unchanged(_step: Step, text: Value, _value_maps: Mapping[str, _Codes]) -> Value:
    return text


def _code_for_null(step: NullIf, text: Value, _value_maps: Mapping[str, _Codes]) -> Value:
    return step.values[0] if text is None else text


def _formatted(step: ParseDate, text: Value, _value_maps: Mapping[str, _Codes]) -> Value:
    return None if text is None else date.fromisoformat(text).strftime(step.patterns[0])


def _code(step: ValueMap, text: Value, value_maps: Mapping[str, _Codes]) -> Value:
    codes = {meaning: code for code, meaning in value_maps[step.map].items()}
    if text is not None and text not in codes:
        raise NotInvertibleError(f"the value map {step.map} has no code for {text!r}")
    return codes.get(text)


_INVERSES: Final[dict[type[Step], Callable[..., Value]]] = {
    StripWhitespace: _unchanged,
    ToUpper: _unchanged,
    ToLower: _unchanged,
    ParseNumber: _unchanged,
    NullIf: _code_for_null,
    ParseDate: _formatted,
    ValueMap: _code,
}
"""The inverse of each transformation that has one."""
