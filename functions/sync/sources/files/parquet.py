"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from functions.sync.sources.files.parts import unreadable
from shared.source_description import ParquetFile

if TYPE_CHECKING:
    import polars as pl


class ParquetTable:
    """A Parquet file; lists and structures become JSON, and binary values hexadecimal."""

    def __init__(self, path: Path, description: ParquetFile) -> None:
        self._path = path
        self._format = description

    def columns(self) -> dict[str, str]:
        return {name: str(type_) for name, type_ in self._schema.items()}

    def frames(self, rows: int) -> Iterator[pl.DataFrame]:
        import polars as pl

        texts = [_text(name, dtype) for name, dtype in self._schema.items()]
        scan = pl.scan_parquet(self._path)
        start = 0
        while True:
            try:
                frame = scan.slice(start, rows).select(texts).collect(engine="streaming")
            except pl.exceptions.PolarsError as error:
                raise unreadable(self._format.file, "Parquet file", error) from None
            if frame.height:
                yield frame
            if frame.height < rows:
                return
            start += rows

    @cached_property
    def _schema(self) -> pl.Schema:
        import polars as pl

        try:
            return pl.scan_parquet(self._path).collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise unreadable(self._format.file, "Parquet file", error) from None


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    value = pl.col(name)
    if isinstance(dtype, pl.Binary):
        return value.bin.encode("hex")
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%d %H:%M:%S%.6f%:z" if dtype.time_zone else "%Y-%m-%d %H:%M:%S%.6f")
    if dtype.is_nested():
        encoded = pl.struct(value.alias("value")).struct.json_encode().str.slice(len('{"value":')).str.head(-1)
        return pl.when(value.is_not_null()).then(encoded).alias(name)
    return value.cast(pl.String)
