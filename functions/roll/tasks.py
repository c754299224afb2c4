"""The jobs machine's task of rolls."""

from functions.roll.job_kinds import CERTIFICATE_VERIFICATION, ROLL_CERTIFICATION, ROLL_CHECK
from functions.roll.service import certification, checks, verification
from shared.jobs import job_task

handler = job_task(
    {
        ROLL_CHECK: checks.run_job,
        ROLL_CERTIFICATION: certification.certify_job,
        CERTIFICATE_VERIFICATION: verification.verify_job,
    }
)
