"""Training and promoting through the handlers, for the tests of what models do."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from functions.valuation.handler import handler
from functions.valuation.tasks.training import handler as task
from shared.counties.configuration import ValuationSettings
from shared.db import unit_of_work
from shared.db.models import Job, ValuationModel
from tests.gateway import Answer, call
from tests.integration.evidence_county import COUNTY
from tests.job_cloud import run_task

MODELS = "/v1/counties/{county_id}/valuation-models"
ON = "2023-10-01"
REVIEW_BELOW = float(ValuationSettings().review_below_confidence)


def asked(body: dict[str, Any] | None = None, county_id: str = COUNTY, **options: Any) -> Answer:
    """POST a model."""
    given = {"valuation_date": ON} if body is None else body
    return call(handler, "POST", MODELS, path={"county_id": county_id}, body=given, **options)


def model(model_id: str, part: str = "", county_id: str = COUNTY, **options: Any) -> Answer:
    """GET a model or what belongs to it."""
    path = {"county_id": county_id, "model_id": model_id}
    return call(handler, "GET", MODELS + "/{model_id}" + part, path=path, **options)


def trained(body: dict[str, Any] | None = None, county_id: str = COUNTY, **options: Any) -> str:
    """The id of a model that has been trained."""
    model_id: str = asked(body, county_id, **options).body["id"]
    answer = run_task(task, county_id, "valuation_model", model_id)
    assert answer == {"status": "succeeded"}, model(model_id, county_id=county_id, **options).body
    return model_id


def another(model_id: str, **changes: Any) -> str:
    """The id of a second record of a trained model, as if it had been trained for other classes or another day."""
    with unit_of_work(COUNTY) as connection:
        record = dict(
            connection.execute(select(ValuationModel.__table__).where(ValuationModel.model_id == UUID(model_id)))
            .mappings()
            .one()
        )
        job = dict(connection.execute(select(Job.__table__).where(Job.job_id == UUID(model_id))).mappings().one())
        made = uuid4()
        values = {key: value for key, value in changes.items() if key in record}
        connection.execute(insert(Job), [job | {"job_id": made, "created_at": datetime.now(UTC)}])
        connection.execute(insert(ValuationModel), [record | {"model_id": made, "promoted_at": None} | values])
    return str(made)


def promoted(model_id: str, reason: str | None = "for the test", county_id: str = COUNTY, **options: Any) -> Answer:
    """POST a promotion; with a reason, because a small synthetic county may miss a range."""
    path = {"county_id": county_id, "model_id": model_id}
    body = {} if reason is None else {"override_reason": reason}
    return call(handler, "POST", MODELS + "/{model_id}/promote", path=path, body=body, **options)
