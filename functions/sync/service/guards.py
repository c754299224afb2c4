"""When a run waits for a person instead of being applied."""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.sync.schemas import GuardFinding, RunState, TableCounts
from functions.sync.service.context import RunContext

MOVING_SHARE = 0.01
"""A source whose count differs by more from what was read has changed while it was read."""


@dataclass(frozen=True)
class TableOutcome:
    """What was found of one table; `in_source` is None where the source was not counted again."""

    counts: TableCounts
    unchanged: bool
    in_source: int | None


def findings_of(context: RunContext, base: RunState | None, tables: dict[str, TableOutcome]) -> list[GuardFinding]:
    """Every reason to wait."""
    return [
        finding
        for name, table in tables.items()
        if not table.unchanged
        for finding in _of_table(context, base, name, table)
    ]


def _of_table(context: RunContext, base: RunState | None, name: str, table: TableOutcome) -> Iterator[GuardFinding]:
    counts, guards = table.counts, context.configuration.data_ingestion_settings.guards
    max_removed, max_rejected = float(guards.max_removed_share), float(guards.max_rejected_share)
    removed = counts.removed / counts.known if counts.known else 0.0
    if removed > max_removed:
        detail = f"{counts.removed:,} of {counts.known:,} known rows are no longer in the source"
        yield GuardFinding(guard="removed_share", table=name, detail=detail, share=removed, limit=max_removed)
    rejected = counts.rejected / counts.read if counts.read else 0.0
    if rejected > max_rejected:
        detail = f"{counts.rejected:,} of {counts.read:,} rows were rejected"
        yield GuardFinding(guard="rejected_share", table=name, detail=detail, share=rejected, limit=max_rejected)
    before = base.tables[name].read if base is not None and name in base.tables else 0
    shrunken = (before - counts.read) / before if before else 0.0
    if shrunken > max_removed:
        detail = f"the source has {counts.read:,} rows, and had {before:,}"
        yield GuardFinding(guard="shrunken_table", table=name, detail=detail, share=shrunken, limit=max_removed)
    if table.in_source is not None and abs(table.in_source - counts.read) > MOVING_SHARE * counts.read:
        detail = f"{counts.read:,} rows were read, and the source has {table.in_source:,} now"
        share = abs(table.in_source - counts.read) / counts.read if counts.read else 1.0
        yield GuardFinding(guard="moving_source", table=name, detail=detail, share=share, limit=MOVING_SHARE)
    yield from _dropped_columns(context, base, name)


def _dropped_columns(context: RunContext, base: RunState | None, name: str) -> Iterator[GuardFinding]:
    before = base.source_shape.get(name) if base is not None else None
    now = context.run.source_shape[name]
    # another query or table of the mapping's has columns of its own
    if before is None or before.reads != now.reads:
        return
    dropped = sorted(set(before.columns) - set(now.columns))
    if dropped:
        detail = f"the source no longer has: {', '.join(dropped)}"
        yield GuardFinding(guard="dropped_column", table=name, detail=detail)
