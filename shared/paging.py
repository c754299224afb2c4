"""Keyset paging with opaque tokens that hold for one query only."""

import base64
import binascii
import hashlib
from typing import Generic, TypeVar

import orjson

from shared.problems import BadRequest
from shared.schemas import Schema

Item = TypeVar("Item")


class Page(Schema, Generic[Item]):
    """A page of a list. `next_page_token` is absent on the last one."""

    items: list[Item]
    next_page_token: str | None = None


def encode_token(query: object, after: list[str]) -> str:
    """The token of the page that begins after the key `after` in the list that `query` describes."""
    return base64.urlsafe_b64encode(orjson.dumps([_digest(query), after])).rstrip(b"=").decode()


def decode_token(query: object, token: str | None) -> list[str] | None:
    """The key that a token stands for; None without a token. Raises BadRequest for a foreign or broken one."""
    if token is None:
        return None
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        digest, after = decoded
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadRequest("page_token is not one that we gave out.", slug="page-token-invalid") from error
    if digest != _digest(query):
        raise BadRequest(
            "page_token belongs to another query: keep every filter as it was, or start again without it.",
            slug="page-token-of-another-query",
        )
    if not (isinstance(after, list) and all(isinstance(part, str) for part in after)):
        raise BadRequest("page_token is not one that we gave out.", slug="page-token-invalid")
    return after


def _digest(query: object) -> str:
    return hashlib.sha256(orjson.dumps(query, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[:16]
