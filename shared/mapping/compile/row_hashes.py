"""The row hash: MD5 of an injective text of the row.

Columns stand in the order of their names, joined by US (0x1F); NULL is RS (0x1E); where a text holds one of these
or GS (0x1D), it is escaped by GS. So NULL differs from an empty text, and no content can be mistaken for a separator.
The column names are part of it: a mapping that fills other columns gives other hashes. Numbers are hashed as
decimal digits, floats in steps of 1e-9, so that no library's way of printing a float changes a hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5

import polars as pl

from shared.mapping.compile.casts import to_copy_text

SEPARATOR, NULL, ESCAPE = "\x1f", "\x1e", "\x1d"
_SPECIAL = [ESCAPE, NULL, SEPARATOR]
_ESCAPED = [ESCAPE + "d", ESCAPE + "e", ESCAPE + "f"]
_FLOAT_STEPS = 1e9


def row_hashes(rows: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """The hash of each row over `columns`, as 32 hexadecimal digits."""
    ordered = sorted(columns)
    if not ordered:
        return pl.Series("row_hash", [], dtype=pl.String)
    texts = rows.select(_hash_text(name, rows.schema[name]) for name in ordered)
    lines = _joined(texts)
    if _contain_more(lines, (len(ordered) - 1) * len(lines) + sum(texts.null_count().row(0))):
        lines = _joined(texts.select(pl.all().str.replace_many(_SPECIAL, _ESCAPED)))
    named = md5(SEPARATOR.join([*ordered, ""]).encode(), usedforsecurity=False)  # the same for all rows
    digests = []
    for line in lines:
        digest = named.copy()
        digest.update(line)
        digests.append(digest.hexdigest())
    return pl.Series("row_hash", digests, dtype=pl.String)


def _joined(texts: pl.DataFrame) -> list[bytes]:
    """One line of bytes per row."""
    line = pl.concat_str((pl.col(name).fill_null(NULL) for name in texts.columns), separator=SEPARATOR)
    return texts.select(line.cast(pl.Binary)).to_series().to_list()


def _contain_more(lines: list[bytes], special: int) -> bool:
    """True for lines with more special characters than the `special` ones that were written here; few have."""
    text = b"".join(lines)
    return len(text) - len(text.translate(None, "".join(_SPECIAL).encode())) != special


def _hash_text(name: str, dtype: pl.DataType) -> pl.Expr:
    if not dtype.is_float():
        return to_copy_text(name, dtype).alias(name)
    steps = (pl.col(name) * _FLOAT_STEPS).round(0).cast(pl.Int64, strict=False)
    return pl.coalesce(steps.cast(pl.String), pl.col(name).cast(pl.String)).alias(name)
