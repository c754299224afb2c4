"""Texts read as typed columns, and typed columns written as canonical text."""

from __future__ import annotations

import polars as pl

from shared.geo.geometry import ShapeError, read_shape
from shared.mapping.language.literals import FALSE_WORDS, TRUE_WORDS
from shared.mapping.language.model import FieldType
from shared.mapping.targets import ColumnKind, TargetColumn
from shared.mapping.transformations.step import Kind

_CONTROLS = [chr(code) for code in range(32)] + ['"', "\\"]
_ESCAPES = [f"\\u{code:04x}" for code in range(32)] + ['\\"', "\\\\"]

ENTRY_SCALE = 4
"""Decimals that a number in a JSON column keeps at most."""


def read_as(value: pl.Expr, kind: Kind, type_: FieldType, column: TargetColumn) -> pl.Expr:
    """`value` as the column's type, NULL where it cannot be read or does not fit (see FieldType)."""
    if type_ is FieldType.STRING:
        return value.dt.to_string("iso:strict") if kind is Kind.TIMESTAMP else value.cast(pl.String)
    if type_ in (FieldType.DATE, FieldType.TIMESTAMP):
        return _read_time(value, kind, type_)
    if type_ is FieldType.GEOMETRY:
        return read_geometry(value).struct.field("wkb")
    text = value.cast(pl.String).str.strip_chars() if kind is Kind.TEXT else value
    match type_:
        case FieldType.INTEGER:
            return _read_integer(text, kind, column)
        case FieldType.DECIMAL | FieldType.MONEY | FieldType.FLOAT:
            return _read_number(text, column)
        case FieldType.BOOLEAN:
            lower = text.str.to_lowercase()
            return pl.when(lower.is_in(list(TRUE_WORDS))).then(True).when(lower.is_in(list(FALSE_WORDS))).then(False)
        case FieldType.JSON:
            whole = text.str.json_path_match("$").is_not_null() & ~text.str.contains("\\u0000", literal=True)
            return pl.when(whole).then(text)
        case _:
            items = text.str.split(",").list.eval(pl.element().str.strip_chars())
            quoted = items.list.eval(_quoted(pl.element().filter(pl.element() != "")))
            return pl.when(text != "").then(pl.lit("[") + quoted.list.join(",") + pl.lit("]"))


def read_number(text: pl.Expr) -> pl.Expr:
    """A text as a finite float, NULL where it is none."""
    number = text.str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _read_time(value: pl.Expr, kind: Kind, type_: FieldType) -> pl.Expr:
    if kind is Kind.DATE:
        return value
    if kind is Kind.TIMESTAMP:
        return value if type_ is FieldType.TIMESTAMP else value.dt.date()
    text = value.str.strip_chars()
    if type_ is FieldType.DATE:
        return text.str.to_date("%Y-%m-%d", strict=False)
    patterns = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")
    moments = [text.str.to_datetime(pattern, strict=False, time_unit="us") for pattern in patterns]
    return pl.coalesce(moments).dt.replace_time_zone("UTC")


def read_geometry(value: pl.Expr) -> pl.Expr:
    """WKB of a point, a polygon or several, in hexadecimal, as a structure: `wkb` is the text that PostgreSQL reads
    bytes from, `fault` the reason why there is none.
    """
    digits = value.str.strip_chars().str.replace(r"(^|;)(?:\\x|0[xX])", "${1}")
    return digits.map_batches(_read_shapes, return_dtype=pl.Struct({"wkb": pl.String, "fault": pl.String}))


def _read_shapes(texts: pl.Series) -> pl.Series:
    shapes, faults = list[str | None](), list[str | None]()
    for text in texts:
        shape, fault = None, None
        try:
            shape = read_shape(text) if text else None
        except ShapeError as error:
            fault = f"the shape {error}"
        shapes.append(None if shape is None else f"\\x{shape.lower()}")
        faults.append(fault)
    columns = {"wkb": pl.Series(shapes, dtype=pl.String), "fault": pl.Series(faults, dtype=pl.String)}
    return pl.DataFrame(columns).to_struct(texts.name)


def _read_integer(value: pl.Expr, kind: Kind, column: TargetColumn) -> pl.Expr:
    if kind is Kind.NUMBER:
        whole: pl.Expr = pl.when(value == value.round(0)).then(value)
    else:
        whole = value.str.extract(r"^\+?(-?[0-9]+)(?:\.0*)?$", 1)
    if column.kind is ColumnKind.NUMERIC:
        return whole.cast(pl.Decimal(column.precision, column.scale), strict=False)
    if column.kind is ColumnKind.FLOAT:
        return whole.cast(pl.Float64, strict=False)
    return whole.cast(pl.Int32 if column.kind is ColumnKind.INTEGER else pl.Int64, strict=False)


def _read_number(value: pl.Expr, column: TargetColumn) -> pl.Expr:
    if column.kind is ColumnKind.FLOAT:
        number = value.cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    if column.kind is ColumnKind.NUMERIC:
        return value.cast(pl.Decimal(column.precision, column.scale), strict=False)
    return value.cast(pl.Decimal(18, ENTRY_SCALE), strict=False)


def written(column: str, dtype: pl.DataType) -> pl.Expr:
    """A typed column as the text that PostgreSQL reads; equal values have equal texts."""
    value = pl.col(column)
    if isinstance(dtype, pl.String):
        return value
    if isinstance(dtype, pl.Date):
        return value.dt.strftime("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")
    return value.cast(pl.String)


def as_json(value: pl.Expr, type_: FieldType) -> pl.Expr:
    """A typed column as the text of a JSON value; NULL stays NULL."""
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


def json_text(text: pl.Expr) -> pl.Expr:
    """A text column as JSON strings."""
    return _quoted(text)
