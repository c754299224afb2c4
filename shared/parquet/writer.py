"""The structure of a Parquet file: pages, groups of rows, and the footer that describes them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from shared.parquet.thrift import Int64, Struct, Value, encode, varint

_MAGIC = b"PAR1"
_GZIP_LEVEL = 1
"""Of a file of 100,000 parcels, 1 takes a third of the time of 6 and is a tenth larger (measured here)."""
_GZIP_WINDOW = 31
"""zlib's code for gzip's header and the largest window."""
_OPTIONAL = 1
_PLAIN, _RLE = 0, 3
_GZIP = 2
_DATA_PAGE = 0


class PhysicalType(IntEnum):
    """The type in which the values of a column are stored; the numbers are the format's."""

    BOOLEAN = 0
    INT32 = 1
    INT64 = 2
    DOUBLE = 5
    BYTE_ARRAY = 6


@dataclass(frozen=True)
class StoredColumn:
    """A column: its name, the type of its values, and the fields of its schema element that say what they mean."""

    name: str
    physical: PhysicalType
    annotations: Mapping[int, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredValues:
    """A column's values in a group of rows: its definition levels, and the values that are not null, plain."""

    levels: bytes
    present: bytes


def bit_packed(bits: bytes) -> bytes:
    """Definition levels of one bit a row, the first one the lowest of the first byte."""
    return varint(len(bits) << 1 | 1) + bits


def one_level(rows: int, *, present: bool) -> bytes:
    """Definition levels of rows that all have a value, or of which none has."""
    return varint(rows << 1) + bytes([present])


class ParquetWriter:
    """A file that takes groups of rows. `metadata` are texts that readers find in the footer under their keys."""

    def __init__(self, path: Path, columns: Sequence[StoredColumn]) -> None:
        self._path = path
        self._columns = columns
        self._groups: list[Struct] = []
        self._rows = 0
        self.metadata: dict[str, str] = {}

    def __enter__(self) -> ParquetWriter:
        self._file: BinaryIO = self._path.open("wb")
        self._file.write(_MAGIC)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            if kind is None:
                footer = encode(self._footer())
                self._file.write(footer + struct.pack("<I", len(footer)) + _MAGIC)
        finally:
            self._file.close()

    def add(self, rows: int, values: Iterable[StoredValues]) -> None:
        """Write a group of rows, column by column."""
        start = self._file.tell()
        chunks = [self._chunk(rows, column, each) for column, each in zip(self._columns, values, strict=True)]
        self._groups.append({1: chunks, 2: Int64(self._file.tell() - start), 3: Int64(rows)})
        self._rows += rows

    def _chunk(self, rows: int, column: StoredColumn, values: StoredValues) -> Struct:
        """Write a column's page, and return its description."""
        offset = self._file.tell()
        content = struct.pack("<I", len(values.levels)) + values.levels + values.present
        packed = _compressed(content)
        page: Struct = {1: rows, 2: _PLAIN, 3: _RLE, 4: _RLE}
        header = encode({1: _DATA_PAGE, 2: len(content), 3: len(packed), 5: page})
        self._file.write(header + packed)
        described: Struct = {
            1: int(column.physical),
            2: [_PLAIN, _RLE],
            3: [column.name],
            4: _GZIP,
            5: Int64(rows),
            6: Int64(len(header) + len(content)),
            7: Int64(len(header) + len(packed)),
            9: Int64(offset),
        }
        return {2: Int64(offset), 3: described}

    def _footer(self) -> Struct:
        root: Struct = {4: "rows", 5: len(self._columns)}
        elements: list[Value] = [root, *map(_schema_element, self._columns)]
        footer: dict[int, Value] = {1: 1, 2: elements, 3: Int64(self._rows), 4: self._groups}
        if self.metadata:
            footer[5] = [{1: key, 2: text} for key, text in self.metadata.items()]
        footer[6] = "terrafusion"
        return footer


def _schema_element(column: StoredColumn) -> Struct:
    return {1: int(column.physical), 3: _OPTIONAL, 4: column.name, **column.annotations}


def _compressed(content: bytes) -> bytes:
    compressor = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    return compressor.compress(content) + compressor.flush()
