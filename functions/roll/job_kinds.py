"""The kinds of jobs of rolls."""

from functions.roll.schemas.certificates import (
    Certificate,
    CertificateVerification,
    CertificationJob,
    VerificationJob,
)
from functions.roll.schemas.checks import RollCheckRequest, RollCheckRun
from shared.access import Permission
from shared.jobs import JobKind

ROLL_CHECK = JobKind(
    "roll_check",
    collection="roll-checks",
    id_parameter="check_run_id",
    request=RollCheckRequest,
    results=RollCheckRun,
    run=Permission.RUN_VALUATION,
    view=Permission.VIEW_VALUATION,
)
ROLL_CERTIFICATION = JobKind(
    "roll_certification",
    collection="roll-certifications",
    id_parameter="certification_id",
    request=CertificationJob,
    results=Certificate,
    run=Permission.APPROVE_VALUATION,
    view=Permission.VIEW_VALUATION,
)
CERTIFICATE_VERIFICATION = JobKind(
    "certificate_verification",
    collection="certificate-verifications",
    id_parameter="verification_id",
    request=VerificationJob,
    results=CertificateVerification,
    run=Permission.VIEW_VALUATION,
    view=Permission.VIEW_VALUATION,
)
