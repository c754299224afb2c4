"""The plan of a run: which model values which class, and which properties each partition has."""

from functions.valuation.repository import runs
from functions.valuation.repository.runs import RunRecord
from functions.valuation.schemas.runs import RunPartition, ValuationRunRequest
from functions.valuation.service import model_selection
from shared.db import unit_of_work
from shared.evidence import evidence_version
from shared.jobs import RunningJob

PARTITION_PROPERTIES = 10_000


def plan_run(job: RunningJob) -> list[RunPartition]:
    """Cut the properties into partitions. Raises Conflict, Unprocessable where no model fits the day by now."""
    request = ValuationRunRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        models = model_selection.for_run(connection, job.county_id, request.model_id, request.valuation_date)
        partitions, properties = runs.plan(connection, job.county_id, request.filter, PARTITION_PROPERTIES)
        version = evidence_version(connection, job.county_id)
        record = RunRecord(job.job_id, request.valuation_date, models, version, properties)
        runs.add(connection, job.county_id, record)
    return partitions
