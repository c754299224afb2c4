"""Requests and answers of write-backs."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from shared.jobs.download import StoredFile
from shared.schemas import RequestSchema, Schema

RowOutcome = Literal["changed", "changed_in_between", "not_in_source", "not_invertible"]


class WriteBackRequest(RequestSchema):
    """The decided values that go back: those of an approved valuation run, or those of a closed roll.

    A `dry_run` shows the rows and makes no file.
    """

    valuation_run_id: UUID | None = None
    roll_year: Annotated[int, Field(ge=1900, le=2200)] | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _of_one(self) -> "WriteBackRequest":
        if (self.valuation_run_id is None) == (self.roll_year is None):
            raise ValueError("give either valuation_run_id or roll_year")
        return self


class WriteBackResults(Schema):
    """Results of a write-back. `rows` are rows of the county's system, the other numbers are values of their columns.

    `already_there`: the system has the decided value. `changed_in_between`: the system has another value than the
    decision stood against, and nothing of that row is written. `not_in_source`: the system has no such row.
    `not_invertible`: no text of the system's column would be read as the decided value. `sha256` is the file's.
    """

    dry_run: bool
    format: Literal["sql", "csv", "fixed_width", "xlsx"]
    rows: int
    changed: int
    already_there: int
    changed_in_between: int
    not_in_source: int
    not_invertible: int
    file: StoredFile | None = None
    sha256: str | None = None


class WriteBackRow(Schema):
    """A column of a row of the county's system: the value that was read, and the one that is written.

    `field` of `table` is what was decided, `row_key` its row; `source_key` finds the row in the county's system.
    `reason` says why a value is not written.
    """

    row_no: int
    table: str
    row_key: str
    source_key: dict[str, str | None] | None
    field: str
    column: str
    outcome: RowOutcome
    read_value: str | None
    new_value: str | None
    reason: str | None
