"""When a run waits for a person instead of being applied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from functions.sync.engine.run_context import RunContext
from functions.sync.schemas import GuardFinding, RunState, SourceNote, TableCounts, TablePlan
from shared.rolls.closing import ClosedRoll

MOVING_SHARE = 0.01
"""A source whose count differs by more from what was read has changed while it was read."""


@dataclass(frozen=True)
class TableOutcome:
    """What was found of one table.

    `unchanged`: there is nothing to apply, nor to close in quarantine. `in_source` is None where the source was not
    counted again. `closed`: how many rows of closed rolls would change. `values`: what speaks
    against the values that rows get.
    """

    counts: TableCounts
    unchanged: bool
    in_source: int | None
    closed: Mapping[ClosedRoll, int] = field(default_factory=dict)
    values: tuple[GuardFinding, ...] = ()


def findings_of(
    context: RunContext, before: Mapping[str, RunState | None], tables: dict[str, TableOutcome]
) -> list[GuardFinding]:
    """Every reason to wait; `before` has each table's last whole reading."""
    return [
        finding
        for name, table in tables.items()
        if not table.unchanged
        for finding in _of_table(context, before.get(name), name, table)
    ]


def notes_of(context: RunContext, before: Mapping[str, RunState | None]) -> list[SourceNote]:
    """How the source's columns differ from those of each table's last whole reading."""
    return [
        note
        for name, plan in context.run.plan.items()
        if (base := before.get(name)) is not None and name in base.plan
        for note in _columns_of(name, base.plan[name], plan)
    ]


def _columns_of(name: str, before: TablePlan, now: TablePlan) -> Iterator[SourceNote]:
    if before.reads != now.reads and before.columns.keys() != now.columns.keys():
        return  # another query or table of the mapping's; a key of another type reads differently too
    for column, type_ in sorted(now.columns.items()):
        if column not in before.columns:
            detail = f"the source has a new column {column} ({type_})"
            yield SourceNote(note="new_column", table=name, column=column, detail=detail)
        elif before.columns[column] != type_:
            detail = f"{column} is {type_} by now, and was {before.columns[column]}"
            yield SourceNote(note="changed_type", table=name, column=column, detail=detail)


def _of_table(context: RunContext, base: RunState | None, name: str, table: TableOutcome) -> Iterator[GuardFinding]:
    yield from _removed(context, name, table.counts)
    yield from _rejected(context, name, table.counts)
    yield from _closed_rolls(name, table)
    yield from table.values
    if table.counts.read_by == "whole":
        yield from _shrunken(context, base, name, table.counts)
        yield from _moving(name, table)
    if table.counts.read_by != "quarantine":
        yield from _dropped_columns(context, base, name)


def _removed(context: RunContext, name: str, counts: TableCounts) -> Iterator[GuardFinding]:
    limit = float(context.configuration.data_ingestion_settings.guards.max_removed_share)
    removed = counts.removed / counts.known if counts.known else 0.0
    if removed > limit:
        detail = f"{counts.removed:,} of {counts.known:,} known rows are no longer in the source"
        yield GuardFinding(guard="removed_share", table=name, detail=detail, share=removed, limit=limit)


def _rejected(context: RunContext, name: str, counts: TableCounts) -> Iterator[GuardFinding]:
    """Of a few rows that changed, one bad one is a large share: what counts then is its share of the known ones."""
    limit = float(context.configuration.data_ingestion_settings.guards.max_rejected_share)
    of = counts.read if counts.read_by == "whole" else max(counts.read, counts.known)
    rejected = counts.rejected / of if of else 0.0
    if rejected > limit:
        detail = f"{counts.rejected:,} of {of:,} rows were rejected"
        yield GuardFinding(guard="rejected_share", table=name, detail=detail, share=rejected, limit=limit)


def _closed_rolls(name: str, table: TableOutcome) -> Iterator[GuardFinding]:
    """No county can allow this: what a closed roll came to is what was certified."""
    for closed, rows in table.closed.items():
        detail = f"{rows:,} rows of {closed}, would change; approved, they become a numbered correction of that roll"
        yield GuardFinding(guard="closed_roll", table=name, detail=detail, roll_year=closed.roll_year, rows=rows)


def _shrunken(context: RunContext, base: RunState | None, name: str, counts: TableCounts) -> Iterator[GuardFinding]:
    limit = float(context.configuration.data_ingestion_settings.guards.max_removed_share)
    before = base.tables[name].read if base is not None and name in base.tables else 0
    shrunken = (before - counts.read) / before if before else 0.0
    if shrunken > limit:
        detail = f"the source has {counts.read:,} rows, and had {before:,}"
        yield GuardFinding(guard="shrunken_table", table=name, detail=detail, share=shrunken, limit=limit)


def _moving(name: str, table: TableOutcome) -> Iterator[GuardFinding]:
    read = table.counts.read
    if table.in_source is not None and abs(table.in_source - read) > MOVING_SHARE * read:
        detail = f"{read:,} rows were read, and the source has {table.in_source:,} now"
        share = abs(table.in_source - read) / read if read else 1.0
        yield GuardFinding(guard="moving_source", table=name, detail=detail, share=share, limit=MOVING_SHARE)


def _dropped_columns(context: RunContext, base: RunState | None, name: str) -> Iterator[GuardFinding]:
    before = base.plan.get(name) if base is not None else None
    now = context.run.plan[name]
    # another query or table of the mapping's has columns of its own
    if before is None or before.reads != now.reads:
        return
    dropped = sorted(set(before.columns) - set(now.columns))
    if dropped:
        detail = f"the source no longer has: {', '.join(dropped)}"
        yield GuardFinding(guard="dropped_column", table=name, detail=detail)
