"""The declaration of a kind of job, from which its routes, links, permissions and place in the machines derive."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel

from shared import audit
from shared.access import Permission
from shared.schemas import Schema

Request = TypeVar("Request", bound=BaseModel)
Results = TypeVar("Results", bound=BaseModel)


class NoResults(Schema):
    """The results of a kind whose outcome is kept as rows of its module's own."""


@dataclass(frozen=True)
class JobKind(Generic[Request, Results]):
    """A kind of long task. A module declares its kinds in `job_kinds.py`.

    `name` is the kind in the database, in the machine's input and in metrics; `collection` the path segment of its jobs
    below their county, and `id_parameter` the path parameter of a job's id. `request` is the model of a job's
    parameters, `results` that of its outcome. `run` is the permission to submit, cancel and resume, `view` that to
    read. `linked` are the sub-resources that a job's `links` name. A `repeatable` one only makes documents or figures,
    so that a schedule may make it again.
    """

    name: str
    collection: str
    id_parameter: str
    request: type[Request]
    results: type[Results]
    run: Permission
    view: Permission
    linked: tuple[str, ...] = ("results",)
    repeatable: bool = False

    @property
    def collection_path(self) -> str:
        """The path template of the county's jobs of this kind."""
        return f"/v1/counties/{{county_id}}/{self.collection}"

    @property
    def path(self) -> str:
        """The path template of one job."""
        return f"{self.collection_path}/{{{self.id_parameter}}}"

    @property
    def cancellation(self) -> audit.Action:
        """The action of cancelling a job of this kind in the audit trail."""
        return audit.cancelled(self.name)

    def subject(self, job_id: UUID) -> str:
        """A job as the subject of events in the audit trail."""
        return f"{self.collection}/{job_id}"

    def links(self, county_id: str, job_id: UUID) -> dict[str, str]:
        """The addresses of a job and of what belongs to it."""
        return job_links(county_id, self.collection, self.linked, job_id)


def job_links(county_id: str, collection: str, linked: Sequence[str], job_id: UUID) -> dict[str, str]:
    """The addresses of a job of a kind's collection and of its linked sub-resources."""
    own = f"/v1/counties/{county_id}/{collection}/{job_id}"
    return {"self": own, **{name.replace("-", "_"): f"{own}/{name}" for name in linked}}


AnyJobKind: TypeAlias = JobKind[Any, Any]
"""A kind of whatever request and results."""
