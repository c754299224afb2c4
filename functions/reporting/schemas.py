"""Reports as the API shows them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from shared.jobs.download import StoredFile
from shared.schemas import RequestSchema, Schema

ReportType = Literal["sales_ratio_study", "assessment_roll_summary"]
ReportFormat = Literal["pdf", "csv", "json"]
Grouping = Literal["neighborhood", "property_class"]


def _each_once(groups: list[Grouping]) -> list[Grouping]:
    if len(set(groups)) != len(groups):
        raise ValueError("name each grouping once")
    return groups


class SalesRatioStudyParameters(RequestSchema):
    """`ratio_study_id`: a ratio study of the county that has succeeded; the report shows its results."""

    ratio_study_id: UUID


class AssessmentRollSummaryParameters(RequestSchema):
    """The roll year, and by what the parcels are grouped."""

    roll_year: Annotated[int, Field(ge=1800, le=2200)]
    groups: Annotated[
        list[Grouping],
        Field(min_length=1, max_length=2, default_factory=lambda: ["property_class", "neighborhood"]),
        AfterValidator(_each_once),
    ]


Parameters = SalesRatioStudyParameters | AssessmentRollSummaryParameters

PARAMETERS: dict[ReportType, type[Parameters]] = {
    "sales_ratio_study": SalesRatioStudyParameters,
    "assessment_roll_summary": AssessmentRollSummaryParameters,
}


class ReportRequest(RequestSchema):
    """Which report, as what sort of file. `parameters` are those of the report's type."""

    report_type: ReportType
    format: ReportFormat
    parameters: Parameters

    @field_validator("parameters", mode="before")
    @classmethod
    def _of_the_type(cls, value: Any, info: ValidationInfo) -> Any:
        """Judge the parameters by the one schema that applies, so that each fault keeps its place."""
        report_type: ReportType | None = info.data.get("report_type")
        if report_type is None:  # already a fault; what the parameters should be is not known
            return AssessmentRollSummaryParameters.model_construct(roll_year=0, groups=[])
        return PARAMETERS[report_type].model_validate(value)


class ReportResult(Schema):
    """What a report job made."""

    report_type: ReportType
    format: ReportFormat
    title: str
    file: StoredFile
