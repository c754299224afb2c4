"""The kind of job of sales validations."""

from functions.sales_validation.schemas import SalesValidationRequest, SalesValidationResults
from shared.access import Permission
from shared.jobs import JobKind

SALES_VALIDATION = JobKind(
    "sales_validation",
    collection="sales-validations",
    id_parameter="validation_id",
    request=SalesValidationRequest,
    results=SalesValidationResults,
    run=Permission.RUN_VALUATION,
    view=Permission.VIEW_VALUATION,
)
