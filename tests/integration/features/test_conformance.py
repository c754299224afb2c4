"""The abstract tests of the declared conformance classes, each by the id that its standard gives it.

OGC 17-069r4 (Features, Part 1), 18-058r1 (Part 2), 19-079r2 (Part 3), 21-065r2 (CQL2); Part 5 is a draft whose tests
have no numbers.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pyproj import Transformer

from functions.features.domain.conformance import CONFORMANCE_CLASSES
from functions.features.domain.reference_systems import CRS84, LISTED
from tests.cql2_layers import INCONSISTENT, standard_predicates
from tests.integration.features.conftest import COLLECTION, COUNTRIES, ITEMS, PLACES, ROOT, get, items

pytestmark = pytest.mark.usefixtures("county")

EPSG_4326, EPSG_3857 = LISTED[1:]
_TESTS: dict[str, Callable[[], None]] = {}


def abstract_test(identifier: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a test of the suite by its id."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        _TESTS[identifier] = function
        return function

    return register


def links(document: Any, relation: str) -> list[dict[str, Any]]:
    return [link for link in document["links"] if link["rel"] == relation]


def ids(answer: Any) -> list[str]:
    assert answer.status == 200, answer.body
    return [feature["id"] for feature in answer.body["features"]]


@abstract_test("/conf/core/root-op")
@abstract_test("/conf/core/root-success")
def landing_page() -> None:
    answer = get(ROOT)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    for relation in ("self", "alternate", "service-desc", "service-doc", "conformance", "data"):
        assert links(answer.body, relation), relation


@abstract_test("/conf/core/api-definition-op")
@abstract_test("/conf/core/api-definition-success")
@abstract_test("/conf/oas30/oas-definition-1")
@abstract_test("/conf/oas30/completeness")
def api_definition() -> None:
    answer = get(f"{ROOT}/api")
    assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json;version=3.0")
    assert answer.body["openapi"].startswith("3.0")
    limit = {parameter["name"]: parameter for parameter in _items_description()["parameters"]}["limit"]["schema"]
    assert (limit["default"], limit["maximum"]) == (1_000, 10_000)


def _items_description() -> Any:
    return get(f"{ROOT}/api").body["paths"]["/collections/parcels/items"]["get"]


@abstract_test("/conf/oas30/exceptions-codes")
def described_problems() -> None:
    assert "application/problem+json" in _items_description()["responses"]["default"]["content"]


@abstract_test("/conf/core/conformance-op")
@abstract_test("/conf/core/conformance-success")
def conformance() -> None:
    assert get(f"{ROOT}/conformance").body["conformsTo"] == list(CONFORMANCE_CLASSES)


@abstract_test("/conf/core/fc-md-op")
@abstract_test("/conf/core/fc-md-success")
@abstract_test("/conf/core/fc-md-links")
@abstract_test("/conf/core/fc-md-items")
@abstract_test("/conf/core/fc-md-items-links")
@abstract_test("/conf/core/fc-md-extent")
@abstract_test("/conf/core/fc-md-extent-multi")
def collections() -> None:
    document = get(f"{ROOT}/collections").body
    assert links(document, "self")
    assert links(document, "alternate")
    found = {collection["id"]: collection for collection in document["collections"]}
    assert {"parcels", "sales", "values", "districts", COUNTRIES, PLACES} <= set(found)
    for collection in found.values():
        assert links(collection, "items")
    west, south, east, north = found["parcels"]["extent"]["spatial"]["bbox"][0]
    assert -123 < west < east < -121
    assert 47 < south < north < 48


@abstract_test("/conf/core/sfc-md-op")
@abstract_test("/conf/core/sfc-md-success")
def collection() -> None:
    listed = {each["id"]: each for each in get(f"{ROOT}/collections").body["collections"]}
    assert get(COLLECTION, "parcels").body == listed["parcels"]
    assert get(COLLECTION, "nothing").status == 404


@abstract_test("/conf/core/fc-op")
@abstract_test("/conf/core/fc-response")
@abstract_test("/conf/core/fc-timeStamp")
@abstract_test("/conf/core/fc-numberMatched")
@abstract_test("/conf/core/fc-numberReturned")
@abstract_test("/conf/geojson/definition")
@abstract_test("/conf/geojson/content")
def features() -> None:
    answer = items(PLACES)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/geo+json")
    assert (answer.body["type"], len(answer.body["features"])) == ("FeatureCollection", 243)
    assert (answer.body["numberMatched"], answer.body["numberReturned"]) == (243, 243)
    assert answer.body["timeStamp"].endswith("Z")
    one = answer.body["features"][0]
    assert (one["type"], one["geometry"]["type"]) == ("Feature", "Point")


@abstract_test("/conf/core/fc-limit-definition")
@abstract_test("/conf/core/fc-limit-response-1")
@abstract_test("/conf/core/fc-links")
@abstract_test("/conf/core/fc-rel-type")
def pages() -> None:
    seen: list[str] = []
    query: dict[str, str] = {"limit": "100"}
    read = 0
    while True:
        read += 1
        answer = items(PLACES, **query)
        seen += ids(answer)
        following = links(answer.body, "next")
        assert all(link["type"] for link in answer.body["links"])
        if not following:
            break
        assert len(answer.body["features"]) == 100
        assert following[0]["href"] in answer.headers["link"]
        query = dict(parse_qsl(urlsplit(following[0]["href"]).query))
    assert (read, len(seen), len(set(seen))) == (3, 243, 243)


@abstract_test("/conf/core/fc-bbox-definition")
@abstract_test("/conf/core/fc-bbox-response")
def bbox() -> None:
    whole = items(COUNTRIES, bbox="0,40,10,50")
    by_filter = items(COUNTRIES, filter="S_INTERSECTS(geom,BBOX(0,40,10,50))")
    assert len(ids(whole)) == 8
    assert ids(whole) == ids(by_filter)
    assert ids(items(COUNTRIES, bbox="0,40,-5,10,50,9000")) == ids(whole)
    assert len(ids(items(COUNTRIES, bbox="150,-90,-150,90"))) == 10
    assert ids(items("parcels", bbox="0,0,1,1")) == []


@abstract_test("/conf/core/fc-time-definition")
@abstract_test("/conf/core/fc-time-response")
def time() -> None:
    on_the_day = items(PLACES, datetime="2022-04-16")
    assert len(ids(on_the_day)) == 1
    assert len(ids(items(PLACES, datetime="2022-04-16/.."))) == 2
    assert len(ids(items(PLACES, datetime="../2022-04-16"))) == 2
    assert len(ids(items(PLACES, datetime="/2022-04-16"))) == 2
    assert len(ids(items(PLACES, datetime="2020-01-01T00:00:00Z/2030-01-01T00:00:00Z"))) == 3
    assert len(ids(items(COUNTRIES, datetime="1900-01-01"))) == 177  # of features without a time, it asks nothing


@abstract_test("/conf/core/query-param-unknown")
@abstract_test("/conf/core/query-param-invalid")
@abstract_test("/conf/core/http")
def wrong_parameters() -> None:
    wrong = [
        {"unheard_of": "1"},
        {"limit": "0"},
        {"limit": "many"},
        {"bbox": "1,2,3"},
        {"bbox": "a,b,c,d"},
        {"bbox": "nan,1,2,3"},
        {"bbox": "0,50,10,40"},
        {"bbox": "-200,0,0,10"},
        {"datetime": "yesterday"},
        {"datetime": "2022-02-30"},
        {"datetime": "2022-05-01/2022-04-01"},
        {"datetime": "../.."},
        {"f": "xml"},
        {"page_token": "forged"},
        {"POP_EST": "many"},
        {"properties": "nothing"},
    ]
    for query in wrong:
        answer = items(COUNTRIES, **query)
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json"), query
    assert get(f"{ROOT}/collections", limit="1").status == 400


@abstract_test("/conf/core/f-op")
@abstract_test("/conf/core/f-success")
@abstract_test("/conf/core/f-links")
def feature() -> None:
    first = items(PLACES, limit="1").body["features"][0]
    answer = get(f"{ITEMS}/{{feature_id}}", PLACES, feature_id=first["id"])
    assert answer.headers["content-type"] == "application/geo+json"
    assert {name: answer.body[name] for name in first} == first
    for relation in ("self", "alternate", "collection"):
        assert links(answer.body, relation)
    assert get(f"{ITEMS}/{{feature_id}}", PLACES, feature_id="nothing").status == 404


@abstract_test("/conf/html/definition")
@abstract_test("/conf/html/content")
def html() -> None:
    for resource, name in ((ROOT, ""), (f"{ROOT}/collections", ""), (COLLECTION, PLACES), (ITEMS, PLACES)):
        answer = get(resource, name, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script" not in answer.body
        assert "style-src 'sha256-" in answer.headers["content-security-policy"]
        assert get(resource, name, f="html").body == answer.body
    assert "Vatican City" in answer.body
    assert get(ROOT, headers={"Accept": "*/*"}).headers["content-type"] == "application/json"


@abstract_test("/conf/crs/crs-uri")
@abstract_test("/conf/crs/fc-md-crs-list-A")
@abstract_test("/conf/crs/fc-md-crs-list-B")
@abstract_test("/conf/crs/fc-md-storageCrs-valid-value")
@abstract_test("/conf/crs/fc-md-crs-list-global")
def listed_systems() -> None:
    document = get(f"{ROOT}/collections").body
    assert document["crs"] == list(LISTED)
    for each in document["collections"]:
        assert each["crs"] == list(LISTED)
        assert each["storageCrs"] in each["crs"]


@abstract_test("/conf/crs/fc-crs-definition")
@abstract_test("/conf/crs/fc-crs-valid-value")
@abstract_test("/conf/crs/fc-crs-default-value")
@abstract_test("/conf/crs/fc-crs-action")
@abstract_test("/conf/crs/ogc-crs-header")
@abstract_test("/conf/crs/ogc-crs-header-value")
@abstract_test("/conf/crs/geojson")
def output_systems() -> None:
    def position(**query: str) -> tuple[list[float], str]:
        answer = items(PLACES, name="Luxembourg", **query)
        return answer.body["features"][0]["geometry"]["coordinates"], answer.headers["content-crs"]

    (longitude, latitude), header = position()
    assert header == f"<{CRS84}>"
    assert position(crs=EPSG_4326) == ([latitude, longitude], f"<{EPSG_4326}>")
    (x, y), header = position(crs=EPSG_3857)
    assert header == f"<{EPSG_3857}>"
    assert (x, y) == pytest.approx(Transformer.from_crs(4326, 3857, always_xy=True).transform(longitude, latitude))
    (easting, northing), _ = position(crs="http://www.opengis.net/def/crs/EPSG/0/32632")
    in_utm = Transformer.from_crs(4326, 32632, always_xy=True).transform(longitude, latitude)
    assert (easting, northing) == pytest.approx(in_utm)


@abstract_test("/conf/crs/fc-crs-valid-defaultValue")
@abstract_test("/conf/crs/fc-bbox-crs-valid-value")
def unknown_systems() -> None:
    for name in ("crs", "bbox-crs", "filter-crs"):
        for uri in ("http://www.opengis.net/def/crs/EPSG/0/999999", "http://example.com/crs", "EPSG:4979", "EPSG:5703"):
            answer = items(PLACES, **{name: uri, "filter": "name='x'", "bbox": "0,0,1,1"})
            assert answer.status == 400, (name, uri)
            assert name in answer.body["detail"]


@abstract_test("/conf/crs/fc-bbox-crs-definition")
@abstract_test("/conf/crs/fc-bbox-crs-action")
def box_systems() -> None:
    expected = ids(items(COUNTRIES, bbox="0,40,10,50"))
    assert ids(items(COUNTRIES, bbox="40,0,50,10", bbox_crs=EPSG_4326)) == expected
    assert ids(items(COUNTRIES, bbox="0,4865942,1113195,6446276", bbox_crs=EPSG_3857)) == expected
    assert ids(items(COUNTRIES, bbox="0,40,10,50", bbox_crs=EPSG_4326)) != expected


@abstract_test("/conf/queryables/get-queryables-op")
@abstract_test("/conf/queryables/get-queryables-response")
@abstract_test("/conf/queryables/queryables-link")
def queryables() -> None:
    relation = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
    assert links(get(COLLECTION, PLACES).body, relation)
    answer = get(f"{COLLECTION}/queryables", PLACES)
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.body["$schema"].endswith("2020-12/schema")
    assert answer.body["$id"].endswith(f"/collections/{PLACES}/queryables")
    assert answer.body["properties"]["geom"]["format"] == "geometry-point-or-multipoint"
    assert answer.body["properties"]["pop_max"]["type"] == "integer"


@abstract_test("/conf/queryables-query-parameters/parameters")
@abstract_test("/conf/queryables-query-parameters/response")
def property_parameters() -> None:
    assert ids(items(PLACES, name="Luxembourg")) == ids(items(PLACES, filter="name='Luxembourg'"))
    assert len(ids(items(PLACES, boolean="true"))) == 2
    assert len(ids(items(PLACES, pop_other="1038288"))) == 1


@abstract_test("/conf/filter/filter-param")
@abstract_test("/conf/filter/filter-lang-param")
@abstract_test("/conf/filter/filter-lang-default")
@abstract_test("/conf/filter/expression-construction")
@abstract_test("/conf/features-filter/filter-param")
def filters() -> None:
    document = {"op": "=", "args": [{"property": "name"}, "Luxembourg"]}
    expected = ids(items(PLACES, filter="name='Luxembourg'"))
    assert len(expected) == 1
    assert ids(items(PLACES, filter="name='Luxembourg'", filter_lang="cql2-text")) == expected
    assert ids(items(PLACES, filter=json.dumps(document), filter_lang="cql2-json")) == expected
    assert items(PLACES, filter=json.dumps(document)).status == 400
    assert items(PLACES, filter="name='Luxembourg'", filter_lang="ecql").status == 400


@abstract_test("/conf/filter/mixing-expressions")
def mixed_filters() -> None:
    both = items(COUNTRIES, bbox="0,40,10,50", filter="NAME>'G'", datetime="2022-01-01")
    assert set(ids(both)) == set(ids(items(COUNTRIES, bbox="0,40,10,50"))) & set(
        ids(items(COUNTRIES, filter="NAME>'G'"))
    )


@abstract_test("/conf/filter/filter-crs-wgs84")
@abstract_test("/conf/filter/filter-crs-param")
def filter_systems() -> None:
    expected = ids(items(COUNTRIES, filter="S_INTERSECTS(geom,POINT(7.02 49.92))"))
    assert len(expected) == 1
    assert ids(items(COUNTRIES, filter="S_INTERSECTS(geom,POINT(49.92 7.02))", filter_crs=EPSG_4326)) == expected
    assert ids(items(COUNTRIES, filter="S_INTERSECTS(geom,POINT(781463 6432868))", filter_crs=EPSG_3857)) == expected


@abstract_test("/conf/filter/response")
@abstract_test("/conf/features-filter/response")
def refused_filters() -> None:
    for text in (
        "(" * 2000 + "pop_max=1" + ")" * 2000,
        "name='" + "x" * (1 << 20) + "'",
        "unheard_of=1",
        "pop_max='x'",
        "S_INTERSECTS(geom,POLYGON((0 0)))",
        "S_INTERSECTS(geom,POLYGON((0 0,1 1,1 0,0 1,0 0)))",
        "S_INTERSECTS(geom,POINT(500 0))",
        "name=",
    ):
        answer = items(PLACES, filter=text)
        assert answer.status == 400, text[:80]
        assert answer.body["errors"][0]["pointer"].startswith("/query/filter"), text[:80]


@abstract_test("/conf/schemas/schemas")
@abstract_test("/conf/core-roles-features/roles")
def schemas() -> None:
    assert links(get(COLLECTION, "parcels").body, "http://www.opengis.net/def/rel/ogc/1.0/schema")
    document = get(f"{COLLECTION}/schema", "parcels").body
    assert document["properties"]["property_id"]["x-ogc-role"] == "id"
    assert document["properties"]["geometry"]["x-ogc-role"] == "primary-geometry"
    first = items("parcels", limit="1").body["features"][0]
    assert {*first["properties"], "geometry"} == set(document["properties"])


@pytest.mark.parametrize("identifier", _TESTS)
def test_abstract(identifier: str) -> None:
    _TESTS[identifier]()


def test_each_declared_class_has_its_tests() -> None:
    tested = {identifier.split("/")[2] for identifier in _TESTS} | {
        predicate.conformance_class for predicate in standard_predicates()
    }
    untested = {uri.rpartition("/")[2] for uri in CONFORMANCE_CLASSES} - tested
    of_tiles_and_languages = {"tileset", "tilesets-list", "geodata-tilesets", "mvt", "cql2-text", "cql2-json"}
    assert untested == {*of_tiles_and_languages, "collections", "basic-spatial-operators"}


@pytest.mark.parametrize("language", ["cql2-text", "cql2-json"])
def test_each_predicate_of_the_cql2_standard_selects_its_features(language: str) -> None:
    from shared.cql2.text_encoding import text_to_json

    wrong = []
    for predicate in standard_predicates():
        text = predicate.text if language == "cql2-text" else json.dumps(text_to_json(predicate.text))
        answer = items(predicate.layer, filter=text, filter_lang=language)
        if answer.status != 200 or len(answer.body["features"]) != predicate.features:
            wrong.append(predicate.text)
    assert set(wrong) == INCONSISTENT
