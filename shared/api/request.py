"""Decoding of a request: a route gets texts that a database can store, and valid JSON.

API Gateway hands a REST API's path on as it was sent, percent-encoded, and never says whether a body is text.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import orjson

from shared.problems import BadRequest, PayloadTooLarge, Unprocessable, UnsupportedMediaType

MAX_BODY_BYTES = 4 << 20
"""A mapping of a million characters fits four times; Lambda takes 6 MB, a body that is no text swells by a third."""
MAX_DEPTH = 40
"""Nested values deeper than any document of ours; recursion in Python, JSON and PostgreSQL ends far beyond it."""
JSON = "application/json"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, which PostgreSQL's text does not hold, and half of a surrogate pair, which UTF-8 does not."""


def path_parameters(event: Mapping[str, Any]) -> dict[str, str]:
    """The path's parameters, each decoded once. Raises Unprocessable for one that is no text."""
    template = str(event["resource"]).split("/")
    # below a custom domain's base path, and with a slash at the end or without
    sent = str(event["path"]).removesuffix("/").split("/")[-len(template) :]
    if len(sent) == len(template):
        encoded = {name[1:-1]: text for name, text in zip(template, sent, strict=True) if name.startswith("{")}
    else:
        encoded = dict(event.get("pathParameters") or {})
    return {name: _decoded(name, text) for name, text in encoded.items()}


def path_of(event: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """The resource's path with parameters in the one way of writing them that a route matches."""
    return str(event["resource"]).format(**{name: segment(text) for name, text in parameters.items()})


def segment(text: str) -> str:
    """A text as one segment of a path: every character that could end it is percent-encoded."""
    return quote(text, safe="")


def require_storable(location: str, texts: Mapping[str, str | None]) -> None:
    """Raise Unprocessable for the first of a query's or path's parameters that is no text."""
    for name, text in texts.items():
        if text is not None and _UNSTORABLE.search(text):
            raise _unstorable(f"/{location}/{_escaped(name)}")


def json_body(event: Mapping[str, Any]) -> Any:
    """The body's JSON, None where there is no body.

    Raises PayloadTooLarge, UnsupportedMediaType, BadRequest for what is not JSON (RFC 8259) in UTF-8, Unprocessable for
    JSON that holds what no field does.
    """
    content = _content(event)
    if not content:
        return None
    if len(content) > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"The body has {len(content):,} bytes; {MAX_BODY_BYTES:,} are taken.")
    _require_json(event)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: see byte {error.start}.", slug="malformed-json") from None
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            f"The body is not JSON: {error.msg} (at character {error.pos}).", slug="malformed-json"
        ) from None
    for pointer, text in _texts(document):
        if _UNSTORABLE.search(text):
            raise _unstorable(pointer)
    return document


def _content(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode(errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("The body cannot be decoded.", slug="malformed-json") from None


def _require_json(event: Mapping[str, Any]) -> None:
    """A body without a type is taken for JSON; another type, or JSON in another encoding, is not."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    sent = headers.get("content-type") or JSON
    media_type, *parameters = (part.strip().lower() for part in sent.split(";"))
    charsets = [part.partition("=")[2].strip('" ') for part in parameters if part.startswith("charset")]
    if media_type != JSON or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise UnsupportedMediaType(f"The body is of the type {sent[:100]}: send {JSON}, in UTF-8.")


def _texts(document: Any) -> Iterator[tuple[str, str]]:
    """Every text of a JSON document, names included, with its pointer. Raises Unprocessable for one too deep."""
    pending: list[tuple[str, Any, int]] = [("/body", document, 0)]
    while pending:
        pointer, value, depth = pending.pop()
        if isinstance(value, str):
            yield pointer, value
        elif isinstance(value, (dict, list)):
            if depth == MAX_DEPTH:
                raise Unprocessable(f"Values are nested {MAX_DEPTH} deep at most.", pointer=pointer, slug="too-deep")
            parts: Sequence[tuple[str | int, Any]] = (
                list(value.items()) if isinstance(value, dict) else list(enumerate(value))
            )
            for name, part in parts:
                if isinstance(name, str):
                    yield pointer, name
                pending.append((f"{pointer}/{_escaped(str(name))}", part, depth + 1))


def _decoded(name: str, text: str) -> str:
    try:
        decoded = unquote_to_bytes(text).decode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise Unprocessable(f"{name} is not UTF-8.", pointer=f"/path/{name}", slug="not-utf-8") from None
    require_storable("path", {name: decoded})
    return decoded


def _unstorable(pointer: str) -> Unprocessable:
    return Unprocessable(
        "A text holds a NUL character or half of a surrogate pair.", pointer=pointer, slug="nul-character"
    )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
