"""Runs and approvals through the handlers, for the tests of what they do."""

from typing import Any

from functions.valuation.handler import handler
from functions.valuation.tasks.approval import handler as approval_task
from functions.valuation.tasks.finishing import handler as finish
from functions.valuation.tasks.partition import handler as partition
from functions.valuation.tasks.planning import handler as plan
from tests.gateway import Answer, call
from tests.integration.evidence_county import COUNTY
from tests.integration.valuation.models import ON
from tests.job_cloud import Steps, run_partitioned, run_task

RUNS = "/v1/counties/{county_id}/valuation-runs"
STEPS = Steps("valuation_run", plan, partition, finish)


def asked(body: dict[str, Any] | None = None, county_id: str = COUNTY, **options: Any) -> Answer:
    """POST a run."""
    given = {"valuation_date": ON} | (body or {})
    return call(handler, "POST", RUNS, path={"county_id": county_id}, body=given, **options)


def run(run_id: str, part: str = "", county_id: str = COUNTY, **options: Any) -> Answer:
    """GET a run or what belongs to it."""
    path = {"county_id": county_id, "run_id": run_id}
    return call(handler, "GET", RUNS + "/{run_id}" + part, path=path, **options)


def finished(body: dict[str, Any] | None = None, county_id: str = COUNTY, **options: Any) -> str:
    """The id of a run that has succeeded."""
    answer = asked(body, county_id, **options)
    assert answer.status == 202, answer.body
    run_id: str = answer.body["id"]
    ended = run_partitioned(STEPS, county_id, run_id)
    assert ended == {"status": "succeeded"}, run(run_id, county_id=county_id, **options).body
    return run_id


def results(run_id: str, **query: str) -> list[dict[str, Any]]:
    """Every result of a run, or those of a filter."""
    items: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = run(run_id, "/results", query={"page_size": "1000", **query, **token}).body
        items += page["items"]
        if page["next_page_token"] is None:
            return items
        token = {"page_token": page["next_page_token"]}


def posted(run_id: str, action: str, body: dict[str, Any], county_id: str = COUNTY, **options: Any) -> Answer:
    """POST an approval (`approve`), or taking one back (`undo`)."""
    path = {"county_id": county_id, "run_id": run_id}
    return call(handler, "POST", RUNS + "/{run_id}/" + action, path=path, body=body, **options)


def approval(approval_id: str, part: str = "") -> Answer:
    """GET an approval's job or results."""
    path = {"county_id": COUNTY, "approval_id": approval_id}
    return call(handler, "GET", "/v1/counties/{county_id}/valuation-approvals/{approval_id}" + part, path=path)


def done(run_id: str, action: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The results of an approval, or of its undoing; fails where the job does."""
    answer = posted(run_id, action, body, **options)
    assert answer.status == 202, answer.body
    run_task(approval_task, COUNTY, "valuation_approval", answer.body["id"])
    found = approval(answer.body["id"], "/results")
    assert found.status == 200, approval(answer.body["id"]).body
    known: dict[str, Any] = found.body
    return known
