"""SQL of what brought a property's values: runs, valuations, appeals, overrides, audit events."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Integer, Row, func, select

from functions.properties.schemas.value_explanation import AppealCause, StandingOverride, ValuationCause
from shared.db.models import (
    Appeal,
    AuditEvent,
    FieldOverride,
    PropertyOperational,
    SyncRun,
    Upload,
    ValuationApproval,
    ValuationChampion,
    ValuationModel,
    ValuationRun,
    ValuationRunResult,
)

_TABLE = PropertyOperational.__tablename__
_CENT = Decimal("0.01")


def runs(connection: Connection, county_id: str, ids: Collection[UUID]) -> dict[UUID, Row[*tuple[Any, ...]]]:
    """Sync runs by id: mode, trigger, applied_at, approval_reason, and the filename of an upload's."""
    rows = connection.execute(
        select(
            SyncRun.run_id,
            SyncRun.mode,
            SyncRun.trigger,
            SyncRun.applied_at,
            SyncRun.approval_reason,
            Upload.filename,
        )
        .join_from(
            SyncRun,
            Upload,
            (Upload.county_id == SyncRun.county_id) & (Upload.upload_id == SyncRun.upload_id),
            isouter=True,
        )
        .where(SyncRun.county_id == county_id, SyncRun.run_id.in_(ids))
    )
    return {row.run_id: row for row in rows}


def valuations(
    connection: Connection, county_id: str, property_id: str, approval_ids: Collection[UUID]
) -> dict[UUID, ValuationCause]:
    """The values that approvals brought to a property, by approval."""
    result, model, champion = ValuationRunResult, ValuationModel, ValuationChampion
    promoted = (
        select(champion.county_id, champion.model_id, champion.promoted_by, champion.override_reason)
        .distinct(champion.model_id)
        .where(champion.county_id == county_id)
        .order_by(champion.model_id, champion.promoted_at.desc())
        .subquery()
    )
    rows = connection.execute(
        select(
            ValuationApproval.approval_id,
            ValuationApproval.roll_year,
            ValuationRun.valuation_date,
            result.model_id,
            model.method,
            promoted.c.promoted_by,
            promoted.c.override_reason.label("promotion_reason"),
            result.estimate,
            result.lower,
            result.upper,
            result.review,
        )
        .join_from(
            ValuationApproval,
            ValuationRun,
            (ValuationRun.county_id == county_id) & (ValuationRun.run_id == ValuationApproval.run_id),
        )
        .outerjoin(
            result,
            (result.county_id == county_id)
            & (result.run_id == ValuationApproval.run_id)
            & (result.property_id == property_id),
        )
        .outerjoin(model, (model.county_id == county_id) & (model.model_id == result.model_id))
        .outerjoin(promoted, promoted.c.model_id == result.model_id)
        .where(ValuationApproval.county_id == county_id, ValuationApproval.approval_id.in_(approval_ids))
    )
    names = ValuationCause.model_fields
    return {row.approval_id: ValuationCause(**{name: getattr(row, name) for name in names}) for row in rows}


def appeals(connection: Connection, county_id: str, ids: Collection[UUID]) -> dict[UUID, AppealCause]:
    """Decisions of appeals, by appeal."""
    columns = [getattr(Appeal, name) for name in AppealCause.model_fields]
    rows = connection.execute(
        select(Appeal.appeal_id, *columns).where(Appeal.county_id == county_id, Appeal.appeal_id.in_(ids))
    )
    return {row.appeal_id: AppealCause(**{n: getattr(row, n) for n in AppealCause.model_fields}) for row in rows}


def overrides(
    connection: Connection, county_id: str, property_id: str, fields: Collection[str]
) -> dict[str, StandingOverride]:
    """The overrides that stand on a property's fields, by field."""
    columns = [getattr(FieldOverride, name) for name in StandingOverride.model_fields]
    rows = connection.execute(
        select(FieldOverride.field, *columns).where(
            FieldOverride.county_id == county_id,
            FieldOverride.table_name == _TABLE,
            FieldOverride.row_key == property_id,
            FieldOverride.field.in_(fields),
            FieldOverride.ended_at.is_(None),
        )
    )
    return {
        row.field: StandingOverride(
            value=_money(row.value),
            source_value=_money(row.source_value),
            origin=row.origin,
            made_by=row.made_by,
            made_at=row.made_at,
        )
        for row in rows
    }


def edit_events(connection: Connection, county_id: str, property_id: str) -> dict[int, int]:
    """The audit events of edits, by the version that each made."""
    version = AuditEvent.details["version"].astext.cast(Integer)
    rows = connection.execute(
        select(version.label("version"), AuditEvent.event_id).where(
            AuditEvent.county_id == county_id,
            AuditEvent.subject == f"properties/{property_id}",
            AuditEvent.action == "property.edited",
        )
    )
    return {row.version: row.event_id for row in rows}


def decision_events(connection: Connection, county_id: str, subjects: Collection[str]) -> dict[str, int]:
    """The last audit event of each of these subjects."""
    rows = connection.execute(
        select(AuditEvent.subject, func.max(AuditEvent.event_id).label("event_id"))
        .where(AuditEvent.county_id == county_id, AuditEvent.subject.in_(subjects))
        .group_by(AuditEvent.subject)
    )
    return {row.subject: row.event_id for row in rows}


def _money(value: float | None) -> Decimal | None:
    """An amount that is kept as a JSON number."""
    return None if value is None else Decimal(str(value)).quantize(_CENT)
