"""Columns of Arrow batches: texts decoded and checked, and columns made of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nanoarrow as na
import numpy as np
from numpy.typing import NDArray

from shared.contracts.source_rows import value_fault

_TEXT_OFFSETS: dict[str, Any] = {"u": np.int32, "U": np.int64}
"""Types of the offsets of text columns, by format (Arrow C data interface)."""
MAX_SHOWN = 40
"""Characters of a text that a fault quotes. A choice."""


class Texts:
    """Decodes the texts of batches. `codec` is their encoding; None where nothing says it, so that it is UTF-8 or has
    to be said. `as_bytes`: each character stands for a byte (see `layer.RAW_BYTES_ENCODING`).
    """

    def __init__(self, codec: str | None, *, as_bytes: bool) -> None:
        self.codec = codec or "utf-8"
        self.declared = codec is not None
        self._as_bytes = as_bytes

    def name(self, name: str) -> str:
        """A column's name."""
        return name.encode("latin-1", "replace").decode(self.codec, "replace") if self._as_bytes else name

    def column(self, name: str, column: Any, faults: list[list[str]]) -> Any:
        """The column in UTF-8, unchanged where it is ASCII. A text that cannot be decoded is NULL, and a fault of
        the value.
        """
        offsets_type = _TEXT_OFFSETS.get(column.schema.format)
        if offsets_type is None or not column.length:
            return column
        view = column.view()
        offsets = np.frombuffer(view.buffer(1), dtype=offsets_type)[column.offset : column.offset + column.length + 1]
        content = bytes(view.buffer(2))[: int(offsets[-1])]
        if content[int(offsets[0]) :].isascii():
            return column
        present = _present(column)
        texts: list[str | None] = []
        for row, (start, end) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
            text, fault = self._decoded(content[start:end]) if present[row] else (None, None)
            texts.append(text)
            if fault is not None:
                faults[row].append(value_fault(name, fault))
        return na.c_array(texts, na.string())

    def _decoded(self, content: bytes) -> tuple[str | None, str | None]:
        try:
            stored = content.decode().encode("latin-1") if self._as_bytes else content
            return stored.decode(self.codec), None
        except UnicodeError as error:
            invalid = getattr(error, "object", content)
            start = getattr(error, "start", 0)
            byte = invalid[start : start + 1].hex() if isinstance(invalid, bytes) else "?"
            quoted = content.decode("latin-1")[:MAX_SHOWN] if not self._as_bytes else content.decode()[:MAX_SHOWN]
            return None, f"the byte 0x{byte} is no {self.codec} ({quoted!r})"


def binaries(column: Any) -> list[bytes | None]:
    """The values of a binary column."""
    if not column.length:
        return []
    view = column.view()
    offsets_type = np.int32 if column.schema.format == "z" else np.int64
    offsets = np.frombuffer(view.buffer(1), dtype=offsets_type)[column.offset : column.offset + column.length + 1]
    content = memoryview(bytes(view.buffer(2)))
    pairs = zip(offsets[:-1].tolist(), offsets[1:].tolist(), _present(column), strict=True)
    return [bytes(content[start:end]) if there else None for start, end, there in pairs]


def whole_numbers(column: Any) -> NDArray[np.int64]:
    """The values of the column of the features' numbers."""
    view = column.view()
    numbers: NDArray[np.int64] = np.frombuffer(view.buffer(1), dtype=np.int64)
    return numbers[column.offset : column.offset + column.length]


def _present(column: Any) -> list[bool]:
    """Validity of each value: False for NULL."""
    if column.null_count == 0 or column.view().buffer(0).size_bytes == 0:
        return [True] * column.length
    bits = np.unpackbits(np.frombuffer(column.view().buffer(0), dtype=np.uint8), bitorder="little")
    present: list[bool] = bits[column.offset : column.offset + column.length].astype(bool).tolist()
    return present


def binary_column(values: Sequence[bytes | None]) -> Any:
    """A column of binaries."""
    lengths = np.fromiter((0 if value is None else len(value) for value in values), dtype=np.int64, count=len(values))
    offsets = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    missing = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    content = b"".join(value for value in values if value is not None)
    return na.c_array_from_buffers(na.large_binary(), len(values), [_validity(missing), offsets, content])


def number_column(values: NDArray[np.float64]) -> Any:
    """A column of floats; NaN is NULL."""
    validity = _validity(np.isnan(values))
    return na.c_array_from_buffers(na.float64(), len(values), [validity, np.ascontiguousarray(values)])


def text_column(values: Sequence[str | None]) -> Any:
    """A column of texts."""
    return na.c_array(list(values), na.string())


def _validity(missing: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    return np.packbits(~missing, bitorder="little") if missing.any() else None


def batch_of(columns: dict[str, Any], rows: int) -> Any:
    """A batch of these columns."""
    schema = na.struct({name: na.Schema(column.schema) for name, column in columns.items()})
    return na.c_array_from_buffers(schema, rows, [None], children=list(columns.values()))
