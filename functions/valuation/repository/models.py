"""SQL of trained models and champions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from functions.valuation.job_kinds import VALUATION_MODEL
from functions.valuation.schemas.models import ChampionOf, Standing
from shared.contracts.valuation_model import ModelSummary
from shared.db.models import Job as JobRow
from shared.db.models import ValuationChampion as Champion
from shared.db.models import ValuationModel as Model
from shared.jobs.repository import newest_first


@dataclass(frozen=True)
class TrainedRecord:
    """A stored model: its summary, and the key of its artifact."""

    model_id: UUID
    valuation_date: date
    property_classes: tuple[str, ...] | None
    artifact_key: str
    artifact_digest: str
    summary: ModelSummary
    champion: bool

    def covers(self, property_class: str) -> bool:
        """True if the model learned from sales of that class."""
        return self.property_classes is None or property_class in self.property_classes


# of the table, not the class: an alias of that has SQLAlchemy set up every mapper, at each cold start
_assignment = Champion.__table__.alias("assignment").c
_IS_CHAMPION = (
    exists().where(_assignment.county_id == Model.county_id, _assignment.model_id == Model.model_id).correlate(Model)
)
_RECORD = (
    Model.model_id,
    Model.valuation_date,
    Model.property_classes,
    Model.artifact_key,
    Model.artifact_digest,
    Model.details,
    _IS_CHAMPION.label("champion"),
)
# one statement object for all calls: SQLAlchemy then has nothing to compare with what it compiled before
_FIND = select(*_RECORD).where(Model.county_id == bindparam("county"), Model.model_id == bindparam("model"))
_CHAMPION_FOR = (
    select(*_RECORD)
    .join(Champion, (Champion.county_id == Model.county_id) & (Champion.model_id == Model.model_id))
    .where(
        Champion.county_id == bindparam("county"),
        Champion.property_class.in_([bindparam("class"), ""]),
        Champion.valuation_date <= bindparam("on"),
        Champion.valuation_date >= bindparam("earliest"),
    )
    .order_by(Champion.property_class.desc(), Champion.valuation_date.desc())
    .limit(1)
)


def add(
    connection: Connection, county_id: str, model_id: UUID, summary: ModelSummary, *, artifact_key: str, by: str
) -> bool:
    """Store a trained model; False where one of that id was stored before, which is replaced."""
    values: dict[str, Any] = {
        "method": summary.method,
        "valuation_date": summary.valuation_date,
        "property_classes": None if summary.property_classes is None else list(summary.property_classes),
        "seed": summary.seed,
        "data_version": summary.training.data_version,
        "artifact_key": artifact_key,
        "artifact_digest": summary.artifact.sha256,
        "details": summary.model_dump(mode="json"),
        "created_by": by,
    }
    known = update(Model).where(Model.county_id == county_id, Model.model_id == model_id).values(**values)
    if connection.execute(known).rowcount:
        return False
    connection.execute(insert(Model).values(county_id=county_id, model_id=model_id, **values))
    return True


def find(connection: Connection, county_id: str, model_id: UUID) -> TrainedRecord | None:
    """A trained model, or None."""
    row = connection.execute(_FIND, {"county": county_id, "model": model_id}).one_or_none()
    return None if row is None else _record(row)


def champion_for(
    connection: Connection, county_id: str, property_class: str, on: date, earliest: date
) -> TrainedRecord | None:
    """The champion of a class (its own before that of every class) of the latest day in [earliest, on]."""
    row = connection.execute(
        _CHAMPION_FOR, {"county": county_id, "class": property_class, "on": on, "earliest": earliest}
    ).one_or_none()
    return None if row is None else _record(row)


def champion_days(connection: Connection, county_id: str, property_class: str) -> list[date]:
    """The valuation days for which a class, or every class, has a champion."""
    return list(
        connection.scalars(
            select(Champion.valuation_date).where(
                Champion.county_id == county_id, Champion.property_class.in_([property_class, ""])
            )
        )
    )


def champions(connection: Connection, county_id: str, on: date, earliest: date) -> dict[str, UUID]:
    """For each class that has one ("" is every other) the champion of the latest day in [earliest, on]."""
    rows = connection.execute(
        select(Champion.property_class, Champion.model_id)
        .where(
            Champion.county_id == county_id,
            Champion.valuation_date <= on,
            Champion.valuation_date >= earliest,
        )
        .ext(distinct_on(Champion.property_class))
        .order_by(Champion.property_class, Champion.valuation_date.desc())
    )
    return {row.property_class: row.model_id for row in rows}


def page(
    connection: Connection, county_id: str, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Row[*tuple[Any, ...]]]:
    """Jobs that train models, the newest first, each with its model's summary."""
    return list(connection.execute(newest_first(_jobs(county_id), before=before, limit=limit)))


def find_with_job(connection: Connection, county_id: str, model_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """One job that trains a model, with the model's summary."""
    return connection.execute(_jobs(county_id).where(JobRow.job_id == model_id)).one_or_none()


def _jobs(county_id: str) -> Any:
    return (
        select(JobRow.__table__, Model.details, Model.promoted_at, _IS_CHAMPION.label("champion"))
        .outerjoin(Model, (Model.county_id == JobRow.county_id) & (Model.model_id == JobRow.job_id))
        .where(JobRow.county_id == county_id, JobRow.kind == VALUATION_MODEL.name)
    )


def standing(row: Row[*tuple[Any, ...]]) -> Standing | None:
    """The standing of the model of a row of `page`; None for one that is not trained."""
    if row.details is None:
        return None
    if row.champion:
        return "champion"
    return "challenger" if row.promoted_at is None else "retired"


def champion_assignments(
    connection: Connection, county_id: str, model_ids: Collection[UUID]
) -> dict[UUID, list[ChampionOf]]:
    """The classes and days that each of the models is champion of."""
    rows = connection.execute(
        select(
            Champion.model_id,
            func.nullif(Champion.property_class, "").label("property_class"),
            Champion.valuation_date,
            Champion.promoted_by,
            Champion.promoted_at,
            Champion.override_reason,
        )
        .where(Champion.county_id == county_id, Champion.model_id.in_(model_ids))
        .order_by(Champion.property_class)
    )
    by_model: dict[UUID, list[ChampionOf]] = {}
    for row in rows:
        assignment = {name: value for name, value in row._mapping.items() if name != "model_id"}
        by_model.setdefault(row.model_id, []).append(ChampionOf.model_validate(assignment))
    return by_model


def lock_champions(connection: Connection, county_id: str) -> None:
    """Lock the county's champions until the transaction ends."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"champions/{county_id}"}
    )


def promote(
    connection: Connection, county_id: str, model: TrainedRecord, by: str, override_reason: str | None
) -> list[UUID]:
    """Make a model the champion of its classes and day. Returns the models that were before."""
    classes = list(model.property_classes or ("",))
    former_assignments = (
        Champion.county_id == county_id,
        Champion.valuation_date == model.valuation_date,
        Champion.property_class.in_(classes),
        Champion.model_id != model.model_id,
    )
    former = list(connection.scalars(select(Champion.model_id).where(*former_assignments).distinct()))
    connection.execute(delete(Champion).where(*former_assignments))
    connection.execute(
        insert(Champion)
        .values(
            [
                {
                    "county_id": county_id,
                    "property_class": name,
                    "valuation_date": model.valuation_date,
                    "model_id": model.model_id,
                    "promoted_by": by,
                    "override_reason": override_reason,
                }
                for name in classes
            ]
        )
        .on_conflict_do_nothing()
    )
    connection.execute(
        update(Model)
        .where(Model.county_id == county_id, Model.model_id == model.model_id)
        .values(promoted_at=func.coalesce(Model.promoted_at, func.now()))
    )
    return former


def _record(row: Row[*tuple[Any, ...]]) -> TrainedRecord:
    return TrainedRecord(
        model_id=row.model_id,
        valuation_date=row.valuation_date,
        property_classes=None if row.property_classes is None else tuple(row.property_classes),
        artifact_key=row.artifact_key,
        artifact_digest=row.artifact_digest,
        summary=ModelSummary.model_validate(row.details),
        champion=row.champion,
    )
