"""The audit trail: who changed what, written in the transaction of the change."""

from typing import Any, Literal, NewType

from pg8000.native import literal
from sqlalchemy import Connection, insert

from shared.db.models import AuditEvent
from shared.observability.correlation import correlation_id, source_address

ResourceAction = Literal[
    "appeal.decided",
    "appeal.document_added",
    "appeal.document_received",
    "appeal.filed",
    "appeal.heard",
    "appeal.reviewed",
    "appeal.scheduled",
    "appeal.stipulated",
    "appeal.withdrawn",
    "county.configured",
    "county.file_announced",
    "county.mapping_replaced",
    "county.onboarded",
    "district_layer.closed",
    "district_layer.loaded",
    "exemption.applied",
    "exemption.denied",
    "exemption.document_added",
    "exemption.ended",
    "exemption.granted",
    "exemption.renewed",
    "exemption.withdrawn",
    "key.made",
    "key.revoked",
    "notice_batch.sent",
    "notice_template.replaced",
    "property.edited",
    "report.approved",
    "roll.certified",
    "roll.check_waived",
    "roll.closed",
    "roll.corrected",
    "roll.reopened",
    "roll.supplement_certified",
    "roll.waiver_withdrawn",
    "sale.decided",
    "schedule.changed",
    "schedule.created",
    "schedule.deleted",
    "schedule.stopped",
    "state_submission.made",
    "sync.applied",
    "sync.approved",
    "sync.assessments_gave_way",
    "sync.replay_requested",
    "sync.requested",
    "sync.resumed",
    "sync.roll_back_requested",
    "sync.rolled_back",
    "upload.approved",
    "upload.confirmed",
    "upload.created",
    "upload.inspected",
    "upload.refused",
    "upload.rejected",
    "user.disabled",
    "user.enabled",
    "user.invitation_sent",
    "user.invited",
    "user.password_reset",
    "user.removed",
    "user.role_changed",
    "valuation.made",
    "valuation_model.promoted",
    "valuation_model.trained",
    "valuation_run.approval_undone",
    "valuation_run.approved",
    "values.written_back",
    "webhook.changed",
    "webhook.created",
    "webhook.deleted",
    "webhook.disabled",
    "webhook.replayed",
    "webhook.tested",
]
"""Actions other than the cancelling of a job."""

JobAction = NewType("JobAction", str)
"""An action on jobs, of which every kind has the same."""

Action = ResourceAction | JobAction
"""An action that the audit trail can hold."""


def cancelled(kind_name: str) -> JobAction:
    """The action of cancelling a job of the kind of this name."""
    return JobAction(f"{kind_name}.cancelled")


def record(
    connection: Connection,
    county_id: str,
    actor: str,
    action: Action,
    subject: str,
    details: dict[str, Any],
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    """Record an event; `subject` is written like `properties/0123059127`.

    `old` and `new` have the changed fields before and after, by name; `details` what else there is to say. The caller's
    address and the request's id are those of the request or task that runs now.
    """
    connection.execute(
        insert(AuditEvent).values(
            county_id=county_id,
            actor=actor,
            action=action,
            subject=subject,
            details=details,
            old=old,
            new=new,
            address=source_address(),
            request_id=correlation_id(),
        )
    )


def record_count_sql(county_id: str, actor: str, action: Action, subject: str, unit: str, change: str) -> str:
    """SQL that changes rows and records their number in the audit trail as `{unit: number}`; nothing for none.

    `actor` does `action` to `subject`; `change` is an INSERT, UPDATE or DELETE without parameters. For a script that
    the server executes by itself.
    """
    texts = (county_id, actor, action, subject, source_address(), correlation_id())
    event = ", ".join("NULL" if value is None else literal(value) for value in texts)
    return (
        f"WITH changed AS ({change} RETURNING 1)"  # noqa: S608 - literals, and a statement of ours
        " INSERT INTO audit_events (county_id, actor, action, subject, address, request_id, details)"
        f" SELECT {event}, jsonb_build_object({literal(unit)}, count(*)) FROM changed HAVING count(*) > 0"
    )
