"""The commands of a job of any kind: the routes that cancel and resume it, declared by one line."""

from inspect import Parameter, Signature
from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from shared import jobs
from shared.access import Permission
from shared.api.answers import accepted, answer
from shared.api.resolver import Api
from shared.jobs import Job


def declare_job_commands(api: Api, path: str, *, kind: str, permission: Permission) -> None:
    """Declare `POST <path>/cancel` and `POST <path>/resume`; `path` ends with the parameter of the job's id."""
    name = path.rpartition("{")[2].removesuffix("}")

    def cancel(county_id: str, **ids: UUID) -> Response[Job]:
        """Ends a job that has not ended; nothing of what it was to change is changed. 409 for one that has ended, or
        has written what it changes.
        """
        return answer(jobs.cancel(county_id, kind, ids[name], api.caller))

    def resume(county_id: str, **ids: UUID) -> Response[Job]:
        """Goes on with a job that failed or was cut short; what it has done is not done again. 409 for one that is
        under way, or has ended otherwise.
        """
        return accepted(jobs.resume(county_id, kind, ids[name]))

    for word, command, summary, status in (
        ("cancel", cancel, "Cancel the job", 200),
        ("resume", resume, "Go on with the job", 202),
    ):
        _name(command, f"{word}_{kind}", name)
        api.post(f"{path}/{word}", permission=permission, summary=summary, status=status)(command)


def _name(command: Any, name: str, parameter: str) -> None:
    """Give a command the name and the parameters that its route has: Powertools reads both of its function."""
    command.__name__ = name
    command.__signature__ = Signature(
        [
            Parameter("county_id", Parameter.POSITIONAL_OR_KEYWORD, annotation=str),
            Parameter(parameter, Parameter.POSITIONAL_OR_KEYWORD, annotation=UUID),
        ],
        return_annotation=Response[Job],
    )
