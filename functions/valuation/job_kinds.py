"""The kinds of jobs of valuation."""

from functions.valuation.schemas.models import ComparablesModel, ComparablesModelRequest, ValuationModelRequest
from functions.valuation.schemas.runs import ApprovalJob, ApprovalResults, ValuationRunRequest, ValuationRunResults
from shared.access import Permission
from shared.contracts.valuation_model import ValuationModelResults
from shared.jobs import JobKind

VALUATION_MODEL = JobKind(
    "valuation_model",
    collection="valuation-models",
    id_parameter="model_id",
    request=ValuationModelRequest,
    results=ValuationModelResults,
    run=Permission.RUN_VALUATION,
    view=Permission.VIEW_VALUATION,
)
COMPARABLES_MODEL = JobKind(
    "comparables_model",
    collection="comparables-models",
    id_parameter="model_id",
    request=ComparablesModelRequest,
    results=ComparablesModel,
    run=Permission.RUN_VALUATION,
    view=Permission.VIEW_VALUATION,
)
VALUATION_RUN = JobKind(
    "valuation_run",
    collection="valuation-runs",
    id_parameter="run_id",
    request=ValuationRunRequest,
    results=ValuationRunResults,
    run=Permission.RUN_VALUATION,
    view=Permission.VIEW_VALUATION,
)
VALUATION_APPROVAL = JobKind(
    "valuation_approval",
    collection="valuation-approvals",
    id_parameter="approval_id",
    request=ApprovalJob,
    results=ApprovalResults,
    run=Permission.APPROVE_VALUATION,
    view=Permission.VIEW_VALUATION,
)
