"""Casts: texts to typed columns, and typed columns to the canonical texts of COPY and JSON."""

from __future__ import annotations

import polars as pl

from shared.geo.geometry import ShapeError, read_shape
from shared.mapping.language.literals import FALSE_WORDS, TRUE_WORDS
from shared.mapping.language.model import FieldType
from shared.mapping.targets import ColumnKind, TargetColumn
from shared.mapping.transformations.step import ValueKind

_CONTROLS = [chr(code) for code in range(32)] + ['"', "\\"]
_ESCAPES = [f"\\u{code:04x}" for code in range(32)] + ['\\"', "\\\\"]

ENTRY_SCALE = 4
"""Decimals of a number in a JSON column: enough for areas and shares, and none that a float makes up."""


def cast_to(value: pl.Expr, kind: ValueKind, type_: FieldType, column: TargetColumn) -> pl.Expr:
    """Cast a value to its field's type (see FieldType); NULL where it cannot be read or does not fit the column."""
    if type_ is FieldType.STRING:
        return value.dt.to_string("iso:strict") if kind is ValueKind.TIMESTAMP else value.cast(pl.String)
    if type_ in (FieldType.DATE, FieldType.TIMESTAMP):
        return _cast_to_time(value, kind, type_)
    if type_ is FieldType.GEOMETRY:
        return cast_to_geometry(value).struct.field("wkb")
    text = value.cast(pl.String).str.strip_chars() if kind is ValueKind.TEXT else value
    match type_:
        case FieldType.INTEGER:
            return _cast_to_integer(text, kind, column)
        case FieldType.DECIMAL | FieldType.MONEY | FieldType.FLOAT:
            return _cast_to_number(text, column)
        case FieldType.BOOLEAN:
            lower = text.str.to_lowercase()
            return pl.when(lower.is_in(list(TRUE_WORDS))).then(True).when(lower.is_in(list(FALSE_WORDS))).then(False)
        case FieldType.JSON:
            valid = text.str.json_path_match("$").is_not_null() & ~text.str.contains("\\u0000", literal=True)
            return pl.when(valid).then(text)
        case _:
            items = text.str.split(",").list.eval(pl.element().str.strip_chars())
            quoted = items.list.eval(_quoted(pl.element().filter(pl.element() != "")))
            return pl.when(text != "").then(pl.lit("[") + quoted.list.join(",") + pl.lit("]"))


def cast_to_number(text: pl.Expr) -> pl.Expr:
    """A text as a finite float; NULL where it is no such number."""
    number = text.str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _cast_to_time(value: pl.Expr, kind: ValueKind, type_: FieldType) -> pl.Expr:
    if kind is ValueKind.DATE:
        return value
    if kind is ValueKind.TIMESTAMP:
        return value if type_ is FieldType.TIMESTAMP else value.dt.date()
    text = value.str.strip_chars()
    if type_ is FieldType.DATE:
        return text.str.to_date("%Y-%m-%d", strict=False)
    patterns = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")
    timestamps = [text.str.to_datetime(pattern, strict=False, time_unit="us") for pattern in patterns]
    return pl.coalesce(timestamps).dt.replace_time_zone("UTC")


def cast_to_geometry(value: pl.Expr) -> pl.Expr:
    """WKB of a point, a polygon or several, in hexadecimal, as a structure: `wkb` is the text that PostgreSQL reads
    bytes from, `error` the reason why there is none.
    """
    digits = value.str.strip_chars().str.replace(r"(^|;)(?:\\x|0[xX])", "${1}")
    return digits.map_batches(_shapes, return_dtype=pl.Struct({"wkb": pl.String, "error": pl.String}))


def _shapes(texts: pl.Series) -> pl.Series:
    shapes, errors = list[str | None](), list[str | None]()
    for text in texts:
        shape, reason = None, None
        try:
            shape = read_shape(text) if text else None
        except ShapeError as error:
            reason = f"the shape {error}"
        shapes.append(None if shape is None else f"\\x{shape.lower()}")
        errors.append(reason)
    columns = {"wkb": pl.Series(shapes, dtype=pl.String), "error": pl.Series(errors, dtype=pl.String)}
    return pl.DataFrame(columns).to_struct(texts.name)


def _cast_to_integer(value: pl.Expr, kind: ValueKind, column: TargetColumn) -> pl.Expr:
    if kind is ValueKind.NUMBER:
        whole: pl.Expr = pl.when(value == value.round(0)).then(value)
    else:
        whole = value.str.extract(r"^\+?(-?[0-9]+)(?:\.0*)?$", 1)
    if column.kind is ColumnKind.NUMERIC:
        return whole.cast(pl.Decimal(column.precision, column.scale), strict=False)
    if column.kind is ColumnKind.FLOAT:
        return whole.cast(pl.Float64, strict=False)
    return whole.cast(pl.Int32 if column.kind is ColumnKind.INTEGER else pl.Int64, strict=False)


def _cast_to_number(value: pl.Expr, column: TargetColumn) -> pl.Expr:
    if column.kind is ColumnKind.FLOAT:
        number = value.cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    if column.kind is ColumnKind.NUMERIC:
        return value.cast(pl.Decimal(column.precision, column.scale), strict=False)
    return value.cast(pl.Decimal(18, ENTRY_SCALE), strict=False)


def to_copy_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """A typed column as the canonical text that COPY takes: equal values have equal texts."""
    value = pl.col(column)
    if isinstance(dtype, pl.String):
        return value
    if isinstance(dtype, pl.Date):
        return value.dt.strftime("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")
    return value.cast(pl.String)


def to_json(value: pl.Expr, type_: FieldType) -> pl.Expr:
    """A typed column as JSON text; NULL stays NULL."""
    match type_:
        case FieldType.INTEGER | FieldType.BOOLEAN:
            return value.cast(pl.String)
        case FieldType.DECIMAL | FieldType.MONEY | FieldType.FLOAT:
            return value.cast(pl.String).str.replace(r"\.?0+$", "")
        case FieldType.LIST | FieldType.JSON:
            return value
        case FieldType.DATE:
            return pl.lit('"') + value.dt.strftime("%Y-%m-%d") + pl.lit('"')
        case FieldType.TIMESTAMP:
            return pl.lit('"') + value.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00") + pl.lit('"')
        case _:
            return _quoted(value)


def _quoted(text: pl.Expr) -> pl.Expr:
    return pl.lit('"') + text.str.replace_many(_CONTROLS, _ESCAPES) + pl.lit('"')


def to_json_string(text: pl.Expr) -> pl.Expr:
    """A text column as JSON strings."""
    return _quoted(text)
