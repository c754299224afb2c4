"""The kind of job of ratio studies."""

from functions.ratio_study.schemas import RatioStudyRequest
from shared.access import Permission
from shared.contracts.ratio_study import RatioStudyResults
from shared.jobs import JobKind

RATIO_STUDY = JobKind(
    "ratio_study",
    collection="ratio-studies",
    id_parameter="study_id",
    request=RatioStudyRequest,
    results=RatioStudyResults,
    run=Permission.RUN_VALUATION,
    view=Permission.VIEW_VALUATION,
    repeatable=True,
)
