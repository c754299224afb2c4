"""SQL of comparable-sales models, one for each class and valuation day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from functions.valuation.schemas.models import ComparablesModel
from shared.db.models import ValuationComparablesModel as Model

MAX_MODELS_PER_COUNTY = 60
"""Choice: five classes as of twelve days. Beyond them the oldest goes; it is fitted again when needed, in seconds."""

_REFIT_INTERVAL = "1 day"
"""Choice: changes of sold parcels are learned once a day at most, as counties sync; changes of sales at once."""


@dataclass(frozen=True)
class ComparablesRecord:
    """A stored model: its job's id, its artifact, and the version of the sales it was fitted to.

    `outdated` says that the county's data was synced since, and that the model is over a day old.
    """

    model_id: UUID
    sales_version: str
    artifact_key: str
    artifact_digest: str
    summary: ComparablesModel
    outdated: bool


_FIND = select(
    Model.model_id,
    Model.sales_version,
    Model.artifact_key,
    Model.artifact_digest,
    Model.details,
    text(
        f"(read_at < now() - interval '{_REFIT_INTERVAL}' AND EXISTS (SELECT FROM sync_runs r"
        " WHERE r.county_id = valuation_comparables_models.county_id"
        " AND r.applied_at > valuation_comparables_models.read_at)) AS outdated"
    ),
).where(
    Model.county_id == bindparam("county"),
    Model.property_class == bindparam("class"),
    Model.valuation_date == bindparam("on"),
)


def find(connection: Connection, county_id: str, property_class: str, on: date) -> ComparablesRecord | None:
    """The model of a class ("" is every class) and a day, or None."""
    row = connection.execute(_FIND, {"county": county_id, "class": property_class, "on": on}).one_or_none()
    if row is None:
        return None
    return ComparablesRecord(
        row.model_id,
        row.sales_version,
        row.artifact_key,
        row.artifact_digest,
        ComparablesModel.model_validate(row.details),
        bool(row.outdated),
    )


def save(
    connection: Connection, county_id: str, record: ComparablesRecord, read_at: datetime
) -> tuple[bool, Sequence[str]]:
    """Store the model of a class and day, unless one of later sales is stored already.

    Returns True if it was stored, and the keys of artifacts that no record names any more.
    """
    summary = record.summary
    key = (
        Model.county_id == county_id,
        Model.property_class == summary.property_class,
        Model.valuation_date == summary.valuation_date,
    )
    former = list(connection.scalars(select(Model.artifact_key).where(*key, Model.model_id != record.model_id)))
    values = {
        "model_id": record.model_id,
        "sales_version": record.sales_version,
        "artifact_key": record.artifact_key,
        "artifact_digest": record.artifact_digest,
        "details": summary.model_dump(mode="json"),
        "read_at": read_at,
    }
    statement = insert(Model).values(
        county_id=county_id, property_class=summary.property_class, valuation_date=summary.valuation_date, **values
    )
    stored = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["county_id", "property_class", "valuation_date"],
            set_=values,
            where=Model.read_at <= read_at,
        )
    ).rowcount
    if not stored:
        return False, (record.artifact_key,)
    return True, [*former, *_drop_oldest(connection, county_id)]


def _drop_oldest(connection: Connection, county_id: str) -> list[str]:
    latest = (
        select(Model.model_id)
        .where(Model.county_id == county_id)
        .order_by(Model.read_at.desc())
        .limit(MAX_MODELS_PER_COUNTY)
    ).scalar_subquery()
    return list(
        connection.scalars(
            delete(Model)
            .where(Model.county_id == county_id, Model.model_id.not_in(latest))
            .returning(Model.artifact_key)
        )
    )


def has_more_sales(connection: Connection, county_id: str, on: date, number: int) -> bool:
    """True if the county has more than `number` current sales before a day, valid or not; cheap to tell."""
    rows = connection.execute(
        text(
            "SELECT count(*) FROM (SELECT FROM sales WHERE county_id = :county_id AND retired_at IS NULL"
            " AND sale_date < :on LIMIT :limit) s"
        ),
        {"county_id": county_id, "on": on, "limit": number + 1},
    )
    return int(rows.scalar_one()) > number


def transaction_time(connection: Connection) -> datetime:
    """The transaction's begin by the database's clock."""
    moment: datetime = connection.execute(select(func.now())).scalar_one()
    return moment
