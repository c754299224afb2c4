"""SQL of webhooks and their deliveries."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from shared.db.models import Job, Webhook, WebhookDelivery

_WEBHOOK = tuple(column for column in Webhook.__table__.columns if column.name != "county_id")
_DELIVERY = tuple(WebhookDelivery.__table__.columns)


def add(connection: Connection, county_id: str, values: dict[str, Any]) -> bool:
    """Add a webhook; False where it is there."""
    statement = insert(Webhook).values(county_id=county_id, **values).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def find(connection: Connection, county_id: str, webhook_id: UUID, *, for_update: bool = False) -> Row[Any] | None:
    """A webhook."""
    statement = select(*_WEBHOOK).where(Webhook.county_id == county_id, Webhook.webhook_id == webhook_id)
    return connection.execute(statement.with_for_update() if for_update else statement).one_or_none()


def of_county(connection: Connection, county_id: str) -> Sequence[Row[Any]]:
    """The county's webhooks, the oldest first."""
    statement = select(*_WEBHOOK).where(Webhook.county_id == county_id)
    return connection.execute(statement.order_by(Webhook.created_at, Webhook.webhook_id)).all()


def change(connection: Connection, county_id: str, webhook_id: UUID, values: dict[str, Any]) -> None:
    """Change a webhook."""
    connection.execute(
        update(Webhook).where(Webhook.county_id == county_id, Webhook.webhook_id == webhook_id).values(**values)
    )


def remove(connection: Connection, county_id: str, webhook_id: UUID) -> None:
    """Delete a webhook with its deliveries."""
    for table in (WebhookDelivery, Webhook):
        connection.execute(delete(table).where(table.county_id == county_id, table.webhook_id == webhook_id))


def ended_job(connection: Connection, county_id: str, job_id: UUID | None, execution_arn: str) -> Row[Any] | None:
    """A job of whatever kind: of this id, or, where that is not known, the one that an execution worked on."""
    columns: Iterable[Any] = (
        *(Job.job_id, Job.kind, Job.status, Job.submitted_by),
        *(Job.created_at, Job.finished_at, Job.error),
    )
    which = Job.execution_arn == execution_arn if job_id is None else Job.job_id == job_id
    return connection.execute(select(*columns).where(Job.county_id == county_id, which)).one_or_none()


def add_delivery(
    connection: Connection, county_id: str, webhook_id: UUID, delivery_id: UUID, message: dict[str, Any]
) -> None:
    """Add a delivery, pending; one that is there stays as it is."""
    values = {"type": message["type"], "message": message, "status": "pending"}
    key = {"county_id": county_id, "webhook_id": webhook_id, "delivery_id": delivery_id}
    connection.execute(insert(WebhookDelivery).values(**key, **values).on_conflict_do_nothing())


def find_delivery(
    connection: Connection, county_id: str, webhook_id: UUID, delivery_id: UUID, *, for_update: bool = False
) -> Row[Any] | None:
    """A delivery."""
    statement = select(*_DELIVERY).where(*_one(county_id, webhook_id, delivery_id))
    return connection.execute(statement.with_for_update() if for_update else statement).one_or_none()


def change_delivery(
    connection: Connection, county_id: str, webhook_id: UUID, delivery_id: UUID, values: dict[str, Any]
) -> None:
    """Change a delivery."""
    connection.execute(update(WebhookDelivery).where(*_one(county_id, webhook_id, delivery_id)).values(**values))


def deliveries(
    connection: Connection,
    county_id: str,
    webhook_id: UUID,
    *,
    status: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """A webhook's deliveries, the newest first, after a key."""
    key = tuple_(WebhookDelivery.created_at, WebhookDelivery.delivery_id)
    statement = select(*_DELIVERY).where(
        WebhookDelivery.county_id == county_id, WebhookDelivery.webhook_id == webhook_id
    )
    if status is not None:
        statement = statement.where(WebhookDelivery.status == status)
    if after is not None:
        statement = statement.where(key < after)
    newest = (WebhookDelivery.created_at.desc(), WebhookDelivery.delivery_id.desc())
    return connection.execute(statement.order_by(*newest).limit(limit)).all()


def forget_deliveries(connection: Connection, county_id: str, webhook_id: UUID, kept: int) -> None:
    """Delete the deliveries that have ended, beyond the newest ones."""
    newest = (WebhookDelivery.created_at.desc(), WebhookDelivery.delivery_id.desc())
    of_webhook = (WebhookDelivery.county_id == county_id, WebhookDelivery.webhook_id == webhook_id)
    old = select(WebhookDelivery.delivery_id).where(*of_webhook).order_by(*newest).offset(kept)
    connection.execute(
        delete(WebhookDelivery).where(
            *of_webhook, WebhookDelivery.status != "pending", WebhookDelivery.delivery_id.in_(old)
        )
    )


def now(connection: Connection) -> datetime:
    """The time of the transaction."""
    moment: datetime = connection.execute(select(func.now())).scalar_one()
    return moment


def _one(county_id: str, webhook_id: UUID, delivery_id: UUID) -> Iterable[Any]:
    return (
        WebhookDelivery.county_id == county_id,
        WebhookDelivery.webhook_id == webhook_id,
        WebhookDelivery.delivery_id == delivery_id,
    )
