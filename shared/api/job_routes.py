"""The routes that jobs of every kind have, derived from the kind's declaration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, Signature
from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from shared import jobs
from shared.api.answers import accepted, answer, see_other
from shared.api.problems import faults_in_body
from shared.api.resolver import Api
from shared.jobs import Job
from shared.jobs.download import download_url
from shared.jobs.kind import JobKind, Request, Results
from shared.jobs.large_results import answerable_results

_CANCEL = (
    "Cancel the job",
    (
        "Ends a job that has not ended; nothing of what it was to change is changed. 409 for one that has ended, or\n"
        "has written what it changes."
    ),
)
_RESUME = (
    "Go on with the job",
    (
        "Goes on with a job that failed or was cut short; what it has done is not done again. 409 for one that is\n"
        "under way, or has ended otherwise."
    ),
)


@dataclass(frozen=True)
class Operation:
    """The words of a route in the OpenAPI document; `name` is the last part of its operation id."""

    name: str
    summary: str
    description: str


def declare_job_routes(
    api: Api,
    kind: JobKind[Request, Results],
    *,
    submit: Operation | None = None,
    check: Callable[[str, Request], None] | None = None,
    get: Operation | None = None,
    results: Operation | None = None,
    download: Operation | None = None,
) -> None:
    """Declare the routes of a kind of job: cancel and resume always, the others where their operation is given.

    A module declares by itself a route that answers with more than this, or asks for more.

    - `api`: the API of the module.
    - `submit`: POST on the collection; the answer is 202 with the job.
    - `check`: called with county and request before a job is submitted; raises where the request cannot be met, with
      faults that point into the request.
    - `get`: GET of a job.
    - `results`: GET of a succeeded job's results.
    - `download`: GET that redirects to the file that the results name in their field `file`.
    """
    path, identified = kind.path, {kind.id_parameter: UUID}

    def submit_job(county_id: str, body: Request) -> Response[Job]:
        with faults_in_body():
            job = jobs.submit(
                county_id,
                kind,
                body,
                caller=api.caller,
                idempotency_key=api.idempotency_key,
                check=None if check is None else partial(check, county_id, body),
            )
        return accepted(job)

    def cancel_job(county_id: str, **ids: UUID) -> Response[Job]:
        return answer(jobs.cancel(county_id, kind, ids[kind.id_parameter], api.caller))

    def resume_job(county_id: str, **ids: UUID) -> Response[Job]:
        return accepted(jobs.resume(county_id, kind, ids[kind.id_parameter]))

    def get_job(county_id: str, **ids: UUID) -> Response[Job]:
        return answer(jobs.get(county_id, kind, ids[kind.id_parameter]))

    def get_results(county_id: str, **ids: UUID) -> Response[Results]:
        return answer(answerable_results(county_id, kind, ids[kind.id_parameter]))

    def download_file(county_id: str, **ids: UUID) -> Response[Any]:
        return see_other(download_url(county_id, kind, ids[kind.id_parameter]))

    cancel, resume = Operation(f"cancel_{kind.name}", *_CANCEL), Operation(f"resume_{kind.name}", *_RESUME)
    for method, route, status, operation, function, parameters, body in (
        (api.post, kind.collection_path, 202, submit, submit_job, {"body": kind.request}, Job),
        (api.post, f"{path}/cancel", 200, cancel, cancel_job, identified, Job),
        (api.post, f"{path}/resume", 202, resume, resume_job, identified, Job),
        (api.get, path, 200, get, get_job, identified, Job),
        (api.get, f"{path}/results", 200, results, get_results, identified, kind.results),
        (api.get, f"{path}/download", 303, download, download_file, identified, Any),
    ):
        if operation is not None:
            permission = kind.view if method == api.get else kind.run
            described = _described(function, operation, parameters, body)
            method(route, permission=permission, summary=operation.summary, status=status)(described)


def _described(
    function: Callable[..., Any], operation: Operation, parameters: Mapping[str, Any], body: Any
) -> Callable[..., Any]:
    """Give a function the name, the docstring and the signature of its route: Powertools reads all three."""
    function.__name__, function.__doc__ = operation.name, operation.description
    function.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
            for name, annotation in {"county_id": str, **parameters}.items()
        ],
        return_annotation=Response[body],
    )
    return function
