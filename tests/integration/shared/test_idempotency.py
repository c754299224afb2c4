"""Every POST that makes something makes it once for its Idempotency-Key: at once, after a crash, and never for another
request. The list of POSTs is the registry's, so a new one has to be placed here."""

import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, NamedTuple
from uuid import uuid4

import boto3
import pytest
from sqlalchemy import insert, text

from functions.valuation.service import comparables_models
from infra.function_specs import routes_of
from infra.functions import REGISTRY
from shared.api import resolver
from shared.db import unit_of_work
from shared.db.models import ValuationChampion, ValuationModel
from shared.settings import settings
from tests.aws import make_machine
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, Handler, call
from tests.integration.evidence_county import COUNTY, add_county, add_evidence
from tests.job_cloud import job_cloud

__all__ = ["job_cloud"]

C = "/v1/counties/{county_id}"
THREADS = 8
KEY = {"Idempotency-Key": "one"}


class Creation(NamedTuple):
    """A request that makes something, another one of the same route, and the table that what it makes is in."""

    body: dict[str, Any]
    other: dict[str, Any]
    table: str = "jobs"


_PERIOD = {"from": "2022-01-01", "to": "2023-12-31"}
_ROLL = {"report_type": "assessment_roll_summary", "format": "csv", "parameters": {"roll_year": 2025}}
_VALUE = {"property_id": "P0042", "valuation_date": "2023-10-01"}
_DECISION = {"decision": "invalid", "note": "of two parcels"}
_SALES = {**_DECISION, "sale_ids": ["S0007", "S0008"]}
CREATIONS = {
    f"{C}/sync-runs": Creation({"mode": "full"}, {"mode": "full", "validate_only": True}),
    f"{C}/valuation-models": Creation({"valuation_date": "2023-10-01"}, {"valuation_date": "2023-10-02"}),
    f"{C}/valuation-runs": Creation({"valuation_date": "2023-10-01"}, {"valuation_date": "2023-10-02"}),
    f"{C}/valuations": Creation(_VALUE, {**_VALUE, "property_id": "P0043"}, "valuations"),
    f"{C}/ratio-studies": Creation({"value_source": "assessed", **_PERIOD}, {"value_source": "total", **_PERIOD}),
    f"{C}/sales-validations": Creation({"nominal_price": "500"}, {"nominal_price": "600"}),
    f"{C}/sales-flags/{{sale_id}}/decisions": Creation(_DECISION, {**_DECISION, "note": "no"}, "sale_decisions"),
    f"{C}/sales-decisions": Creation(_SALES, {**_SALES, "note": "no"}, "sale_decisions"),
    f"{C}/market-analyses": Creation({**_PERIOD, "group_by": ["neighborhood"]}, {**_PERIOD, "group_by": ["class"]}),
    f"{C}/reports": Creation(_ROLL, {**_ROLL, "format": "pdf"}),
    f"{C}/gis-exports": Creation({"layers": ["parcels"], "format": "geojson"},
                                 {"layers": ["sales"], "format": "geojson"}),
}  # fmt: skip
TESTED_WITH_THEIR_MODULE = {
    f"{C}/sync-runs/{{run_id}}/rejected-rows/replay",  # test_quarantine
    f"{C}/valuation-runs/{{run_id}}/approve",  # test_approvals
    f"{C}/valuation-runs/{{run_id}}/undo",
    "/v1/counties",  # test_counties: the county's id is its key
    "/v1/keys",  # test_access_keys
    f"{C}/users",  # test_users
    f"{C}/uploads",  # test_uploads
    f"{C}/upload-inspections",  # an upload has one
    f"{C}/reports/{{report_id}}/approve",  # test_approvals of reporting: a report has one
    f"{C}/notice-batches",  # test_batches: with a county's board and two rolls
    f"{C}/job-schedules",  # test_schedules
    f"{C}/appeals",  # test_appeals: of a property on a roll
    f"{C}/appeals/{{appeal_id}}/documents",
    f"{C}/rolls/{{roll_year}}/checks",  # test_certification
    f"{C}/rolls/{{roll_year}}/waivers",
    f"{C}/rolls/{{roll_year}}/certificate/verify",
    f"{C}/webhooks",  # test_webhooks
    f"{C}/write-backs",  # test_round_trip
    f"{C}/exemptions",  # test_exemptions
    f"{C}/state-submissions",  # test_washington_study
    f"{C}/exemptions/{{exemption_id}}/documents",
    f"{C}/webhooks/{{webhook_id}}/test",
    f"{C}/webhooks/{{webhook_id}}/deliveries/{{delivery_id}}/replay",
}
MOVES = (
    *("/cancel", "/resume", "/promote", "/close", "/reopen", "/roll-back", f"{C}/sync-runs/{{run_id}}/approve"),
    "/certify",
    f"{C}/audit-seals",  # what is sealed is not sealed again
    *(f"{C}/exemptions/{{exemption_id}}/{move}" for move in ("decide", "withdraw")),
    *(f"{C}/uploads/{{upload_id}}/{move}" for move in ("confirm", "approve", "reject")),
    *(
        f"{C}/appeals/{{appeal_id}}/{move}"
        for move in ("review", "schedule", "hear", "decide", "stipulate", "withdraw")
    ),
    f"{C}/appeals/{{appeal_id}}/documents/{{document_id}}/confirm",
)
"""POSTs that move something that exists: sent again, they find it moved."""
MAKES_NOTHING = (
    "/v1/auth/",
    "/preview",
    "/v1/ratio-statistics",
    f"{C}/files",
    "/reset-password",
    "/resend-invitation",
    "/source-check",
)

POSTS = {route.path: spec for spec in REGISTRY.api for route in routes_of(spec) if route.method == "POST"}
EACH = pytest.mark.parametrize("path", CREATIONS, indirect=True)


class Killed(BaseException):
    """The end of a process: no handler of ours answers it."""


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    make_machine(monkeypatch, "sync")
    settings.cache_clear()
    comparables_models.clear_caches()
    add_county()
    add_evidence()
    yield
    settings.cache_clear()


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """A route; what its request needs beside the county is there."""
    if str(request.param).endswith("/valuation-runs"):
        _promote_a_model()
    return str(request.param)


def _promote_a_model() -> None:
    model = {"county_id": COUNTY, "model_id": uuid4(), "valuation_date": date(2023, 10, 1)}
    made = {"method": "ensemble", "seed": 0, "data_version": "", "artifact_key": "", "artifact_digest": ""}
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(ValuationModel).values(**model, **made, details={}, created_by="x"))
        connection.execute(insert(ValuationChampion).values(**model, property_class="", promoted_by="x"))


def handler_of(path: str) -> Handler:
    module = importlib.import_module(POSTS[path].module_path)
    handler: Handler = module.handler
    return handler


def post(path: str, body: dict[str, Any], *, key: dict[str, str] | None = KEY) -> Answer:
    parameters = {"county_id": COUNTY, **({"sale_id": "S0007"} if "{sale_id}" in path else {})}
    return call(handler_of(path), "POST", path, path=parameters, body=body, headers=key)


def effects(path: str) -> tuple[int, int, int]:
    """Rows of what the route makes, executions, and events of the audit trail."""
    with unit_of_work(COUNTY) as connection:
        rows, events = (
            int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            for table in (CREATIONS[path].table, "audit_events")
        )
    machines = (settings().jobs_state_machine_arn, settings().sync_state_machine_arn)
    states = boto3.client("stepfunctions")
    return rows, sum(len(states.list_executions(stateMachineArn=arn)["executions"]) for arn in machines), events


def test_every_post_is_one_that_makes_something_or_moves_it_or_makes_nothing() -> None:
    placed = [
        path in CREATIONS or path in TESTED_WITH_THEIR_MODULE or path.endswith(MOVES) or path.startswith(MAKES_NOTHING)
        or path.endswith(MAKES_NOTHING)
        for path in POSTS
    ]  # fmt: skip
    assert [path for path, known in zip(POSTS, placed, strict=True) if not known] == []
    assert CREATIONS.keys() | TESTED_WITH_THEIR_MODULE <= POSTS.keys()


@EACH
def test_the_same_request_sent_at_once_is_done_once_and_answered_alike(path: str) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: post(path, CREATIONS[path].body), range(THREADS)))

    assert {answer.status for answer in answers} == {answers[0].status}, answers
    assert answers[0].status in (201, 202), answers[0].body
    assert all(answer.body == answers[0].body for answer in answers)
    after = effects(path)
    assert post(path, CREATIONS[path].body).body == answers[0].body
    assert effects(path) == after


@EACH
def test_a_crash_between_effect_and_answer_is_repaired_by_the_same_request(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(resolver, "add_security_headers", _kill)
        with pytest.raises(Killed):
            post(path, CREATIONS[path].body)
    done = effects(path)

    again = post(path, CREATIONS[path].body)

    assert again.status in (201, 202), again.body
    assert effects(path) == done


@EACH
def test_a_key_that_comes_back_with_another_body_is_refused(path: str) -> None:
    assert post(path, CREATIONS[path].body).status in (201, 202)
    done = effects(path)

    refused = post(path, CREATIONS[path].other)

    assert refused.status == 422, refused.body
    assert effects(path) == done


def test_the_model_that_a_value_needs_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparables_models, "MAX_SALES_IN_REQUEST", 100)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: post(f"{C}/valuations", _VALUE), range(THREADS)))

    assert {(answer.status, answer.body["kind"]) for answer in answers} == {(202, "comparables_model")}
    assert all(answer.body == answers[0].body for answer in answers)
    assert effects(f"{C}/reports")[:2] == (1, 1)
    assert effects(f"{C}/valuations")[0] == 0


def _kill(_: object) -> None:
    raise Killed
