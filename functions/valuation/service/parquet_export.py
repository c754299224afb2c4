"""A run's results as Parquet, made from the CSV file in a stream: a large county fits a small memory."""

from pathlib import Path

import polars as pl

_MONEY = pl.Decimal(14, 2)
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "property_id": pl.String,
    "property_class": pl.String,
    "neighborhood": pl.String,
    "model_id": pl.String,
    "current_value": _MONEY,
    "estimate": _MONEY,
    "low": _MONEY,
    "high": _MONEY,
    "land_value": _MONEY,
    "improvement_value": _MONEY,
    "confidence": pl.Float64,
    "review": pl.Boolean,
    "flags": pl.String,
    "refusal": pl.String,
}
"""The columns of the files, in order; money is exact decimal."""


def write_parquet(source: Path, target: Path) -> None:
    """Write what a CSV file of the database holds (booleans as t and f) as Parquet."""
    read = dict(SCHEMA) | {"review": pl.String}
    frame = pl.scan_csv(source, schema=read).with_columns(review=pl.col("review") == "t")
    frame.sink_parquet(target, compression="zstd")
