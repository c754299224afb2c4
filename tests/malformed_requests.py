"""Malformed requests to every route of the API, drawn from its own description: the same for the same seed."""

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_from_bytes
from uuid import UUID

from infra.openapi import document

TEXTS = (
    *("", " ", "a", "P0000", "S0000", "king_wa", "other_wa", ".", "..", "a/b", "a%2Fb", "?", "#", "`", '"', "'", "\\"),
    *("🏠", "ü", "a\x00b", "\x00", "\x1f\x7f", "\u202e", "\ufeff", "%", "%zz", "%00", "'; DROP TABLE jobs; --", "{x}"),
    *("x" * 101, "x" * 150, "x" * 200, "x" * 201, "x" * 5000, "ü" * 2000, "1" * 400, "null", "true", "NaN", "[]"),
    *(
        "1_998",
        " 12 ",
        "+5",
        "١٢",
        "1e3",
        "1e400",
        "-1",
        "0",
        "-0",
        "9" * 18,
        "9" * 19,
        "9" * 5000,
        "1.5",
        "2147483648",
    ),
    *("0001-01-01", "9999-12-31", "1700-01-01", "2200-12-31", "2026-02-30", "20260101", "1767225600", "2025-01-01"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2025-06-01T00:00:00Z", "2025-06-01T00:00:00"),
    *("nan,nan,nan,nan", "inf,1,2,3", "-181,0,0,1", "1,2,3", "-122,47,-121,48", "1e309,0,1,1", "1_0,2,3,4"),
    *("00000000-0000-4000-8000-000000000000", "not-an-id", "urn:uuid:x", "csv", "xlsx", "*", '"1"'),
)
KEYS: tuple[Any, ...] = (
    *([text] for text in TEXTS),
    *([text, text] for text in TEXTS),
    *([], "ab", {}, None, 5, [None], [["a"]], [1, 2], [{"a": 1}], ["2025-06-01T00:00:00+00:00", "no-uuid"]),
)
VALUES: tuple[Any, ...] = (
    *TEXTS,
    *(None, True, False, 0, -1, 1, 1.5, -1e308, 1e308, 10**18, 10**30, [], {}, [[]], [None], {"": ""}, ["x"] * 2000),
    *({"a": {"b": {"c": [1, 2, 3]}}}, [0, 0, 0, 0], [1e308] * 4, {"x" * 5000: 1}, {"a\x00": 1}),
)
BODIES = (
    *(b"", b"{", b"null", b"[]", b'""', b"0", b"\xff\xfe", b'{"a": "\xff"}', b"\x00", b"\xef\xbb\xbf{}", b"{}{}"),
    *(b"NaN", b'{"a": NaN}', b'{"a": 1e400}', b'{"a": "\\ud800"}', b"[" * 5000, b'{"a":' * 500 + b"1" + b"}" * 500),
    *(b"a=b&c=d", b"--x\r\n\r\n--x--", b"<a/>", b"true", b'{"a": ' + b"9" * 5000 + b"}", b"x" * (4 << 20) + b"x"),
)
HEADERS = {
    "content-type": (
        *("", "application/json", "text/plain", "application/x-www-form-urlencoded", ";", "a/b;charset=x", "\xff"),
        *("multipart/form-data; boundary=x", "multipart/form-data", "application/json; charset=utf-16"),
    ),
    "if-match": ("*", '"1"', "1", '"' + "9" * 5000 + '"', "9" * 5000, 'W/"1"', '"-1"', "\xb2", '"\xb2"', '""', '"', ""),
    "idempotency-key": ("", "k", "k" * 201, "\x7f", "\xff", "a b", "\t"),
    "accept": ("text/csv", "*/*", "nonsense", "\xff", "application/json;q=x"),
}


@dataclass(frozen=True)
class MalformedRequest:
    """A request as a gateway reads it: the target is percent-encoded, as far as whoever sent it saw to that."""

    method: str
    route: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


def requests(seed: int) -> Iterator[MalformedRequest]:
    """Requests without end, to each route in turn."""
    described = document()
    operations = [
        (method.upper(), path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    draw = _Draw(random.Random(seed), described["components"]["schemas"])  # noqa: S311 - no secret
    while True:
        for method, path, operation in operations:
            yield draw.request(method, path, operation)


class _Draw:
    """Each part of a request is as described, or something else, as chance has it."""

    def __init__(self, chance: random.Random, schemas: dict[str, Any]) -> None:
        self._chance = chance
        self._schemas = schemas

    def request(self, method: str, path: str, operation: dict[str, Any]) -> MalformedRequest:
        chance = self._chance
        named = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "path"}
        target = path
        for name, parameter in named.items():
            target = target.replace(f"{{{name}}}", self._segment(name, parameter))
        query = [
            f"{quote(p['name'])}={self._encoded(self._parameter(p))}"
            for p in operation.get("parameters", [])
            if p["in"] == "query" and (p.get("required") or chance.random() < 0.5)
        ]
        if chance.random() < 0.1:
            query.append(chance.choice(["unheard=1", "=", "&&", "page_size=1&page_size=2", "%00=1", "a%FF=%FF"]))
        headers = [(b"host", b"localhost")]
        for name, values in HEADERS.items():
            if chance.random() < 0.4:
                headers.append((name.encode(), chance.choice(values).encode("latin-1")))
        if method in ("PUT", "PATCH") and chance.random() < 0.5:
            headers.append((b"if-match", b"*"))
        body = self._body(operation) if method != "GET" or chance.random() < 0.05 else b""
        return MalformedRequest(method, path, target, "&".join(query).encode("latin-1"), headers, body)

    def _segment(self, name: str, parameter: dict[str, Any]) -> str:
        chance = self._chance
        if name == "county_id" and chance.random() < 0.9:
            return "king_wa"
        if chance.random() < 0.4:
            known = {"property_id": "P0000", "sale_id": "S0000", "roll_year": "2025"}
            return known.get(name, str(UUID(int=chance.getrandbits(128), version=4)))
        return self._encoded(self._parameter(parameter)) or "x"

    def _parameter(self, parameter: dict[str, Any]) -> str:
        chance = self._chance
        if parameter["name"] == "page_token" and chance.random() < 0.8:
            return self._token()
        if chance.random() < 0.4:
            value = self._described(parameter.get("schema", {}), 0)
            return value if isinstance(value, str) else json.dumps(value)
        return chance.choice(TEXTS)

    def _token(self) -> str:
        chance = self._chance
        content: Any = ["0" * 16, chance.choice(KEYS)]
        if chance.random() < 0.2:
            content = chance.choice([{}, [], "x", 5, None, [1, 2, 3], {"0": 1, "1": 2}])
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    def _encoded(self, text: str) -> str:
        kind = self._chance.random()
        if kind < 0.9:
            return quote(text, safe="")
        if kind < 0.95:
            return quote(text, safe="/?#%&=").replace("#", "")
        return quote_from_bytes(self._chance.randbytes(6), safe="")

    def _body(self, operation: dict[str, Any]) -> bytes:
        chance = self._chance
        if chance.random() < 0.15:
            return chance.choice(BODIES)
        content: dict[str, Any] = operation.get("requestBody", {}).get("content", {"none": {}})
        schema: dict[str, Any] = next(iter(content.values())).get("schema", {})
        text = json.dumps(self._described(schema, 0), ensure_ascii=chance.random() < 0.5)
        return text.encode(errors="surrogatepass")

    def _described(self, schema: dict[str, Any], depth: int) -> Any:
        """A value as a schema describes it, most of the time."""
        chance = self._chance
        if chance.random() < 0.12:
            return chance.choice(VALUES)
        if "$ref" in schema:
            return self._described(self._schemas[schema["$ref"].rsplit("/", 1)[1]], depth)
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self._described(chance.choice(schema[several]), depth)
        if "enum" in schema or "const" in schema:
            return chance.choice(schema.get("enum") or [schema.get("const")])
        return self._of_type(schema, depth)

    def _of_type(self, schema: dict[str, Any], depth: int) -> Any:
        chance = self._chance
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return [self._described(schema.get("items", {}), depth + 1) for _ in range(chance.randint(0, 3))]
            case "integer":
                return chance.choice([1, 2, 2025, 1999, 100, schema.get("minimum", 5)])
            case "number":
                return chance.choice([0.5, 1, 47.6, -122.3, 100000])
            case "boolean":
                return chance.random() < 0.5
            case "null":
                return None
            case _:
                return self._text(schema)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        chance, required = self._chance, set(schema.get("required", ()))
        figures = {
            name: self._described(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if depth < 8 and chance.random() < (0.95 if name in required else 0.4)
        }
        if chance.random() < 0.05:
            figures[chance.choice(TEXTS)] = chance.choice(VALUES)
        return figures

    def _text(self, schema: dict[str, Any]) -> str:
        match schema.get("format"):
            case "date":
                return self._chance.choice(["2025-01-01", "2024-06-30", "2022-01-01"])
            case "date-time":
                return "2025-06-01T00:00:00Z"
            case "uuid":
                return str(UUID(int=self._chance.getrandbits(128), version=4))
        return self._chance.choice(["P0000", "S0000", "residential", "10", "king_wa", *TEXTS])
