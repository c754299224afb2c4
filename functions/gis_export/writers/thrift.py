"""Thrift's compact protocol, as far as the metadata of Parquet needs it (Thrift specification, compact protocol)."""

from __future__ import annotations

from typing import TypeAlias

_TRUE, _FALSE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 5, 6, 8, 9, 12
_LONG_LIST = 15


class I32(int):
    """A number of 32 bits."""


class I64(int):
    """A number of 64 bits."""


Struct: TypeAlias = "dict[int, Value]"
"""The fields of a structure by number, in ascending order."""
Value: TypeAlias = "bool | I32 | I64 | bytes | list[I32] | BinaryList | StructList | Struct"


class BinaryList(list[bytes]):
    """A list of binary values."""


class StructList(list[Struct]):
    """A list of structures."""


def encoded(struct: Struct) -> bytes:
    """A structure's bytes."""
    out = bytearray()
    last = 0
    for number, value in struct.items():
        kind = _kind(value)
        out.append((number - last) << 4 | kind)
        last = number
        if kind not in (_TRUE, _FALSE):
            out += _body(value)
    out.append(0)
    return bytes(out)


def _kind(value: Value) -> int:
    match value:
        case bool():
            return _TRUE if value else _FALSE
        case I32():
            return _I32
        case I64():
            return _I64
        case bytes():
            return _BINARY
        case list():
            return _LIST
        case _:
            return _STRUCT


def _body(value: Value) -> bytes:
    match value:
        case I32() | I64():
            return _varint(value << 1 ^ value >> 63)
        case bytes():
            return _varint(len(value)) + value
        case list():
            return _list_head(value) + b"".join(map(_body, value))
        case dict():
            return encoded(value)
    raise TypeError(f"no value of Thrift: {value!r}")


def _list_head(values: list[I32] | BinaryList | StructList) -> bytes:
    kind = _BINARY if isinstance(values, BinaryList) else _STRUCT if isinstance(values, StructList) else _I32
    if len(values) < _LONG_LIST:
        return bytes([len(values) << 4 | kind])
    return bytes([_LONG_LIST << 4 | kind]) + _varint(len(values))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
