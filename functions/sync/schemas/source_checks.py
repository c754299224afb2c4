"""Checks of a mapping and of a source, before anything is synced."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from functions.sync.schemas.runs import RejectReason
from shared.schemas import RequestSchema, Schema

SourceRow = dict[Annotated[str, StringConstraints(max_length=128)], Annotated[str, Field(max_length=100_000)] | None]


class PreviewRequest(RequestSchema):
    """A mapping to try on a few rows; without `mapping` the county's own. `table` is a target table of it (the first).

    The rows come from the county's source, or are given as `rows`: objects of texts, as the source would have them.
    """

    mapping: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)] | None = None
    table: Annotated[str, StringConstraints(max_length=100)] | None = None
    sample_size: Annotated[int, Field(ge=1, le=100)] = 20
    rows: Annotated[list[SourceRow], Field(min_length=1, max_length=100)] | None = None


class PreviewedRow(Schema):
    """A source row, the values that would be stored (as text), and the reasons to reject it or to warn."""

    source_row: dict[str, Any]
    result: dict[str, str | None]
    rejected: list[RejectReason]
    warned: list[RejectReason]


class MappingPreview(Schema):
    """Result of a mapping on some rows. Rules of the whole table (unique, reference) are not applied."""

    table: str
    unmapped_columns: list[str]
    rows: list[PreviewedRow]
    rejected: int
    warned: int


class SourceCheckRequest(RequestSchema):
    """A check of the source by the county's mapping or that of the request, of one target `table` or all of them."""

    mapping: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)] | None = None
    table: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None


class KeyCheck(Schema):
    """The key columns of a source table, compared over `rows` rows: all of them where it is `complete`.

    `duplicated` rows share their key with another row (`examples`); `without_key` have NULL in it.
    """

    columns: list[str]
    rows: int
    complete: bool
    without_key: int
    duplicated: int
    examples: list[str]


class ReasonCount(Schema):
    """A reason to reject rows of a sample: rule, target field, number of rows, and the message of the first."""

    rule: str
    field: str
    rows: int
    message: str


class SampleCheck(Schema):
    """Some rows of a table as the mapping takes them."""

    rows: int
    rejected: int
    reasons: list[ReasonCount]


class CheckedTable(Schema):
    """A table as a first sync would read it.

    `faults` keep it from being synced (`ready` is false then); `columns` are the source's, with its names of their
    types; `watermark` is the present maximum of the watermark column, where the mapping names one.
    """

    table: str
    source: str
    ready: bool
    faults: list[str]
    rows: int | None
    columns: dict[str, str]
    unmapped_columns: list[str]
    key: KeyCheck | None
    watermark: str | None
    sample: SampleCheck | None


class SourceCheck(Schema):
    """Outcome of a check: `ready` for a first sync, or not; `fault` says why the source is out of reach."""

    ready: bool
    fault: str | None
    tables: list[CheckedTable]
