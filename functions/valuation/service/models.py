"""Trained models: listing, one model, promotion."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from functions.valuation.job_kinds import VALUATION_MODEL
from functions.valuation.repository import models
from functions.valuation.schemas.models import ChampionOf, PromoteModel, ValuationModel, ValuationModelRequest
from functions.valuation.service.valuation_dates import require_within_horizon
from shared import audit, jobs
from shared.access import Caller
from shared.contracts.valuation_model import ModelSummary
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.lifecycle import as_job
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, NotFound


def require_date_within_horizon(_county_id: str, request: ValuationModelRequest) -> None:
    """Raise Unprocessable for a valuation date too far ahead."""
    require_within_horizon(request.valuation_date)


def page(county_id: str, *, page_size: int, page_token: str | None) -> Page[ValuationModel]:
    """The county's models, the newest first."""
    query = ["valuation-models", county_id]
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        before = decode_token(query, page_token, datetime.fromisoformat, UUID)
        rows = models.page(connection, county_id, before=before, limit=page_size + 1)
        assignments = models.champion_assignments(connection, county_id, [row.job_id for row in rows])
    if jobs.fail_orphans(county_id, rows):
        return page(county_id, page_size=page_size, page_token=page_token)
    items = [_to_model(county_id, row, assignments.get(row.job_id, ())) for row in rows[:page_size]]
    last = items[-1] if len(rows) > page_size else None
    token = encode_token(query, [last.created_at.isoformat(), str(last.id)]) if last else None
    return Page[ValuationModel](items=items, next_page_token=token)


def get(county_id: str, model_id: UUID) -> ValuationModel:
    """One model. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        row = models.find_with_job(connection, county_id, model_id)
        assignments = models.champion_assignments(connection, county_id, [model_id])
    if row is None:
        raise NotFound(f"{county_id} has no valuation model {model_id}.", slug="model-not-found")
    if jobs.fail_orphans(county_id, [row]):
        return get(county_id, model_id)
    return _to_model(county_id, row, assignments.get(model_id, ()))


def promote(county_id: str, model_id: UUID, request: PromoteModel, *, caller: Caller) -> ValuationModel:
    """Make a model the champion of its classes as of its day, in place of the one before. Idempotent.

    Raises NotFound, Conflict for a model that is not trained, or whose hold-out does not meet the
    standard where no reason is given to promote it all the same.
    """
    model = get(county_id, model_id)
    if model.model is None:
        raise Conflict(f"The model is {model.status}: only a trained one is promoted.", slug="model-not-trained")
    _require_standard_met(model.model, request)
    with unit_of_work(county_id) as connection:
        models.lock_champions(connection, county_id)
        record = models.find(connection, county_id, model_id)
        assignments = models.champion_assignments(connection, county_id, [model_id]).get(model_id, [])
        if record is not None and len(assignments) < len(record.property_classes or ("",)):
            former = models.promote(connection, county_id, record, caller.username, request.override_reason)
            audit.record(
                connection,
                county_id,
                caller.username,
                "valuation_model.promoted",
                f"valuation-models/{model_id}",
                {
                    "valuation_date": str(record.valuation_date),
                    "property_classes": record.property_classes,
                    "override_reason": request.override_reason,
                },
                old={"champions": [str(champion) for champion in former]},
                new={"champions": [str(model_id)]},
            )
    return get(county_id, model_id)


def _require_standard_met(model: ModelSummary, request: PromoteModel) -> None:
    if model.meets_standard or request.override_reason is not None:
        return
    raise Conflict(
        "The model's hold-out does not meet the standard. "
        + " ".join(model.findings)
        + " Say in override_reason why it is promoted all the same.",
        slug="hold-out-below-standard",
    )


def _to_model(county_id: str, row: Row[*tuple[Any, ...]], assignments: Sequence[ChampionOf]) -> ValuationModel:
    return ValuationModel(
        **as_job(county_id, VALUATION_MODEL, row).model_dump(),
        standing=models.standing(row),
        champion_of=tuple(assignments),
        model=None if row.details is None else ModelSummary.model_validate(row.details),
    )
