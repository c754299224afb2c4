"""The API's own description: which routes there are, and what their bodies take."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_DOCUMENT = Path(__file__).resolve().parents[3] / "functions" / "platform" / "openapi.json"
COUNTY = "/v1/counties/{county_id}"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document that is derived from the routes."""
    described: dict[str, Any] = json.loads(_DOCUMENT.read_text(encoding="utf-8"))
    return described


def operation(method: str, path: str) -> Mapping[str, Any] | None:
    """The operation of a route, whatever its path's parameters are called; None where there is none."""
    anonymous_path = _anonymous(path)
    for candidate, methods in document()["paths"].items():
        if _anonymous(candidate) == anonymous_path and method.lower() in methods:
            described: Mapping[str, Any] = methods[method.lower()]
            return described
    return None


def request_schema(path: str) -> Mapping[str, Any]:
    """The schema of what is posted to a path."""
    described = operation("post", path)
    if described is None:
        raise LookupError(path)
    return resolved(described["requestBody"]["content"]["application/json"]["schema"])


def query_names(path: str) -> set[str]:
    """The query parameters of a GET."""
    described = operation("get", path)
    return {each["name"] for each in (described or {}).get("parameters", ()) if each["in"] == "query"}


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a reference leads to, or the schema itself."""
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _anonymous(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
