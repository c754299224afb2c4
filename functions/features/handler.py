"""Routes of the OGC API."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from aws_lambda_powertools.event_handler import Response

from functions.features.domain.parameters import PAGE_TOKEN, read_crs
from functions.features.domain.reference_systems import ReferenceSystem
from functions.features.domain.tiles import TILE_MATRIX_SET
from functions.features.render import documents, geojson, html
from functions.features.render.links import GEOJSON, HTML, JSON, MVT, OPENAPI_JSON, SCHEMA_JSON, Address, Link
from functions.features.render.openapi import openapi
from functions.features.service import catalog
from functions.features.service import items as item_service
from functions.features.service import tiles as tile_service
from shared.access import Access, Permission
from shared.api import Api, binary_answer, no_content
from shared.api.negotiation import preferred_type
from shared.problems import BadRequest

api = Api("features")
handler = api.handler

_ROOT = "/ogc/{county_id}"
_COLLECTION = f"{_ROOT}/collections/{{collection_id}}"
_TILES = f"{_COLLECTION}/tiles/{TILE_MATRIX_SET}"
_FORMATS = {"json": JSON, "html": HTML}
_HTML_LIMIT = "100"
"""Features of a page that is read, where the request does not say."""
_Page = Callable[[], str]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _get(path: str, summary: str, *media_types: str) -> Callable[[_Function], _Function]:
    """Declare a GET, whose function reads the query itself: OGC's standards want a 400 for what is wrong with it."""
    return api.get(
        path,
        permission=Permission.VIEW_PROPERTIES,
        summary=summary,
        media_types=media_types,
        query_prefix="",
        access=Access.OPEN,
    )


@_get(_ROOT, "The landing page of a county's layers", HTML)
def get_landing_page(county_id: str) -> Response[Any]:
    """Links to the collections, the conformance classes and the description (OGC API - Features, Part 1)."""
    document = documents.landing_page(county_id, _address())
    return _document(document, JSON, lambda: html.document_page(document["title"], document, ()))


@_get(f"{_ROOT}/conformance", "The conformance classes", HTML)
def get_conformance(county_id: str) -> Response[Any]:
    """The classes of OGC's standards that this API conforms to."""
    document = documents.conformance(_address())
    return _document(document, JSON, lambda: html.document_page("Conformance", document, _trail(county_id)))


@_get(f"{_ROOT}/api", "The description of a county's OGC API", OPENAPI_JSON, HTML)
def get_description(county_id: str) -> Response[Any]:
    """OpenAPI 3.0, with the paths of each collection."""
    views = catalog.collections(county_id, api.caller)
    document = openapi(county_id, [view.layer for view in views], _address())
    return _document(document, OPENAPI_JSON, lambda: html.document_page("Description", document, _trail(county_id)))


@_get(f"{_ROOT}/collections", "The collections", HTML)
def get_collections(county_id: str) -> Response[Any]:
    """The county's map layers that the caller may read."""
    views = [(view.layer, view.extent) for view in catalog.collections(county_id, api.caller)]
    document = documents.collections(views, _address())
    return _document(document, JSON, lambda: html.collections_page(document, _trail(county_id)))


@_get(_COLLECTION, "A collection", HTML)
def get_collection(county_id: str, collection_id: str) -> Response[Any]:
    """A map layer: where it lies, and its reference systems."""
    view = catalog.collection(county_id, collection_id, api.caller)
    document = documents.collection(view.layer, view.extent, _address())
    return _document(
        document, JSON, lambda: html.document_page(view.layer.title, document, _trail(county_id, "collections"))
    )


@_get(f"{_COLLECTION}/queryables", "The names that a filter may use", SCHEMA_JSON, HTML)
def get_queryables(county_id: str, collection_id: str) -> Response[Any]:
    """The properties that filters and query parameters may name, as JSON Schema (Part 3)."""
    layer = catalog.layer_of(county_id, collection_id, api.caller)
    document = documents.queryables(layer, _address())
    trail = _trail(county_id, "collections", collection_id)
    return _document(document, SCHEMA_JSON, lambda: html.schema_page("Queryables", document, trail))


@_get(f"{_COLLECTION}/schema", "The schema of a feature", SCHEMA_JSON, HTML)
def get_schema(county_id: str, collection_id: str) -> Response[Any]:
    """The properties of a feature, as JSON Schema (Part 5)."""
    layer = catalog.layer_of(county_id, collection_id, api.caller)
    document = documents.schema(layer, _address())
    trail = _trail(county_id, "collections", collection_id)
    return _document(document, SCHEMA_JSON, lambda: html.schema_page("Schema", document, trail))


@_get(f"{_COLLECTION}/items", "Features", GEOJSON, HTML)
def get_items(county_id: str, collection_id: str) -> Response[Any]:
    """A page of features, by limit, bbox, bbox-crs, datetime, filter (CQL2), filter-lang, filter-crs, crs, properties,
    and any property with a value.
    """
    parameters = _query()
    is_html = _wants_html(GEOJSON)
    asked = {"limit": _HTML_LIMIT, **parameters} if is_html else parameters
    page = item_service.items(county_id, collection_id, api.caller, asked)
    at = _address()
    links = _page_links(at, collection_id, parameters, page.next_page_token, is_html=is_html)
    if is_html:
        trail, items_at = (
            _trail(county_id, "collections", collection_id),
            Address(at.of("collections", collection_id, "items")),
        )
        return _html(html.features_page(page.layer.title, page.features, links, page.matched, trail, items_at))
    text = geojson.feature_collection(page.features, links, page.matched)
    return Response(200, GEOJSON, text, _geojson_headers(page.crs, links))


@_get(f"{_COLLECTION}/items/{{feature_id}}", "A feature", GEOJSON, HTML)
def get_item(county_id: str, collection_id: str, feature_id: str) -> Response[Any]:
    """A feature by its id, in CRS84 or in the reference system `crs`."""
    _require_known_query("crs")
    crs = read_crs(_query(), "crs")
    layer, single = item_service.item(county_id, collection_id, feature_id, api.caller, crs)
    at = _address()
    here = at.of("collections", collection_id, "items", feature_id)
    links = [
        Link(here, "self", GEOJSON, "This feature"),
        Link(at.of("collections", collection_id, "items", feature_id, f="html"), "alternate", HTML, "To read"),
        Link(at.of("collections", collection_id), "collection", JSON, layer.title),
    ]
    if _wants_html(GEOJSON):
        trail = (
            *_trail(county_id, "collections", collection_id),
            ("items", at.of("collections", collection_id, "items")),
        )
        return _html(html.feature_page(feature_id, single, [], trail))
    return Response(200, GEOJSON, geojson.feature(single, links), _geojson_headers(crs, links))


@_get(f"{_COLLECTION}/tiles", "The tile sets of a collection")
def get_tilesets(county_id: str, collection_id: str) -> Response[Any]:
    """The tile sets of a collection (OGC API - Tiles)."""
    _require_known_query()
    view = catalog.collection(county_id, collection_id, api.caller)
    return _json(documents.tilesets(view.layer, view.extent, _address()), JSON)


@_get(_TILES, "A tile set")
def get_tileset(county_id: str, collection_id: str) -> Response[Any]:
    """The tile set WebMercatorQuad: its levels, its limits, and the properties of its features."""
    _require_known_query()
    view = catalog.collection(county_id, collection_id, api.caller)
    return _json(documents.tileset(view.layer, view.extent, _address()), JSON)


@_get(f"{_TILES}/{{tile_matrix}}/{{tile_row}}/{{tile_col}}", "A vector tile", MVT)
def get_tile(county_id: str, collection_id: str, tile_matrix: str, tile_row: str, tile_col: str) -> Response[Any]:
    """The features of a tile as a Mapbox vector tile; 204 where there are none."""
    _require_known_query()
    place = (tile_matrix, tile_row, tile_col)
    content = tile_service.tile(county_id, collection_id, api.caller, place)
    return binary_answer(content, MVT) if content else no_content()


def _query() -> dict[str, str]:
    """The query parameters."""
    return dict(api.resolver.current_event.query_string_parameters or {})


def _require_known_query(*known: str) -> None:
    """Raise BadRequest for a query parameter that is none of the known ones, nor `f`."""
    unknown = sorted(set(_query()) - {*known, "f"})
    if unknown:
        raise BadRequest(f"Unknown query parameter(s): {', '.join(unknown)[:200]}.", slug="unknown-parameter")


def _page_links(
    at: Address, collection_id: str, parameters: Mapping[str, str], next_token: str | None, *, is_html: bool
) -> list[Link]:
    here = ("collections", collection_id, "items")
    kept = {name: value for name, value in parameters.items() if name != "f"}
    media_type, other = (HTML, GEOJSON) if is_html else (GEOJSON, HTML)
    own = {"f": "html"} if is_html else {}
    links = [
        Link(at.of(*here, **kept, **own), "self", media_type, "This page"),
        Link(at.of(*here, **{**kept, "f": "json" if is_html else "html"}), "alternate", other, "The same, otherwise"),
        Link(at.of("collections", collection_id), "collection", JSON, "The collection"),
    ]
    if next_token is not None:
        following = at.of(*here, **{**kept, **own, PAGE_TOKEN: next_token})
        links.append(Link(following, "next", media_type, "The next page"))
    return links


def _geojson_headers(crs: ReferenceSystem, links: list[Link]) -> dict[str, str | list[str]]:
    return {"Content-Crs": f"<{crs.uri}>", "Link": ", ".join(link.as_header() for link in links), "Vary": "Accept"}


def _document(document: Any, media_type: str, page: _Page) -> Response[Any]:
    """A document as JSON, or as the page that shows it. Raises BadRequest for a query parameter, but for `f`."""
    _require_known_query()
    return _html(page()) if _wants_html(media_type) else _json(document, media_type)


def _json(document: Any, media_type: str) -> Response[Any]:
    return Response(200, media_type, orjson.dumps(document).decode(), {"Vary": "Accept"})


def _html(page: str) -> Response[Any]:
    headers: dict[str, str | list[str]] = {"Content-Security-Policy": html.PAGE_POLICY, "Vary": "Accept"}
    return Response(200, f"{HTML}; charset=utf-8", page, headers)


def _wants_html(media_type: str) -> bool:
    """True where the request prefers a page to read: by `f`, else by Accept; what names neither gets JSON."""
    named = (api.resolver.current_event.query_string_parameters or {}).get("f")
    if named is not None:
        if named not in _FORMATS:
            raise BadRequest(f"f is one of {', '.join(_FORMATS)}; {named[:60]!r} is not.", slug="parameter-invalid")
        return named == "html"
    accept = api.header("accept")
    return accept is not None and preferred_type(accept, (media_type, JSON, HTML, "*/*")) == HTML


def _address() -> Address:
    """The landing page's address as the request's client sees it: below a stage, or a custom domain."""
    event = api.resolver.current_event
    scheme = event.headers.get("x-forwarded-proto") or "https"
    sent = str(event["requestContext"]["path"]).removesuffix("/").split("/")
    below = sent[: len(sent) - len(str(event["resource"]).split("/")) + len(_ROOT.split("/"))]
    host = event.headers.get("host") or str(event["requestContext"].get("domainName", ""))
    return Address(f"{scheme}://{host}{'/'.join(below)}")


def _trail(county_id: str, *segments: str) -> tuple[tuple[str, str], ...]:
    """The pages above a page, with their addresses."""
    at = _address()
    above = [(county_id, at.of(f="html"))]
    above += [(segment, at.of(*segments[: number + 1], f="html")) for number, segment in enumerate(segments)]
    return tuple(above)
