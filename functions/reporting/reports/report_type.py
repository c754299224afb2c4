"""The base class of report types: one set of figures as a document, as a table, and as data."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from shared.csv_export.tables import Table
from shared.schemas import RequestSchema

Parameters = TypeVar("Parameters", bound=RequestSchema)


@dataclass(frozen=True)
class Approval:
    """Who approved a report, and when."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Heading:
    """The county that a report is of, the job that builds it, the time at which it was requested, and its approval.

    `generated_at` is the job's time, not the clock's, so that a job that runs twice makes the same file.
    """

    county_id: str
    county_name: str
    job_id: str
    generated_at: datetime
    approval: Approval | None = None


@dataclass(frozen=True)
class Report:
    """A report before it is a file.

    `view` is the data of the type's typst template, `document` the content of the JSON file, `table` that of the CSV
    file.
    """

    title: str
    view: dict[str, Any]
    document: dict[str, Any]
    table: Table


class ReportType(ABC, Generic[Parameters]):
    """A type of report. Its name is its module's, and so is that of its template in `render/templates`."""

    title: ClassVar[str]
    parameters: type[Parameters]

    def check(self, county_id: str, parameters: Parameters) -> None:
        """Refuse a request whose report cannot be built, before there is a job.

        Raises Unprocessable, its pointers into the parameters, or Conflict.
        """

    @abstractmethod
    def build(self, heading: Heading, parameters: Parameters) -> Report:
        """Build the report, the same from the same data. Raises Unprocessable, Conflict or Gone without its data."""
