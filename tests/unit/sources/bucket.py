"""Files of a county in a bucket of the test's own."""

from itertools import pairwise
from typing import Any

import boto3
import polars as pl

from shared.counties.source_description import FilesDescription, GeographicFile
from shared.mapping import ROW_NUMBER
from shared.settings import settings
from shared.sources import Key, KeyRange, SourceTable, TableSchema
from shared.sources.files.geographic import conversion
from shared.sources.files.source import FilesSource

COUNTY = "testing_wa"
BOUNDS = conversion.Bounds(seconds=60, memory_mb=1769)


def table(name: str = "parcels", *key: str) -> SourceTable:
    return SourceTable(name, None, key or ("id",))


def put(name: str, content: bytes) -> None:
    """Upload a file of the county's."""
    boto3.client("s3").put_object(Bucket=settings().data_bucket, Key=f"counties/{COUNTY}/incoming/{name}", Body=content)


def source_of(content: bytes, **description: Any) -> FilesSource:
    """A source whose table `parcels` is this file."""
    put("parcels.dat", content)
    return files_source({"parcels": {"file": "parcels.dat", **description}})


def files_source(tables: dict[str, Any], *, convert: bool = True) -> FilesSource:
    """A source of files; geographic ones are converted as by Plan."""
    described = FilesDescription.model_validate({"kind": "files", "tables": tables})
    for name, file in described.tables.items():
        if convert and isinstance(file, GeographicFile):
            conversion.convert(COUNTY, described, name, BOUNDS)
    return FilesSource(COUNTY, described, lambda name, rows: conversion.sample(COUNTY, described, name, rows, BOUNDS))


def shuffled(schema: TableSchema) -> TableSchema:
    """A schema as a plan stores it, with its columns in another order."""
    return TableSchema(dict(sorted(schema.columns.items(), key=lambda column: (len(column[0]), column[0][::-1]))))


def frames(source: FilesSource, rows: int, of: SourceTable | None = None) -> list[pl.DataFrame]:
    """The ranges of a table, each read by a source of its own, as by the partitions of a run."""
    read = of or table()
    shape = shuffled(source.schema(read))
    total, ends = source.cut(read, rows)
    edges: list[Key | None] = [None, *ends, None]
    made = [source.read(read, shape, KeyRange(*edge)) for edge in pairwise(edges)]
    assert sum(extract.rows for extract in made) == total == source.count(read)
    return [extract.frame().drop(ROW_NUMBER) for extract in made]


def whole(source: FilesSource, rows: int = 3) -> pl.DataFrame:
    """All rows."""
    return pl.concat(frames(source, rows), how="diagonal")
