"""Why a property's values are what they are: from its versions, their authors, and what those decided by."""

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

from sqlalchemy import Connection

from functions.properties.repository import value_causes, versions
from functions.properties.repository.versions import VersionRow
from functions.properties.schemas.parcels import VersionAuthor
from functions.properties.schemas.value_explanation import (
    ExplainedValue,
    SyncCause,
    ValueExplanation,
    ValueField,
    ValueStep,
)
from functions.properties.service.history import Authors
from shared.db import snapshot
from shared.db.models import PropertyOperational
from shared.db.tenancy import require_onboarded
from shared.problems import NotFound

_FIELDS: tuple[ValueField, ...] = get_args(ValueField)


def explain(county_id: str, property_id: str) -> ValueExplanation:
    """A property's values, each with every step that brought it. Raises NotFound."""
    with snapshot(county_id) as connection:
        rows = versions.every(connection, PropertyOperational, "property_id", county_id, property_id=property_id)
        if not rows:
            require_onboarded(connection, county_id)
            raise NotFound(f"{county_id} has no property {property_id}.", slug="property-not-found")
        causes = _Causes(connection, county_id, property_id, rows)
        standing = value_causes.overrides(connection, county_id, property_id, _FIELDS)
    return ValueExplanation(
        property_id=property_id,
        version=rows[0].version,
        values=[
            ExplainedValue(
                field=name, value=getattr(rows[0], name), override=standing.get(name), steps=causes.steps_of(name)
            )
            for name in _FIELDS
        ],
    )


class _Causes:
    """The authors of a property's versions, and what each decided by. `rows` are newest first."""

    def __init__(self, connection: Connection, county_id: str, property_id: str, rows: Sequence[VersionRow]) -> None:
        self._rows = rows
        made_by = Authors(connection, county_id, PropertyOperational, rows)
        earlier: list[VersionRow | None] = [*rows[1:], None]
        self._authors = [made_by.of(row, before) for row, before in zip(rows, earlier, strict=True)]
        run_ids = self._ids("sync_run_id")
        appeal_ids = self._ids("appeal_id")
        self._runs = value_causes.runs(connection, county_id, run_ids)
        self._valuations = value_causes.valuations(connection, county_id, property_id, self._ids("approval_id"))
        self._appeals = value_causes.appeals(connection, county_id, appeal_ids)
        self._edits = value_causes.edit_events(connection, county_id, property_id)
        subjects = {subject for author in self._authors if (subject := _subject(author)) is not None}
        self._events = value_causes.decision_events(connection, county_id, subjects)

    def steps_of(self, field: ValueField) -> list[ValueStep]:
        """The versions that changed a field, newest first."""
        values = [getattr(row, field) for row in self._rows]
        return [
            self._step(index, values[index])
            for index in range(len(values))
            if index == len(values) - 1 or values[index] != values[index + 1]
        ]

    def _step(self, index: int, value: object) -> ValueStep:
        row, author = self._rows[index], self._authors[index]
        run = self._runs.get(author.sync_run_id) if author.sync_run_id is not None else None
        subject = _subject(author)
        event_id = self._edits.get(row.version) if author.kind == "edit" else self._events.get(subject or "")
        return ValueStep.model_validate(
            {
                "value": value,
                "version": row.version,
                "since": row.valid_from,
                "author": author,
                "sync": None
                if run is None
                else SyncCause(
                    source_system=row.source_system,
                    row_hash=row.row_hash,
                    mode=run.mode,
                    trigger=run.trigger,
                    applied_at=run.applied_at,
                    approval_reason=run.approval_reason,
                    filename=run.filename,
                ),
                "valuation": self._valuations.get(author.approval_id) if author.approval_id is not None else None,
                "appeal": self._appeals.get(author.appeal_id) if author.appeal_id is not None else None,
                "audit_event_id": event_id,
            }
        )

    def _ids(self, name: str) -> set[UUID]:
        return {value for author in self._authors if (value := getattr(author, name)) is not None}


def _subject(author: VersionAuthor) -> str | None:
    """The subject of the events of who made a version."""
    if author.appeal_id is not None:
        return f"appeals/{author.appeal_id}"
    if author.valuation_run_id is not None:
        return f"valuation-runs/{author.valuation_run_id}"
    return None if author.sync_run_id is None else f"sync-runs/{author.sync_run_id}"
