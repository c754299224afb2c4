"""One life cycle for every long task: submitted, run by a state machine, looked at, finished.

A module's API submits a job (202) and shows it; the module's task runs it:

    job = jobs.submit(county_id, "ratio_study", parameters, caller=..., idempotency_key=...)
    handler = job_task({"ratio_study": run})

A job that is too long for one Lambda is cut into partitions: see `shared.jobs.partitioned`.
"""

from shared.jobs.lifecycle import (
    cancel,
    get,
    is_submitted,
    links_of,
    results,
    results_as,
    resume,
    settle_execution,
    settled,
    submit,
)
from shared.jobs.schemas import FINISHED, Job, JobError, JobStatus, Progress
from shared.jobs.task import RunningJob, job_task

__all__ = [
    "FINISHED",
    "Job",
    "JobError",
    "JobStatus",
    "Progress",
    "RunningJob",
    "cancel",
    "get",
    "is_submitted",
    "job_task",
    "links_of",
    "results",
    "results_as",
    "resume",
    "settle_execution",
    "settled",
    "submit",
]
