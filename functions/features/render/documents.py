"""The JSON documents of the OGC API, but for features."""

from collections.abc import Iterable, Sequence
from typing import Any

from functions.features.domain.conformance import CONFORMANCE_CLASSES
from functions.features.domain.reference_systems import CRS84, LISTED
from functions.features.domain.tiles import MAX_ZOOM, TILE_MATRIX_SET, TILE_MATRIX_SET_URI, min_zoom, tile_at
from functions.features.render.links import GEOJSON, HTML, JSON, MVT, OPENAPI_JSON, SCHEMA_JSON, Address, Link
from shared.layers import Column, Layer
from shared.layers.filters import GEOMETRY

Document = dict[str, Any]
Extent = tuple[float, float, float, float]

_REL = "http://www.opengis.net/def/rel/ogc/1.0"
_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_GEOMETRY_FORMATS = {
    "point": "geometry-point-or-multipoint",
    "line": "geometry-linestring-or-multilinestring",
    "polygon": "geometry-polygon-or-multipolygon",
    "mixed": "geometry-any",
}
_TYPES: dict[str, Document] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "real": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}


def landing_page(county_id: str, at: Address) -> Document:
    """The landing page."""
    links = [
        *alternates(at.of(), "self", "This page"),
        Link(at.of("api"), "service-desc", OPENAPI_JSON, "The description of this API"),
        Link(at.of("api", f="html"), "service-doc", HTML, "The description of this API, to read"),
        Link(at.of("conformance"), "conformance", JSON, "The conformance classes"),
        Link(at.of("conformance"), f"{_REL}/conformance", JSON, "The conformance classes"),
        Link(at.of("collections"), "data", JSON, "The collections"),
        Link(at.of("collections"), f"{_REL}/data", JSON, "The collections"),
    ]
    description = "Map layers of the county: parcels, sales, values, districts, and any other that it loaded."
    return {"title": f"Map layers of {county_id}", "description": description, "links": _json(links)}


def conformance(at: Address) -> Document:
    """The conformance classes."""
    return {"conformsTo": list(CONFORMANCE_CLASSES), "links": _json(alternates(at.of("conformance"), "self", ""))}


def collections(views: Iterable[tuple[Layer, Extent | None]], at: Address) -> Document:
    """All collections."""
    return {
        "links": _json(alternates(at.of("collections"), "self", "This list")),
        "crs": list(LISTED),
        "collections": [collection(layer, extent, at) for layer, extent in views],
    }


def collection(layer: Layer, extent: Extent | None, at: Address) -> Document:
    """A collection."""
    here = ("collections", layer.name)
    links = [
        *alternates(at.of(*here), "self", layer.title),
        Link(at.of(*here, "items"), "items", GEOJSON, f"{layer.title} as GeoJSON"),
        Link(at.of(*here, "items", f="html"), "items", HTML, f"{layer.title} to read"),
        Link(at.of(*here, "queryables"), f"{_REL}/queryables", SCHEMA_JSON, "The names that a filter may use"),
        Link(at.of(*here, "schema"), f"{_REL}/schema", SCHEMA_JSON, "The schema of a feature"),
        Link(at.of(*here, "tiles"), f"{_REL}/tilesets-vector", JSON, "Vector tiles"),
    ]
    document: Document = {
        "id": layer.name,
        "title": layer.title,
        "description": layer.description,
        "itemType": "feature",
        "crs": list(LISTED),
        "storageCrs": CRS84,
        "links": _json(links),
    }
    if extent is not None:
        document["extent"] = {"spatial": {"bbox": [list(extent)], "crs": CRS84}}
    return document


def queryables(layer: Layer, at: Address) -> Document:
    """The properties that a filter may name (Part 3)."""
    document = _schema(layer, at.of("collections", layer.name, "queryables"), in_filter=True)
    return {**document, "additionalProperties": False}


def schema(layer: Layer, at: Address) -> Document:
    """The schema of a feature (Part 5)."""
    return _schema(layer, at.of("collections", layer.name, "schema"), in_filter=False)


def _schema(layer: Layer, identifier: str, *, in_filter: bool) -> Document:
    geometry = {
        "title": "Geometry",
        "x-ogc-role": "primary-geometry",
        "format": _GEOMETRY_FORMATS[layer.geometry],
    }
    properties: Document = {} if not in_filter else {GEOMETRY: geometry}
    for number, column in enumerate(layer.columns, 1):
        if in_filter and column.name == GEOMETRY:
            continue
        properties[column.name] = {**_property(column), "x-ogc-propertySeq": number}
        if column.name == layer.key:
            properties[column.name]["x-ogc-role"] = "id"
    if not in_filter:
        properties["geometry"] = geometry
    return {
        "$schema": _SCHEMA,
        "$id": identifier,
        "type": "object",
        "title": layer.title,
        "description": layer.description,
        "properties": properties,
    }


def _property(column: Column) -> Document:
    document: Document = {"title": column.title, **_TYPES[column.kind]}
    if column.unit is not None:
        document["x-ogc-unit"] = column.unit
    if column.domain is not None:
        document["enum"] = [code for code, _ in column.domain.codes]
        document["description"] = "; ".join(f"{code}: {meaning}" for code, meaning in column.domain.codes)
    return document


def tilesets(layer: Layer, extent: Extent | None, at: Address) -> Document:
    """The tile sets of a collection."""
    here = at.of("collections", layer.name, "tiles")
    return {
        "links": _json([Link(here, "self", JSON, "This list")]),
        "tilesets": [_tileset(layer, extent, at)],
    }


def tileset(layer: Layer, extent: Extent | None, at: Address) -> Document:
    """A tile set, with the layer in it and its fields."""
    fields = {column.name: _property(column) for column in layer.columns}
    described: Document = {
        "id": layer.name,
        "title": layer.title,
        "dataType": "vector",
        "geometryDimension": {"point": 0, "line": 1}.get(layer.geometry, 2),
        "minTileMatrix": str(min_zoom(layer)),
        "maxTileMatrix": str(MAX_ZOOM),
        "propertiesSchema": {"type": "object", "properties": fields},
    }
    return {**_tileset(layer, extent, at), "layers": [described]}


def _tileset(layer: Layer, extent: Extent | None, at: Address) -> Document:
    here = at.of("collections", layer.name, "tiles", TILE_MATRIX_SET)
    template = f"{here}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    low, high = min_zoom(layer), MAX_ZOOM
    document: Document = {
        "title": layer.title,
        "dataType": "vector",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "tileMatrixSetURI": TILE_MATRIX_SET_URI,
        "tileMatrixSetLimits": [],
        "links": _json(
            [
                Link(here, "self", JSON, "This tile set"),
                Link(TILE_MATRIX_SET_URI, f"{_REL}/tiling-scheme", JSON, TILE_MATRIX_SET),
                Link(template, "item", MVT, "A tile", templated=True),
            ]
        ),
    }
    document["tileMatrixSetLimits"] = tile_limits(low, high, extent)
    if extent is not None:
        document["boundingBox"] = {"lowerLeft": list(extent[:2]), "upperRight": list(extent[2:]), "crs": CRS84}
    return document


def tile_limits(low: int, high: int, extent: Extent | None) -> list[Document]:
    """The tiles of each zoom level that have features."""
    limits = []
    for zoom in range(low, high + 1):
        (left, top), (right, bottom) = (
            ((0, 0), (2**zoom - 1, 2**zoom - 1))
            if extent is None
            else (tile_at(extent[0], extent[3], zoom), tile_at(extent[2], extent[1], zoom))
        )
        limits.append(
            {"tileMatrix": str(zoom), "minTileRow": top, "maxTileRow": bottom, "minTileCol": left, "maxTileCol": right}
        )
    return limits


def alternates(href: str, rel: str, title: str) -> list[Link]:
    """A page itself, and the same as HTML."""
    separator = "&" if "?" in href else "?"
    return [Link(href, rel, JSON, title), Link(f"{href}{separator}f=html", "alternate", HTML, f"{title}, to read")]


def _json(links: Sequence[Link]) -> list[Document]:
    return [link.as_json() for link in links]
