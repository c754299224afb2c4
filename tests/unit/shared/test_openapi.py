"""The API's description: valid, complete, and the one that is served."""

import json

import pytest
from openapi_spec_validator import validate

from infra.function_specs import routes_of
from infra.functions import REGISTRY
from infra.openapi import AUDIT_ACTIONS, DOCUMENT, JOB_KINDS, audit_actions, listed_job_kinds, rendered
from shared.access import Access

ROUTES = [route for spec in REGISTRY.api for route in routes_of(spec)]


@pytest.fixture(scope="module")
def described() -> dict[str, dict[str, dict[str, object]]]:
    document = json.loads(rendered())
    validate(document)
    paths: dict[str, dict[str, dict[str, object]]] = document["paths"]
    return paths


def test_the_served_document_is_the_derived_one() -> None:
    assert DOCUMENT.read_text() == rendered(), "run: uv run python -m infra.openapi"


def test_the_audit_trail_can_be_searched_for_every_action_that_it_can_hold() -> None:
    assert AUDIT_ACTIONS.read_text() == audit_actions(), "run: uv run python -m infra.openapi"


def test_the_kinds_of_jobs_that_are_listed_are_those_of_the_modules() -> None:
    assert JOB_KINDS.read_text() == listed_job_kinds(), "run: uv run python -m infra.openapi"


def test_every_route_is_described_with_what_opens_it(described: dict[str, dict[str, dict[str, object]]]) -> None:
    for route in ROUTES:
        operation = described[route.path][route.method.lower()]
        token = [{"access_token": [route.permission.scope]}] if route.permission else []
        key: list[dict[str, list[str]]] = [{"access_key": []}] if route.access in (Access.KEY, Access.OPEN) else []
        nothing: list[dict[str, object]] = [{}] if route.access is Access.OPEN else []
        assert operation["security"] == [*token, *key, *nothing]
        assert operation["summary"]
    assert sum(len(methods) for methods in described.values()) == len(ROUTES)
