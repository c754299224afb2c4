"""Keyset paging with opaque tokens, each valid for one query."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any, Generic, TypeVar

import orjson

from shared.problems import BadRequest
from shared.schemas import Schema

Item = TypeVar("Item")

MAX_KEY = 2000
"""Characters: longer texts are in no index (a B-tree entry of PostgreSQL has 2,704 bytes)."""
MAX_NUMBER = (1 << 31) - 1
"""PostgreSQL's integer."""
MAX_COUNT = 10_000
"""Rows of a list that are counted. A choice: a person reads no longer list, and a count reads every row."""
_FOREIGN = "page_token is not one that we gave out."


class Page(Schema, Generic[Item]):
    """A page of a list. `next_page_token` is absent on the last one."""

    items: list[Item]
    next_page_token: str | None = None


class ListTotal(Schema):
    """The number of rows of a list; where it is not `exact`, there are more."""

    count: int
    exact: bool


class CountedPage(Page[Item], Generic[Item]):
    """A page of a list with the number of all its rows, where that is asked for."""

    total: ListTotal | None = None


def encode_token(query: object, after: list[str]) -> str:
    """The token of the page that begins after the key `after` in the list that `query` describes."""
    return base64.urlsafe_b64encode(orjson.dumps([_digest(query), after])).rstrip(b"=").decode()


def decode_token(query: object, token: str | None, *parse: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The key of a token, each part read by its `parse`; None without a token.

    Raises BadRequest for a token of another query, or one that was not issued here.
    """
    if token is None:
        return None
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        digest, after = decoded
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadRequest(_FOREIGN, slug="page-token-invalid") from error
    if digest != _digest(query):
        raise BadRequest(
            "page_token belongs to another query: keep every filter as it was, or start again without it.",
            slug="page-token-of-another-query",
        )
    if not isinstance(after, list) or not all(isinstance(part, str) for part in after):
        raise BadRequest(_FOREIGN, slug="page-token-invalid")
    try:
        key = tuple(read(part) for read, part in zip(parse, after, strict=True))
    except (ValueError, TypeError) as error:
        raise BadRequest(_FOREIGN, slug="page-token-invalid") from error
    if not all(_storable(part) for part in key):
        raise BadRequest(_FOREIGN, slug="page-token-invalid")
    return key


def _storable(part: Any) -> bool:
    """True for a key that can be compared in the database: a forged token can have any text, number or time."""
    match part:
        case str():
            return "\x00" not in part and len(part) <= MAX_KEY
        case int():
            return abs(part) <= MAX_NUMBER
        case datetime():
            return part.tzinfo is not None and MINYEAR < part.year < MAXYEAR
        case _:
            return True


def _digest(query: object) -> str:
    return hashlib.sha256(orjson.dumps(query, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[:16]
