"""Versions as people read them: when each held, whose doing it was, and what it changed."""

from collections.abc import Sequence
from typing import Any

from functions.properties.repository.versions import VersionRow
from functions.properties.schemas import FieldChange, PropertyVersion
from shared.db.models import PROVENANCE, VERSION_ENDS


def versions_of(rows: Sequence[VersionRow], skipped: set[str]) -> list[PropertyVersion]:
    """The versions of one row, newest first, from its rows in that order."""
    earlier: list[VersionRow | None] = [*rows[1:], None]
    return [
        PropertyVersion(
            version=row.version,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            sync_run_id=row.sync_run_id,
            retired=row.retired_at is not None,
            changes=_changes(before, row, skipped) if before is not None else {},
        )
        for row, before in zip(rows, earlier, strict=True)
    ]


def _changes(before: VersionRow, after: VersionRow, skipped: set[str]) -> dict[str, FieldChange]:
    passed_over = PROVENANCE | VERSION_ENDS | skipped
    old: dict[str, Any] = dict(before._mapping)
    return {
        name: FieldChange(old=old[name], new=new)
        for name, new in after._mapping.items()
        if name not in passed_over and old[name] != new
    }
