"""Data frames as Parquet objects."""

import io

import polars as pl

from shared import storage

PARQUET = "application/vnd.apache.parquet"


def put_frame(
    key: str, frame: pl.DataFrame, *, metadata: dict[str, str] | None = None, tag: tuple[str, str] | None = None
) -> None:
    """Store a frame as Parquet, with `metadata` in the file's footer and a tag on the object."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1, metadata=metadata)
    storage.put(key, buffer.getvalue(), PARQUET, tag)


def get_frame(key: str) -> pl.DataFrame:
    """Read a Parquet object. Raises NotFound."""
    return pl.read_parquet(io.BytesIO(storage.get(key)))
