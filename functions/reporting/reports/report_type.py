"""The base class of report types: one set of figures for every format."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, get_args

from functions.reporting.domain.contents import Contents, DataTable
from functions.reporting.domain.heading import Heading
from functions.reporting.schemas import ReportFormat
from shared.schemas import RequestSchema

Parameters = TypeVar("Parameters", bound=RequestSchema)


@dataclass(frozen=True)
class Report:
    """A report before it is a file.

    `contents` is what PDF, HTML and XLSX show, `document` the content of the JSON file, `table` that of the CSV file.
    """

    title: str
    contents: Contents
    document: dict[str, Any]
    table: DataTable


class ReportType(ABC, Generic[Parameters]):
    """A type of report. Its name is its module's; `formats` are those in which it makes sense."""

    title: ClassVar[str]
    formats: ClassVar[tuple[ReportFormat, ...]] = get_args(ReportFormat)
    parameters: type[Parameters]

    def counties(self, county_id: str, _parameters: Parameters) -> Sequence[str]:
        """The counties whose data the report shows: who may not read all of them may not have it."""
        return (county_id,)

    def check(self, county_id: str, parameters: Parameters) -> None:
        """Refuse a request whose report cannot be built, before there is a job.

        Raises Unprocessable, its pointers into the parameters, or Conflict.
        """

    @abstractmethod
    def build(self, heading: Heading, parameters: Parameters) -> Report:
        """Build the report, the same from the same data. Raises Unprocessable, Conflict or Gone without its data."""
