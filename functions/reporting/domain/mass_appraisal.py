"""The parts of a mass appraisal report: what people state, the area, and the figures that are read."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.ratio_study import LeftOutSale, RatioStudyResults, StratumResult, StudiedSales, StudyResult
from shared.contracts.valuation_model import ValuationModelResults
from shared.contracts.valuation_run import Change, ValuationRunSummary
from shared.schemas import RequestSchema, Schema

Statement = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Statements = Annotated[tuple[Statement, ...], Field(min_length=1, max_length=100)]

AreaKind = Literal["neighborhood", "property_class"]


class ReportArea(RequestSchema):
    """A part of the county: one neighborhood, or one class of property."""

    neighborhood: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    property_class: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _is_one_area(self) -> ReportArea:
        if (self.neighborhood is None) == (self.property_class is None):
            raise ValueError("name a neighborhood or a property_class, one of the two")
        return self

    @property
    def kind(self) -> AreaKind:
        """The kind of the area: a neighborhood or a class."""
        return "neighborhood" if self.neighborhood is not None else "property_class"

    @property
    def value(self) -> str:
        """The name of the neighborhood or class."""
        return self.neighborhood or self.property_class or ""


class Certification(RequestSchema):
    """The certification: its statements in full, and who signs it."""

    statements: Statements
    signed_by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class AppraiserStatements(RequestSchema):
    """The items of the Standards Rule that only people can state. Without a default each is mandatory.

    Of assumptions, conditions and exceptions that there are none of, the report says so.
    """

    client: Statement
    intended_users: Statement
    intended_use: Statement
    definition_of_value: Statement
    properties_and_rights: Statement
    scope_of_work: Statement
    data_collection: Statement
    model_specification: Statement
    calibration: Statement
    value_review: Statement
    reconciliation: Statement
    limiting_conditions: Statements
    certification: Certification
    extraordinary_assumptions: tuple[Statement, ...] = ()
    hypothetical_conditions: tuple[Statement, ...] = ()
    jurisdictional_exceptions: tuple[Statement, ...] = ()
    highest_and_best_use: Statement | None = None
    significant_assistance: tuple[Statement, ...] = ()


class Importance(Schema):
    """The importance of a feature in the values of a run: the mean of its contributions' size, in dollars."""

    feature: str
    mean_contribution: Decimal
    properties: int


class AppraisalFigures(Schema):
    """Everything that is read for a report; `area_values` are the run's figures of the area, or of the county."""

    run: ValuationRunSummary
    area_values: Change
    models: tuple[ValuationModelResults, ...]
    importances: tuple[Importance, ...]
    before: RatioStudyResults
    after: RatioStudyResults
    before_sample: StudyResult
    after_sample: StudyResult
    sales: StudiedSales | None


def area_values(run: ValuationRunSummary, area: ReportArea | None) -> Change | None:
    """The figures of a run that are of the area; None where the run valued nothing of it."""
    if area is None:
        return run.overall
    groups = run.by_neighborhood if area.kind == "neighborhood" else run.by_property_class
    return next((group for group in groups if group.group == area.value), None)


def area_sample(results: RatioStudyResults, area: ReportArea | None) -> StudyResult | None:
    """The part of a study that is of the area; None where the study has no statistics of it."""
    if area is None:
        return results.overall
    strata: dict[tuple[str, str], StratumResult] = {(each.stratum, each.value): each for each in results.strata}
    stratum = strata.get((area.kind, area.value))
    return None if stratum is None else stratum.study


def left_out_of_area(sales: StudiedSales, area: ReportArea | None) -> list[LeftOutSale]:
    """The sales that were left out, those of the area."""
    return [sale for sale in sales.left_out if area is None or getattr(sale, area.kind) == area.value]


def sales_of_area(sales: StudiedSales, area: ReportArea | None) -> list[int]:
    """The positions of the studied sales of the area."""
    if area is None:
        return list(range(len(sales.ratios)))
    names = sales.neighborhoods if area.kind == "neighborhood" else sales.property_classes
    return [position for position, name in enumerate(names) if name == area.value]
