"""Parquet files of a table's rows."""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from shared.parquet import ParquetWriter, PhysicalType, StoredColumn, StoredValues, bit_packed, one_level
from shared.parquet.thrift import Struct
from shared.tables.columns import DECIMAL_PLACES, Column, ColumnKind, Row

ROW_GROUP = 10_000
"""Rows that are held in memory and written together. A choice: some megabytes of any list of ours."""
_DECIMAL_DIGITS = 18
"""As many as 64 bits hold."""

# numbers of the format's converted types
_UTF8, _DECIMAL, _DATE, _TIMESTAMP_MICROS = 0, 5, 6, 10
_UTC_MICROSECONDS: Struct = {8: {1: True, 2: {2: {}}}}
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class _Storage:
    """The storage of a kind of column: its physical type, what says more of it, and the bytes of its values."""

    physical: PhysicalType
    annotations: Struct
    pack: Callable[[list[Any]], bytes]


def write_parquet(columns: Sequence[Column], rows: Iterable[Row], path: Path) -> None:
    """Write the rows, group by group."""
    storages = [_STORAGES[column.kind] for column in columns]
    stored = [
        StoredColumn(column.name, storage.physical, storage.annotations)
        for column, storage in zip(columns, storages, strict=True)
    ]
    remaining = iter(rows)
    with ParquetWriter(path, stored) as file:
        while group := list(islice(remaining, ROW_GROUP)):
            values = zip(*group, strict=True)
            file.add(len(group), (_stored(storage, each) for storage, each in zip(storages, values, strict=True)))


def _stored(storage: _Storage, values: Sequence[Any]) -> StoredValues:
    present = [value for value in values if value is not None]
    if len(present) in (0, len(values)):
        levels = one_level(len(values), present=bool(present))
    else:
        levels = bit_packed(_bits([value is not None for value in values]))
    return StoredValues(levels, storage.pack(present))


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
    ColumnKind.TEXT: _Storage(PhysicalType.BYTE_ARRAY, {6: _UTF8}, _texts),
    ColumnKind.INTEGER: _Storage(PhysicalType.INT64, {}, _integers),
    ColumnKind.DECIMAL: _Storage(PhysicalType.INT64, {6: _DECIMAL, 7: DECIMAL_PLACES, 8: _DECIMAL_DIGITS}, _decimals),
    ColumnKind.FLOAT: _Storage(PhysicalType.DOUBLE, {}, _floats),
    ColumnKind.BOOLEAN: _Storage(PhysicalType.BOOLEAN, {}, _bits),
    ColumnKind.DATE: _Storage(PhysicalType.INT32, {6: _DATE}, _days),
    ColumnKind.TIME: _Storage(PhysicalType.INT64, {6: _TIMESTAMP_MICROS, 10: _UTC_MICROSECONDS}, _times),
}
