"""Parquet files (Apache Parquet format 2): flat columns that may be empty, plain encoding, compressed by gzip.

Polars and Arrow write them too; neither fits into the functions whose lists these files are (see DECISIONS).
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from shared.tables.columns import DECIMAL_PLACES, Column, ColumnKind, Row
from shared.tables.thrift import Int64, Struct, Value, encode, varint

ROW_GROUP = 10_000
"""Rows that are held in memory and written together. A choice: some megabytes of any list of ours."""
_MAGIC = b"PAR1"
_GZIP_LEVEL = 1
"""Of a file of 100,000 parcels, 1 takes a third of the time of 6 and is a tenth larger (measured here)."""
_GZIP_WINDOW = 31
"""zlib's code for gzip's header and the largest window."""
_DECIMAL_DIGITS = 18
"""What 64 bits hold."""

# numbers of the format's enumerations
_BOOLEAN, _INT32, _INT64, _DOUBLE, _BYTE_ARRAY = 0, 1, 2, 5, 6
_UTF8, _DECIMAL, _DATE, _TIMESTAMP_MICROS = 0, 5, 6, 10
_OPTIONAL = 1
_PLAIN, _RLE = 0, 3
_GZIP = 2
_DATA_PAGE = 0
_UTC_MICROSECONDS: Struct = {8: {1: True, 2: {2: {}}}}
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class _Storage:
    """How a kind of column is stored: its physical type, what says more of it, and the bytes of its values."""

    physical: int
    annotations: Struct
    pack: Callable[[list[Any]], bytes]


def write_parquet(columns: Sequence[Column], rows: Iterable[Row], path: Path) -> None:
    """Write the rows, group by group."""
    with path.open("wb") as file:
        file.write(_MAGIC)
        groups: list[Struct] = []
        total = 0
        remaining = iter(rows)
        while group := list(islice(remaining, ROW_GROUP)):
            groups.append(_write_group(file, columns, group))
            total += len(group)
        footer = encode(
            {1: 1, 2: _schema(columns), 3: Int64(total), 4: groups, 6: "terrafusion"},
        )
        file.write(footer + struct.pack("<I", len(footer)) + _MAGIC)


def _schema(columns: Sequence[Column]) -> list[Value]:
    root: Struct = {4: "list", 5: len(columns)}
    elements: list[Value] = [root]
    for column in columns:
        storage = _STORAGES[column.kind]
        elements.append({1: storage.physical, 3: _OPTIONAL, 4: column.name, **storage.annotations})
    return elements


def _write_group(file: BinaryIO, columns: Sequence[Column], rows: list[Row]) -> Struct:
    """Write a group of rows column by column, and return its description."""
    start = file.tell()
    chunks: list[Struct] = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        offset = file.tell()
        storage = _STORAGES[column.kind]
        present = [value for value in values if value is not None]
        content = _presence(values, len(present)) + storage.pack(present)
        compressed = _compressed(content)
        page: Struct = {1: _PLAIN, 2: _PLAIN, 3: _RLE, 4: _RLE}
        header = encode({1: _DATA_PAGE, 2: len(content), 3: len(compressed), 5: {**page, 1: len(rows)}})
        file.write(header + compressed)
        described: Struct = {
            1: storage.physical,
            2: [_PLAIN, _RLE],
            3: [column.name],
            4: _GZIP,
            5: Int64(len(rows)),
            6: Int64(len(header) + len(content)),
            7: Int64(len(header) + len(compressed)),
            9: Int64(offset),
        }
        chunks.append({2: Int64(offset), 3: described})
    return {1: chunks, 2: Int64(file.tell() - start), 3: Int64(len(rows))}


def _compressed(content: bytes) -> bytes:
    compressor = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    return compressor.compress(content) + compressor.flush()


def _presence(values: Sequence[Any], present: int) -> bytes:
    """Definition levels, one bit a row: set where there is a value. One run of the same bit, or packed bits."""
    if present in (0, len(values)):
        levels = varint(len(values) << 1) + bytes([1 if present else 0])
    else:
        bits = _bits([value is not None for value in values])
        levels = varint(len(bits) << 1 | 1) + bits
    return struct.pack("<I", len(levels)) + levels


def _bits(flags: Sequence[bool]) -> bytes:
    """Flags as bits, the first one the lowest of the first byte."""
    if not flags:
        return b""
    digits = "".join("1" if flag else "0" for flag in reversed(flags))
    return int(digits, 2).to_bytes((len(flags) + 7) // 8, "little")


def _texts(values: list[str]) -> bytes:
    pack = struct.Struct("<I").pack
    return b"".join(part for text in map(str.encode, values) for part in (pack(len(text)), text))


def _decimals(values: list[Decimal]) -> bytes:
    return _integers([_unscaled(value) for value in values])


def _unscaled(value: Decimal) -> int:
    scaled = value.scaleb(DECIMAL_PLACES)
    unscaled = int(scaled)
    if unscaled != scaled:
        message = f"{value} has more than {DECIMAL_PLACES} decimal places"
        raise ValueError(message)
    return unscaled


def _integers(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def _floats(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def _days(values: list[date]) -> bytes:
    return struct.pack(f"<{len(values)}i", *(value.toordinal() - _EPOCH_DAY for value in values))


def _times(values: list[datetime]) -> bytes:
    return _integers([(value - _EPOCH) // _MICROSECOND for value in values])


_STORAGES: dict[ColumnKind, _Storage] = {
    ColumnKind.TEXT: _Storage(_BYTE_ARRAY, {6: _UTF8}, _texts),
    ColumnKind.INTEGER: _Storage(_INT64, {}, _integers),
    ColumnKind.DECIMAL: _Storage(_INT64, {6: _DECIMAL, 7: DECIMAL_PLACES, 8: _DECIMAL_DIGITS}, _decimals),
    ColumnKind.FLOAT: _Storage(_DOUBLE, {}, _floats),
    ColumnKind.BOOLEAN: _Storage(_BOOLEAN, {}, _bits),
    ColumnKind.DATE: _Storage(_INT32, {6: _DATE}, _days),
    ColumnKind.TIME: _Storage(_INT64, {6: _TIMESTAMP_MICROS, 10: _UTC_MICROSECONDS}, _times),
}
