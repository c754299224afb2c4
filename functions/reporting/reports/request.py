"""The request for a report, with the parameters of each registered type."""

from typing import TYPE_CHECKING, Any, Literal, Union

from pydantic import Field, ValidationInfo, field_validator

from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.schemas import ReportFormat
from shared.schemas import RequestSchema

if TYPE_CHECKING:
    ReportTypeName = str
    Parameters = RequestSchema
else:
    ReportTypeName = Literal[tuple(REPORT_TYPES)]
    Parameters = Union[tuple(report_type.parameters for report_type in REPORT_TYPES.values())]  # noqa: UP007


def _no_parameters() -> Any:
    """The parameters of a type that needs none; its schema refuses them where it needs some."""
    return {}


class ReportRequest(RequestSchema):
    """Request for a report as a file. `parameters` are those of the report's type."""

    report_type: ReportTypeName
    format: ReportFormat
    parameters: Parameters = Field(default_factory=_no_parameters, validate_default=True)

    @field_validator("format")
    @classmethod
    def _of_the_types_formats(cls, value: ReportFormat, info: ValidationInfo) -> ReportFormat:
        """Refuse a format in which the type makes no sense."""
        report_type = REPORT_TYPES.get(info.data.get("report_type", ""))
        if report_type is not None and value not in report_type.formats:
            raise ValueError(f"is no format of this type; there are {', '.join(report_type.formats)}")
        return value

    @field_validator("parameters", mode="before")
    @classmethod
    def _of_the_type(cls, value: Any, info: ValidationInfo) -> Any:
        """Validate the parameters by the schema of their type alone, so that each fault keeps its pointer."""
        name: str | None = info.data.get("report_type")
        if name is None:  # a fault already; any parameters pass, for nobody knows what they should be
            return next(iter(REPORT_TYPES.values())).parameters.model_construct()
        return REPORT_TYPES[name].parameters.model_validate(value)
