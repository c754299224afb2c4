"""The description of a county's OGC API in OpenAPI 3.0; GDAL takes the size of pages from it."""

from collections.abc import Iterable
from typing import Any

from functions.features.domain.parameters import DEFAULT_LIMIT, MAX_LIMIT, PAGE_TOKEN
from functions.features.render.links import GEOJSON, HTML, JSON, MVT, SCHEMA_JSON, Address
from shared.api.problems import PROBLEM_JSON
from shared.layers import Layer

Document = dict[str, Any]

_TEXT: Document = {"type": "string"}
_TYPES = {"integer": {"type": "integer"}, "real": {"type": "number"}, "boolean": {"type": "boolean"}}


def openapi(county_id: str, layers: Iterable[Layer], at: Address) -> Document:
    """The description, with the paths of each collection spelled out."""
    paths: Document = {
        "/": _get("landingPage", "The landing page", JSON),
        "/conformance": _get("conformance", "The conformance classes", JSON),
        "/api": _get("api", "This description", JSON),
        "/collections": _get("collections", "The collections", JSON),
    }
    for layer in layers:
        paths |= _collection_paths(layer)
    return {
        "openapi": "3.0.3",
        "info": {"title": f"Map layers of {county_id}", "version": "1.0.0"},
        "servers": [{"url": at.of()}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "basic", "description": "A key, as password or as user name"},
                "token": {"type": "http", "scheme": "bearer", "description": "A key or an access token"},
            }
        },
        "security": [{}, {"key": []}, {"token": []}],
    }


def _collection_paths(layer: Layer) -> Document:
    here, name = f"/collections/{layer.name}", layer.name
    tile = [_parameter(part, "integer", "path") for part in ("tileMatrix", "tileRow", "tileCol")]
    return {
        here: _get(f"collection.{name}", layer.title, JSON),
        f"{here}/queryables": _get(f"queryables.{name}", "The names that a filter may use", SCHEMA_JSON),
        f"{here}/schema": _get(f"schema.{name}", "The schema of a feature", SCHEMA_JSON),
        f"{here}/items": _get(f"items.{name}", layer.description, GEOJSON, _items_parameters(layer)),
        f"{here}/items/{{featureId}}": _get(
            f"item.{name}", "A feature", GEOJSON, [_parameter("featureId", "text", "path"), _parameter("crs", "text")]
        ),
        f"{here}/tiles": _get(f"tilesets.{name}", "The tile sets", JSON),
        f"{here}/tiles/WebMercatorQuad": _get(f"tileset.{name}", "The tile set", JSON),
        f"{here}/tiles/WebMercatorQuad/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": _get(
            f"tile.{name}", "A vector tile", MVT, tile
        ),
    }


def _items_parameters(layer: Layer) -> list[Document]:
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    box = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
    language = {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}
    return [
        {"name": "limit", "in": "query", "schema": limit, "style": "form", "explode": False},
        {"name": "bbox", "in": "query", "schema": box, "style": "form", "explode": False},
        *(_parameter(name, "text") for name in ("bbox-crs", "crs", "datetime", "filter", "filter-crs")),
        {"name": "filter-lang", "in": "query", "schema": language},
        _parameter("properties", "text"),
        _parameter(PAGE_TOKEN, "text"),
        *(_parameter(column.name, column.kind) for column in layer.columns),
    ]


def _parameter(name: str, kind: str, place: str = "query") -> Document:
    return {"name": name, "in": place, "required": place == "path", "schema": _TYPES.get(kind, _TEXT)}


def _get(operation: str, summary: str, media_type: str, parameters: list[Document] | None = None) -> Document:
    html = {} if media_type == MVT else {HTML: {"schema": _TEXT}}
    answers: Document = {
        "200": {"description": summary, "content": {media_type: {"schema": {"type": "object"}}, **html}},
        "default": {"description": "A problem", "content": {PROBLEM_JSON: {"schema": {"type": "object"}}}},
    }
    operation_document: Document = {"operationId": operation, "summary": summary, "responses": answers}
    if parameters:
        operation_document["parameters"] = parameters
    return {"get": operation_document}
