"""Asking for a report and taking it, as a client does."""

from typing import Any

from functions.reporting.handler import handler
from functions.reporting.tasks import handler as task
from tests.gateway import Answer, call
from tests.job_cloud import downloaded, run_task

COUNTY = "king_wa"
ALL = "/v1/counties/{county_id}/reports"
ONE = ALL + "/{report_id}"


def request(
    report_type: str, format_: str, parameters: dict[str, Any], county_id: str = COUNTY, **options: Any
) -> Answer:
    body = {"report_type": report_type, "format": format_, "parameters": parameters}
    return send(body, county_id, **options)


def send(body: object, county_id: str = COUNTY, **options: Any) -> Answer:
    return call(handler, "POST", ALL, path={"county_id": county_id}, body=body, **options)


def look(report_id: str, what: str = "", county_id: str = COUNTY, **options: Any) -> Answer:
    return call(handler, "GET", ONE + what, path={"county_id": county_id, "report_id": report_id}, **options)


def run(report_id: str, county_id: str = COUNTY) -> Answer:
    """Run a report's task; the job afterwards."""
    run_task(task, county_id, "report", report_id)
    return look(report_id, county_id=county_id)


def made(report_type: str, format_: str, parameters: dict[str, Any]) -> bytes:
    """Run a report to its end: its file."""
    answer = request(report_type, format_, parameters)
    assert answer.status == 202, answer.body
    job = run(answer.body["id"])
    assert job.body["status"] == "succeeded", job.body
    return downloaded(look(answer.body["id"], "/download"))
