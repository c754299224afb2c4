"""One life cycle for every long task: submitted, run by a state machine, looked at, finished.

A module's API submits a job (202) and shows it; the module's task runs it:

    job = jobs.submit(county_id, KIND, parameters, caller=..., idempotency_key=...)
    handler = job_task({KIND: run})

A job that is too long for one Lambda is cut into partitions: see `shared.jobs.partitioned`.
"""

from shared.jobs.kind import AnyJobKind, JobKind, NoResults
from shared.jobs.lifecycle import (
    cancel,
    fail_orphan_of,
    fail_orphans,
    get,
    raw_results,
    record,
    results,
    results_as,
    resume,
    submit,
)
from shared.jobs.schemas import FINISHED, Job, JobError, JobRecord, JobStatus, Progress
from shared.jobs.task import RunningJob, job_task

__all__ = [
    "FINISHED",
    "AnyJobKind",
    "Job",
    "JobError",
    "JobKind",
    "JobRecord",
    "JobStatus",
    "NoResults",
    "Progress",
    "RunningJob",
    "cancel",
    "fail_orphan_of",
    "fail_orphans",
    "get",
    "job_task",
    "raw_results",
    "record",
    "results",
    "results_as",
    "resume",
    "submit",
]
