"""An analysis as a file: JSON has all of it, CSV and Parquet one row for each group and month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import orjson

from functions.market_analysis.schemas import DownloadFormat, Market, MarketAnalysisResults
from shared.csv_export.tables import CSV, Table, to_csv

CONTENT_TYPES: dict[DownloadFormat, str] = {
    "json": "application/json",
    "csv": CSV,
    "parquet": "application/vnd.apache.parquet",
}
COLUMNS: dict[str, type] = {
    "grouping": str,
    "group": str,
    "month": date,
    "sales": int,
    "volume": Decimal,
    "median_price": Decimal,
    "median_price_per_sqft": Decimal,
    "hedonic_index": float,
    "hedonic_standard_error": float,
    "hedonic_uncertain": bool,
    "repeat_sales_index": float,
    "repeat_sales_standard_error": float,
    "repeat_sales_uncertain": bool,
    "time_adjustment_factor": float,
    "time_adjustment_standard_error_percent": float,
}
"""Names and types of the flat files' columns; `month` is its first day, `grouping` is "county" for all sales."""


def to_file(results: MarketAnalysisResults, file_format: DownloadFormat) -> bytes:
    """The content of a file of the results."""
    match file_format:
        case "json":
            return orjson.dumps(results.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
        case "csv":
            return to_csv(Table(tuple(COLUMNS), list(_rows(results))))
        case "parquet":
            return _parquet(list(_rows(results)))


def _rows(results: MarketAnalysisResults) -> Iterator[list[Any]]:
    for market in (results.overall, *results.groups):
        yield from _rows_of(market)


def _rows_of(market: Market) -> Iterator[list[Any]]:
    factors = {factor.month: factor for factor in market.time_adjustment.factors} if market.time_adjustment else {}
    for month in market.months:
        factor = factors.get(month.month)
        yield [
            market.grouping or "county",
            market.group,
            date.fromisoformat(f"{month.month}-01"),
            month.sales,
            month.volume,
            month.median_price,
            month.median_price_per_sqft,
            month.index,
            month.standard_error,
            month.uncertain,
            month.repeat_sales_index,
            month.repeat_sales_standard_error,
            month.repeat_sales_uncertain,
            factor.factor if factor else None,
            factor.standard_error_percent if factor else None,
        ]


def _parquet(rows: list[list[Any]]) -> bytes:
    """Parquet with money as decimals."""
    import polars as pl  # of the frames layer, which only this needs

    types: dict[type, Any] = {
        str: pl.String,
        date: pl.Date,
        int: pl.Int64,
        Decimal: pl.Decimal(18, 2),
        float: pl.Float64,
        bool: pl.Boolean,
    }
    schema = {name: types[kind] for name, kind in COLUMNS.items()}
    content = BytesIO()
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(content)
    return content.getvalue()
