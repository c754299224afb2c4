"""Frames as Parquet objects."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from shared import storage

if TYPE_CHECKING:
    import polars as pl

PARQUET = "application/vnd.apache.parquet"


def put_frame(key: str, frame: pl.DataFrame) -> None:
    """Store a frame as Parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    storage.put(key, buffer.getvalue(), PARQUET)


def get_frame(key: str) -> pl.DataFrame:
    """Read a Parquet object. Raises NotFound."""
    import polars as pl

    return pl.read_parquet(io.BytesIO(storage.get(key)))
