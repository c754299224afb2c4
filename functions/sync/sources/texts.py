"""Values of any library as the texts that mappings read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from functions.sync.sources.source import Extract

if TYPE_CHECKING:
    import polars as pl


def extract_of(frame: pl.DataFrame) -> Extract:
    """A frame of texts as an extract; NULL and the empty text differ in the digest."""
    digest = hashlib.sha256(frame.write_csv(quote_style="necessary").encode()).hexdigest()
    return Extract(frame.height, digest, lambda: frame)


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, lambda value: value.replace("\x00", "")),
    (bool, lambda value: "true" if value else "false"),
    (Decimal, lambda value: format(value, "f")),
    (datetime, lambda value: value.isoformat(" ")),
    (date, date.isoformat),
    (time, time.isoformat),
    (bytes, bytes.hex),
)


def as_text(value: object) -> str | None:
    """A driver's value as the text that mappings read."""
    if value is None:
        return None
    for type_, write in _WRITERS:
        if isinstance(value, type_):
            return write(value)
    return repr(value) if isinstance(value, float) else str(value)
