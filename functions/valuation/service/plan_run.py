"""The plan of a run: the model of each class, and the properties of each partition."""

from functions.valuation.repository import runs
from functions.valuation.repository.runs import RunRecord
from functions.valuation.schemas.runs import RunPartition, ValuationRunRequest
from functions.valuation.service import model_selection
from shared.db import unit_of_work
from shared.evidence import evidence_version
from shared.jobs import RunningJob

MAX_PARTITION_PROPERTIES = 10_000
"""Choice: at 2,400 to 4,500 properties a second a partition takes seconds of its function's 15 minutes."""


def plan_run(job: RunningJob) -> list[RunPartition]:
    """Plan a run and divide its properties into partitions. Raises Conflict, Unprocessable without a model."""
    request = ValuationRunRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        models = model_selection.models_by_class(connection, job.county_id, request.model_id, request.valuation_date)
        partitions, properties = runs.plan(connection, job.county_id, request.filter, MAX_PARTITION_PROPERTIES)
        version = evidence_version(connection, job.county_id)
        record = RunRecord(job.job_id, request.valuation_date, models, version, properties)
        runs.add(connection, job.county_id, record)
    return partitions
