"""Values in Thrift's compact protocol, in which a Parquet file describes itself (Apache Thrift, compact protocol)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_TRUE, _FALSE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 5, 6, 8, 9, 12
_SHORT_LIST = 15
"""Elements that no longer fit into a list's first byte."""


@dataclass(frozen=True)
class Int64:
    """An integer of 64 bits; a plain `int` has 32."""

    value: int


Struct: TypeAlias = Mapping[int, "Value"]
"""Fields by their numbers, in ascending order."""
Value: TypeAlias = "bool | int | Int64 | str | Sequence[Value] | Struct"


def encode(struct: Struct) -> bytes:
    """A struct with its fields."""
    out = bytearray()
    last = 0
    for number, value in struct.items():
        kind = (_TRUE if value else _FALSE) if isinstance(value, bool) else _type(value)
        out.append((number - last) << 4 | kind)  # no struct of ours leaves out fifteen fields
        if not isinstance(value, bool):
            out += _encoded(value)
        last = number
    out.append(0)
    return bytes(out)


def varint(number: int) -> bytes:
    """An unsigned integer in groups of seven bits, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _type(value: Value) -> int:
    match value:
        case Int64():
            return _I64
        case int():
            return _I32
        case str():
            return _BINARY
        case Mapping():
            return _STRUCT
        case _:
            return _LIST


def _encoded(value: Value) -> bytes:
    match value:
        case Int64():
            return _zigzag(value.value)
        case int():
            return _zigzag(value)
        case str():
            text = value.encode()
            return varint(len(text)) + text
        case Mapping():
            return encode(value)
        case _:
            kind = _type(value[0]) if value else _STRUCT
            size = len(value)
            head = bytes([size << 4 | kind]) if size < _SHORT_LIST else bytes([0xF0 | kind]) + varint(size)
            return head + b"".join(_encoded(element) for element in value)


def _zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)
