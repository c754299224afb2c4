"""Versions as people read them: when each held, whose doing it was, and what it changed."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from functions.properties.repository import authors
from functions.properties.repository.versions import VersionRow
from functions.properties.schemas.parcels import FieldChange, PropertyVersion, VersionAuthor
from shared.db.models import PROVENANCE, VERSION_ENDS, SyncedModel, key_column
from shared.precedence.field_changes import changed_fields


class Authors:
    """Who made the versions of some rows of one table."""

    def __init__(self, connection: Connection, county_id: str, model: SyncedModel, rows: Sequence[VersionRow]) -> None:
        self._key = key_column(model)
        keys = {getattr(row, self._key) for row in rows}
        ids = {run_id for row in rows for run_id in (row.sync_run_id, row.superseded_by_run) if run_id is not None}
        self._runs = authors.of_runs(connection, county_id, ids)
        self._edits = authors.of_edits(connection, county_id, model, keys)

    def of(self, row: VersionRow, before: VersionRow | None) -> VersionAuthor:
        """Whoever superseded the version before, or made the first one."""
        made_by: UUID | None = row.sync_run_id if before is None else before.superseded_by_run
        if made_by is None:
            return VersionAuthor(kind="edit", by=self._edits.get((getattr(row, self._key), row.version)))
        author = self._runs.get(made_by, VersionAuthor(kind="sync", by=None, sync_run_id=made_by))
        return author.model_copy(update={"source": row.source_system}) if author.kind == "sync" else author


def versions_of(rows: Sequence[VersionRow], made_by: Authors, skipped: set[str]) -> list[PropertyVersion]:
    """The versions of one row, newest first, from its rows in that order."""
    earlier: list[VersionRow | None] = [*rows[1:], None]
    return [
        PropertyVersion(
            version=row.version,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            author=made_by.of(row, before),
            sync_run_id=row.sync_run_id,
            retired=row.retired_at is not None,
            changes=_changes(before, row, skipped) if before is not None else {},
        )
        for row, before in zip(rows, earlier, strict=True)
    ]


def _changes(before: VersionRow, after: VersionRow, skipped: set[str]) -> dict[str, FieldChange]:
    passed_over = PROVENANCE | VERSION_ENDS | skipped
    old, new = (_without(row._mapping, passed_over) for row in (before, after))
    return {name: FieldChange(old=was, new=now) for name, (was, now) in changed_fields(old, new).items()}


def _without(row: Mapping[Any, Any], names: frozenset[str] | set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
