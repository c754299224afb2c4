"""Read a filter, in either encoding."""

from typing import Any, Literal

import orjson

from shared.cql2.errors import FilterError
from shared.cql2.json_encoding import read_predicate
from shared.cql2.text_encoding import text_to_json
from shared.cql2.tree import Predicate

FilterLanguage = Literal["cql2-text", "cql2-json"]

MAX_FILTER_BYTES = 64 << 10
"""A choice: room for the outline of a county with 2,000 vertices. An address that API Gateway takes has 10,240 bytes
at most, so it bounds the filters in bodies."""


def read_filter(content: str | dict[str, Any], language: FilterLanguage = "cql2-text") -> Predicate:
    """The tree of a filter; `content` is a text, or a JSON document that is parsed already. Raises FilterError."""
    if isinstance(content, str):
        _require_size(len(content.encode(errors="replace")))
        if language == "cql2-text":
            return read_predicate(text_to_json(content))
        try:
            return read_predicate(orjson.loads(content))
        except orjson.JSONDecodeError as error:
            raise FilterError(f"The filter is not JSON: {error.msg} (at character {error.pos}).") from None
    _require_size(len(orjson.dumps(content)))
    return read_predicate(content)


def _require_size(size: int) -> None:
    if size > MAX_FILTER_BYTES:
        raise FilterError(f"The filter has {size:,} bytes; {MAX_FILTER_BYTES:,} are taken.")
