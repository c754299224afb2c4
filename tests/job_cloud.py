"""The data bucket and the jobs machine, by moto in this process."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import pytest
from pydantic import BaseModel

from shared.access import Permission
from shared.aws import client
from shared.jobs import JobKind
from tests.aws import BUCKET, aws_in_this_process
from tests.gateway import Answer, Handler, LambdaContext

Outcome = TypeVar("Outcome", bound=BaseModel)
Wanted = TypeVar("Wanted", bound=BaseModel)


def sample_kind(request: type[Wanted], results: type[Outcome]) -> JobKind[Wanted, Outcome]:
    """A kind of job that no module has."""
    return JobKind(
        "sample",
        collection="samples",
        id_parameter="sample_id",
        request=request,
        results=results,
        run=Permission.RUN_VALUATION,
        view=Permission.VIEW_VALUATION,
    )


@pytest.fixture
def job_cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3 with the data bucket, and Step Functions with the jobs machine, which only notes what was started."""
    with jobs_in_this_process(monkeypatch):
        yield


def jobs_in_this_process(patch: pytest.MonkeyPatch) -> AbstractContextManager[None]:
    """The same for as long as the context lasts."""
    return aws_in_this_process(patch, "jobs")


def run_task(handler: Handler, county_id: str, kind: str, job_id: str) -> dict[str, Any]:
    """Call a task's handler as the jobs machine does."""
    return handler({"county_id": county_id, "job_id": job_id, "kind": kind}, LambdaContext())


@dataclass(frozen=True)
class Steps:
    """The handlers of a kind of job that is cut into partitions."""

    kind: str
    plan: Handler
    partition: Handler
    finish: Handler


def run_partitioned(steps: Steps, county_id: str, job_id: str) -> dict[str, Any]:
    """Call the steps' handlers as the jobs machine does: a failure is told to the plan. Returns the last answer."""
    job = {"county_id": county_id, "job_id": job_id, "kind": steps.kind}
    planned = steps.plan(job, LambdaContext())
    if planned["outcome"] != "proceed":
        return planned
    try:
        for item in partitions_of(planned):
            steps.partition({**job, "partition": item}, LambdaContext())
        return steps.finish(job, LambdaContext())
    except Exception as error:
        return steps.plan({**job, "failure": {"Error": type(error).__name__, "Cause": ""}}, LambdaContext())


def partitions_of(planned: dict[str, Any]) -> list[dict[str, Any]]:
    """The items that a plan has listed in S3."""
    listed = client("s3").get_object(Bucket=planned["partitions"]["bucket"], Key=planned["partitions"]["key"])
    items: list[dict[str, Any]] = json.loads(listed["Body"].read())
    return items


def downloaded(answer: Answer) -> bytes:
    """The object that a 303 sends its caller to."""
    assert answer.status == 303, answer.body
    path = unquote(urlsplit(answer.headers["location"]).path).removeprefix(f"/{BUCKET}").removeprefix("/")
    return client("s3").get_object(Bucket=BUCKET, Key=path)["Body"].read()
