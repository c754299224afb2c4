"""Breaking changes of the API, and additions that break nothing: the document with faults injected."""

import copy
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra import openapi_compatibility
from infra.openapi import DOCUMENT
from infra.openapi_compatibility import NoHistoryError, breaking_changes, landed_document, main

API: dict[str, Any] = json.loads(DOCUMENT.read_text())
OPERATIONS = [(path, method) for path, methods in API["paths"].items() for method in methods]

SMALL: dict[str, Any] = {
    "paths": {
        "/things/{id}": {
            "post": {
                "security": [{"access_token": ["view"]}],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 9}},
                    {
                        "name": "sort",
                        "in": "query",
                        "required": False,
                        "schema": {"enum": ["a", "b"], "type": "string"},
                    },
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "default": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Asked": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"type": "number", "minimum": 0, "maximum": 10},
                    "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "state": {"type": "string", "enum": ["new", "old"]},
                    "count": {"type": "integer"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                    "value": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                },
            },
        }
    },
}

Change = Callable[[dict[str, Any]], object]


def _operation(api: dict[str, Any]) -> Any:
    return api["paths"]["/things/{id}"]["post"]


def _asked(api: dict[str, Any]) -> Any:
    return api["components"]["schemas"]["Asked"]


def _thing(api: dict[str, Any]) -> Any:
    return api["components"]["schemas"]["Thing"]


def _changed(change: Change) -> list[str]:
    changed = copy.deepcopy(SMALL)
    change(changed)
    return breaking_changes(SMALL, changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda api: api["paths"].clear(), "POST /things/{id} is gone"),
        (lambda api: _operation(api).update(security=[{"access_token": ["edit"]}]), "needs another permission"),
        (lambda api: _operation(api)["parameters"].pop(), "query parameter sort is gone"),
        (lambda api: _operation(api)["parameters"][1].update(required=True), "query parameter sort is required now"),
        (lambda api: _operation(api)["parameters"].append({"name": "x", "in": "query", "required": True, "schema": {}}),
         "query parameter x is required now"),
        (lambda api: _operation(api)["parameters"][0]["schema"].update(maxLength=8), "id has the maxLength 8 now"),
        (lambda api: _operation(api)["parameters"][0]["schema"].update(pattern="^a"), "id has the pattern ^a now"),
        (lambda api: _operation(api)["parameters"][1]["schema"].update(enum=["a"]), "sort does not take b any more"),
        (lambda api: _operation(api).pop("requestBody"), "takes no body any more"),
        (lambda api: _operation(api)["requestBody"].update(required=True), "requires a body now"),
        (lambda api: _asked(api)["required"].append("name"), "body.name is required now"),
        (lambda api: _asked(api)["properties"].pop("tags"), "body.tags is not taken any more"),
        (lambda api: _asked(api)["properties"].update(name={"type": "string"}), "name does not take null any more"),
        (lambda api: _asked(api)["properties"]["size"].update(type="integer"), "size does not take number any more"),
        (lambda api: _asked(api)["properties"]["size"].update(maximum=9), "body.size has the maximum 9 now"),
        (lambda api: _asked(api)["properties"]["size"].update(exclusiveMinimum=0), "the exclusiveMinimum 0 now"),
        (lambda api: _asked(api)["properties"]["tags"]["items"].update(type="integer"), "tags[] does not take string"),
        (lambda api: _operation(api)["responses"].pop("200"), "does not answer 200 any more"),
        (lambda api: _operation(api)["responses"]["200"].update(content={"text/csv": {}}),
         "does not answer 200 as application/json any more"),
        (lambda api: _thing(api)["properties"].pop("count"), "answer 200.count is gone"),
        (lambda api: _thing(api)["required"].remove("state"), "answer 200.state may be absent now"),
        (lambda api: _thing(api)["properties"]["count"].update(type="string"), "answer 200.count is string now"),
        (lambda api: _thing(api)["properties"].update(count={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
         "answer 200.count is null now"),
        (lambda api: _thing(api)["properties"]["id"].update(format="uri"), "answer 200.id has the format uri now"),
        (lambda api: _thing(api)["properties"].update(count={}), "answer 200.count is of no certain type any more"),
    ],
)  # fmt: skip
def test_a_change_that_breaks_a_client_is_named(change: Change, message: str) -> None:
    changes = _changed(change)
    assert any(message in each for each in changes), changes


@pytest.mark.parametrize(
    "change",
    [
        lambda api: api["paths"].update({"/others": {"get": {"responses": {}}}}),
        lambda api: _operation(api)["parameters"].append({"name": "x", "in": "query", "schema": {"type": "string"}}),
        lambda api: _operation(api)["parameters"][0]["schema"].update(maxLength=10),
        lambda api: _operation(api)["parameters"][1]["schema"]["enum"].append("c"),
        lambda api: _asked(api)["properties"].update(more={"type": "string"}),
        lambda api: _asked(api)["required"].clear(),
        lambda api: _asked(api)["properties"]["name"]["anyOf"].append({"type": "integer"}),
        lambda api: _asked(api)["properties"]["size"].pop("maximum"),
        lambda api: _thing(api)["properties"].update(more={"type": "string"}),
        lambda api: _thing(api)["properties"]["state"]["enum"].append("sold"),
        lambda api: _thing(api)["required"].append("count"),
        lambda api: _thing(api)["properties"].update(value={"type": "integer"}),
        lambda api: _operation(api)["responses"].update({"202": {"description": "later"}}),
        lambda api: _operation(api).update(summary="Said otherwise"),
    ],
)
def test_an_addition_breaks_nothing(change: Change) -> None:
    assert _changed(change) == []


def test_a_change_within_a_union_is_found_although_another_variant_was_compared_before() -> None:
    def _in_a_union(api: dict[str, Any]) -> None:
        _operation(api)["responses"]["200"]["content"]["application/json"]["schema"] = {
            "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Thing"}]
        }

    old = copy.deepcopy(SMALL)
    _in_a_union(old)
    new = copy.deepcopy(old)
    _thing(new)["properties"].pop("count")
    assert "POST /things/{id}: answer 200.count is gone" in breaking_changes(old, new)


def test_the_api_does_not_break_itself() -> None:
    assert breaking_changes(API, copy.deepcopy(API)) == []


@settings(max_examples=30)
@given(st.sampled_from(OPERATIONS), st.data())
def test_whatever_is_taken_out_of_the_document_is_found(place: tuple[str, str], data: st.DataObject) -> None:
    path, method = place
    changed = copy.deepcopy(API)
    operation = changed["paths"][path][method]
    faults: list[Callable[[], object]] = [
        lambda: changed["paths"][path].pop(method),
        lambda: changed["paths"].pop(path),
    ]
    if operation.get("parameters"):
        faults += [lambda: operation["parameters"].pop()]
    (status, *_) = (status for status in operation["responses"] if status != "default")
    faults += [lambda: operation["responses"].pop(status)]
    data.draw(st.sampled_from(faults))()
    assert breaking_changes(API, changed)


REFERRED = sorted(
    name for name, schema in API["components"]["schemas"].items()
    if schema.get("properties") and f'"#/components/schemas/{name}"' in json.dumps(API["paths"])
)  # fmt: skip


@settings(max_examples=30)
@given(st.sampled_from(REFERRED), st.data())
def test_a_field_that_leaves_a_schema_is_found(name: str, data: st.DataObject) -> None:
    changed = copy.deepcopy(API)
    schema = changed["components"]["schemas"][name]
    field = data.draw(st.sampled_from(sorted(schema["properties"])))
    del schema["properties"][field]
    schema["required"] = [each for each in schema.get("required", []) if each != field]
    assert any(field in change for change in breaking_changes(API, changed))


def test_no_change_since_the_last_landed_commit_breaks_a_client() -> None:
    try:
        landed = landed_document()
    except NoHistoryError as error:
        pytest.skip(str(error))
    assert breaking_changes(landed, API) == []


def test_a_checkout_without_history_is_not_compared_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(openapi_compatibility, "ROOT", tmp_path)
    assert main() == 0
    assert "no git history" in capsys.readouterr().out
