"""The edge of every module: requests that it takes or refuses, and the headers of its answers."""

import base64
import importlib
import json
import re
from datetime import date
from typing import Annotated, Any, get_args
from urllib.parse import quote

import pytest
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, ValidationError, model_validator

from infra.functions import REGISTRY
from shared import problems
from shared.access import Permission
from shared.api import Api, answer
from shared.api.problem_status import status_of
from shared.api.request import MAX_BODY_BYTES
from shared.problems import Fault, Unprocessable
from shared.schemas import RequestSchema
from tests.gateway import Answer, LambdaContext, call, proxy_event

api = Api("testing")
ONE = "/v1/counties/{county_id}/things/{thing_id}"


class Thing(RequestSchema):
    """A body."""

    name: str = ""
    count: int | None = None
    share: float | None = None
    sold: date | None = None
    sure: bool | None = None
    more: dict[str, Any] | None = None


@api.get(ONE, permission=Permission.VIEW_PROPERTIES, summary="One")
def get_thing(
    county_id: str,
    thing_id: str,
    size: Annotated[int, Query(ge=1)] = 1,
    share: Annotated[float | None, Query()] = None,
    since: Annotated[AwareDatetime | None, Query()] = None,
    on: Annotated[date | None, Query()] = None,
    name: Annotated[str | None, Query()] = None,
) -> Response[dict[str, Any]]:
    """Say what arrived."""
    return answer({"county_id": county_id, "thing_id": thing_id, "size": size, "name": name})


@api.get(ONE + "/parts/{number}", permission=Permission.VIEW_PROPERTIES, summary="A part")
def get_part(county_id: str, thing_id: str, number: int) -> Response[dict[str, Any]]:
    """Say what arrived."""
    return answer({"thing_id": thing_id, "number": number})


@api.put(ONE, permission=Permission.EDIT_PROPERTY, summary="Replace")
def put_thing(county_id: str, thing_id: str, body: Thing) -> Response[dict[str, Any]]:
    """Say what arrived, and which version is replaced."""
    return answer({"thing_id": thing_id, "body": body.model_dump(mode="json"), "version": api.required_version()})


@api.post("/v1/things", permission=None, summary="Many faults")
def post_thing() -> Response[dict[str, Any]]:
    """Fail in a great many places."""
    faults = tuple(Fault(f"/body/{number}" + "x" * 1000, "y" * 5000) for number in range(46_004))
    raise Unprocessable("z" * 50_000, faults=faults)


def get(thing_id: str = "x", **options: Any) -> Answer:
    return call(api.handler, "GET", ONE, path={"county_id": "king_wa", "thing_id": thing_id}, **options)


def put(body: object, headers: dict[str, str] | None = None, event: dict[str, Any] | None = None) -> Answer:
    path = {"county_id": "king_wa", "thing_id": "x"}
    sent = proxy_event("PUT", ONE, path=path, body=body, headers={"If-Match": "*"} | (headers or {}))
    answered = api.handler(sent | (event or {}), LambdaContext())
    assert answered["multiValueHeaders"]["Content-Type"][0].split(";")[0] in (
        "application/json",
        "application/problem+json",
    )
    return Answer(answered["statusCode"], {}, json.loads(answered["body"]))


def pointers(answered: Answer) -> list[str]:
    return [error["pointer"] for error in answered.body["errors"]]


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(lambda t: t not in (".", ".."))
)
def test_an_id_of_any_text_arrives_as_it_is(thing_id: str) -> None:
    answered = get(thing_id)

    assert (answered.status, answered.body["thing_id"]) == (200, thing_id)


@pytest.mark.parametrize("thing_id", ["a/b", "a%2Fb", "a%252Fb", "?", "#", "`", '"', "%", " ", "🏠", "ü", "a+b", "{x}"])
def test_an_id_is_decoded_once_below_whatever_base_path(thing_id: str) -> None:
    event = proxy_event("GET", ONE, path={"county_id": "king_wa", "thing_id": thing_id})
    event["path"] = "/base" + event["path"]

    answered = api.handler(event, LambdaContext())

    assert json.loads(answered["body"])["thing_id"] == thing_id


def test_a_county_is_the_same_however_its_id_is_written() -> None:
    event = proxy_event("GET", ONE, path={"county_id": "king_wa", "thing_id": "x"})
    event["path"] = event["path"].replace("king_wa", "%6bing_wa")
    other = proxy_event("GET", ONE, path={"county_id": "king_wa", "thing_id": "x"})
    other["path"] = other["path"].replace("king_wa", "lucas_oh")  # whatever the parameters say

    assert api.handler(event, LambdaContext())["statusCode"] == 200
    assert api.handler(other, LambdaContext())["statusCode"] == 403


@pytest.mark.parametrize("sent", ["%FF", "%00", "a%00b", "%ED%A0%80", "%C3"])
def test_an_id_that_is_no_text_is_refused_by_its_name(sent: str) -> None:
    event = proxy_event("GET", ONE, path={"county_id": "king_wa", "thing_id": "x"})
    event["path"] = event["path"][:-1] + sent

    answered = api.handler(event, LambdaContext())

    assert answered["statusCode"] == 422
    assert json.loads(answered["body"])["errors"][0]["pointer"] == "/path/thing_id"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("size", text) for text in ("1_000", " 12 ", "+5", "١٢", "1e3", "5.0", "0x10", "", "9" * 5000)),
        *(("share", text) for text in ("1_0.5", "nan", "inf", "-Infinity", "1e5", ".5", " 1", "١.٥")),
        *(("on", text) for text in ("20260101", "1767225600", "0001-01-01", "9999-12-31", "2026-13-01", "2026-1-1")),
        *(("since", text) for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1767225600", "now")),
        *(("name", text) for text in ("a\x00b", "\ud800")),
    ],
)
def test_a_parameter_is_taken_in_one_form_only(name: str, text: str) -> None:
    answered = get(query={name: text})

    assert (answered.status, pointers(answered)) == (422, [f"/query/{name}"])


def test_a_number_of_a_path_is_taken_in_one_form_only() -> None:
    for text, status in {"12": 200, "-1": 200, "1_2": 422, "+1": 422, " 1": 422, "1.0": 422, "9" * 30: 422}.items():
        path = {"county_id": "king_wa", "thing_id": "x", "number": text}
        assert call(api.handler, "GET", ONE + "/parts/{number}", path=path).status == status, text


def test_parameters_in_their_form_are_taken() -> None:
    query = {"size": "12", "share": "-0.5", "on": "2026-01-31", "since": "2026-01-31T00:00:00+14:00", "name": "a_b"}
    assert get(query=query).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("NaN", 400),
        ('{"share": NaN}', 400),
        ('{"share": Infinity}', 400),
        ('{"share": 1e400}', 400),
        ('{"name": "\\ud800"}', 400),
        ("[" * 100_000, 400),
        ("\ufeff{}", 400),
        ("{} {}", 400),
        ("null", 422),
        ("[]", 422),
        ("1", 422),
        ('"text"', 422),
        (None, 422),
        ('{"name": "a\\u0000b"}', 422),
        ('{"more": {"a\\u0000b": 1}}', 422),
        ('{"more": ' + '{"a":' * 60 + "1" + "}" * 60 + "}", 422),
        ('{"count": "1_998"}', 422),
        ('{"count": " 12 "}', 422),
        ('{"count": true}', 422),
        ('{"count": 1.5}', 422),
        ('{"share": "1"}', 422),
        ('{"sure": 1}', 422),
        ('{"sold": 0}', 422),
        ('{"sold": "0001-01-01"}', 422),
        ('{"sold": "9999-12-31"}', 422),
        ('{"colour": 1}', 422),
        ('{"name": "ü🏠", "count": 3, "share": 1, "sure": true, "sold": "2026-01-31", "more": {"a": [1]}}', 200),
    ],
)
def test_a_body_is_json_of_its_schema_or_refused(body: str | None, status: int) -> None:
    answered = put(body)

    assert answered.status == status, answered.body
    if status == 422:
        assert all(pointer.startswith("/body") for pointer in pointers(answered))


@given(st.binary(max_size=40))
def test_no_bytes_of_a_body_break_anything(content: bytes) -> None:
    answered = put(None, event={"body": base64.b64encode(content).decode(), "isBase64Encoded": True})

    assert answered.status in (200, 400, 422)


def test_a_body_that_is_not_utf_8_is_refused() -> None:
    for event in ({"body": base64.b64encode(b'{"name": "\xff"}').decode()}, {"body": "no base64!"}):
        answered = put(None, event=event | {"isBase64Encoded": True})
        assert (answered.status, answered.body["type"]) == (400, "urn:terrafusion:problem:malformed-json")


def test_a_body_that_is_too_large_is_refused() -> None:
    assert put('{"name": "' + "x" * MAX_BODY_BYTES + '"}').status == 413


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; Charset=UTF-8", 200),
        ("application/json;charset=utf-16", 415),
        ("application/jsonp", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 415),
        ("text/plain", 415),
        (";", 415),
    ],
)
def test_only_json_is_taken(sent: str, status: int) -> None:
    assert put("{}", {"Content-Type": sent}).status == status


@pytest.mark.parametrize(
    "tag", ["9" * 5000, '"' + "9" * 5000 + '"', '"99999999999"', 'W/"1"', '"١"', '"-1"', '"01"', '""', '"', "\x00"]
)
def test_a_tag_that_is_none_of_ours_is_a_failed_precondition(tag: str) -> None:
    answered = put("{}", {"If-Match": tag})

    assert answered.status == 412
    assert len(json.dumps(answered.body)) < 2000


def test_many_and_long_faults_are_told_in_part() -> None:
    answered = call(api.handler, "POST", "/v1/things")

    assert (len(answered.body["errors"]), answered.body["errors_total"]) == (100, 46_004)
    assert len(json.dumps(answered.body)) < 200_000


def test_every_answer_tells_the_browser_to_trust_nothing_and_keep_nothing() -> None:
    refused = call(api.handler, "GET", ONE, path={"county_id": "other_wa", "thing_id": "x"})
    unknown = call(api.handler, "DELETE", ONE, path={"county_id": "king_wa", "thing_id": "x"})
    for answered in (get(), refused, unknown, call(api.handler, "POST", "/v1/things")):
        assert answered.headers["x-content-type-options"] == "nosniff"
        assert answered.headers["content-security-policy"].startswith("default-src 'none'")
        assert answered.headers["strict-transport-security"].startswith("max-age=")
        assert answered.headers["cache-control"] == "no-store"


def test_an_id_in_a_link_is_one_segment_of_its_path() -> None:
    from shared.api import segment

    for text in ("a/b", "a?b#c", "🏠", 'quo"te', "100%", "a b"):
        assert quote(text, safe="") == segment(text)
        assert not set(segment(text)) & set('/?#" ')


def test_every_body_of_the_api_is_of_a_model_that_is_taken_exactly() -> None:
    for spec in REGISTRY.api:
        routes = importlib.import_module(spec.module_path).api
        for route in routes.resolver._dynamic_routes + routes.resolver._static_routes:
            for parameter in route.dependant.body_params:
                annotation = parameter.field_info.annotation
                for model in get_args(annotation) or (annotation,):
                    assert model is type(None) or issubclass(model, RequestSchema), (route.path, model)


class Range(RequestSchema):
    """A body with a rule of its own, which pydantic puts around the model."""

    sold: date
    seed: int = 0
    box: tuple[float, float] | None = None
    inner: Thing | None = None

    @model_validator(mode="after")
    def _accept(self) -> "Range":
        return self


@pytest.mark.parametrize(
    "body",
    [
        {"sold": 0},
        {"sold": "20250101"},
        {"sold": "2025-01-01", "seed": False},
        {"sold": "2025-01-01", "seed": "1"},
        {"sold": "2025-01-01", "box": [0, True]},
        {"sold": "2025-01-01", "inner": {"count": True}},
    ],
)
def test_a_model_with_a_rule_of_its_own_is_taken_exactly_too(body: dict[str, Any]) -> None:
    assert Range.model_validate({"sold": "2025-01-01", "seed": 1, "box": [0, 1]}).seed == 1
    with pytest.raises(ValidationError):
        Range.model_validate(body)


@pytest.mark.parametrize("key", ["k" * 201, "", "\x7f"])
def test_an_idempotency_key_in_another_form_is_refused_by_every_post(key: str) -> None:
    for spec in REGISTRY.api:
        routes = importlib.import_module(spec.module_path).api
        for route in routes.routes:
            if route.method == "POST" and route.permission is not None:
                path = dict.fromkeys(re.findall(r"{(\w+)}", route.path), "king_wa")
                refused = call(routes.handler, "POST", route.path, path=path, headers={"idempotency-key": key}, body={})
                slug = refused.body["type"].rpartition(":")[2]
                assert slug in ("idempotency-key-invalid", "validation"), (route.path, refused)


def test_every_kind_of_problem_has_a_status_of_an_error() -> None:
    kinds = [kind for kind in vars(problems).values() if isinstance(kind, type) and issubclass(kind, problems.Problem)]
    assert len(kinds) > 10
    for kind in kinds:
        assert status_of(kind) >= 400
        assert kind is problems.Problem or status_of(kind) != 500, kind
