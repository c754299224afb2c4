"""Manifests: a certified roll as bytes that can be made again.

The first line is the statement as JSON with sorted keys. Each further one is a row: `[table, key, SHA-256 of its
content]`, or, of a supplement, `[table, key, SHA-256 before, SHA-256 after]` with null for a row that is not on the
roll. Rows are in the order of their tables, and of their keys' bytes.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import orjson

Key = tuple[str, str]
"""Table and key of a row."""


def row_lines(table: str, copied: bytes) -> list[bytes]:
    """Lines of rows, from a COPY in text format of (key as JSON, content as JSON ...); NULL is a row that is not there.

    JSON has neither tabs nor line ends, so that COPY has escaped nothing but its backslashes.
    """
    head = b'["' + table.encode() + b'",'
    lines = []
    for line in copied.split(b"\n")[:-1]:
        key, *contents = line.split(b"\t")
        digests = b",".join([_digest(content) for content in contents])
        lines.append(head + _unescaped(key) + b"," + digests + b"]\n")
    return lines


def manifest(statement: dict[str, Any], lines: Iterable[bytes]) -> bytes:
    """The bytes of a manifest."""
    return orjson.dumps(statement, option=orjson.OPT_SORT_KEYS) + b"\n" + b"".join(lines)


def certified_rows(stored: bytes) -> dict[Key, str]:
    """The digests in the manifest of a certified roll."""
    return {(table, key): digest for table, key, digest in map(orjson.loads, stored.splitlines()[1:])}


def apply_supplement(rows: dict[Key, str], stored: bytes) -> list[Key]:
    """Apply the manifest of a supplement to certified rows; the keys whose digests before are others."""
    unexpected = []
    for table, key, before, after in map(orjson.loads, stored.splitlines()[1:]):
        if rows.pop((table, key), None) != before:
            unexpected.append((table, key))
        if after is not None:
            rows[table, key] = after
    return unexpected


def _digest(content: bytes) -> bytes:
    if content == rb"\N":
        return b"null"
    return b'"' + sha256(_unescaped(content)).hexdigest().encode() + b'"'


def _unescaped(text: bytes) -> bytes:
    return text.replace(b"\\\\", b"\\")
