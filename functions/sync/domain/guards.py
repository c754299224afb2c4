"""Guards: reasons for which a run waits for approval instead of being applied, judged by its counts and columns.

Those that look at the values of rows are in `engine.value_guards`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from functions.sync.domain.runs import RunState, TablePlan
from functions.sync.schemas.runs import SourceNote
from shared.contracts.sync_run import GuardFinding, TableCounts
from shared.counties.configuration import Guards
from shared.rolls.closing import ClosedRoll

MAX_COUNT_DRIFT = 0.01
"""Share of the rows read by which the source's count may differ afterwards. A choice: a county edits some rows an hour,
well below one in a hundred, while a table that is emptied and loaded anew differs by far more."""


@dataclass(frozen=True)
class TableOutcome:
    """Result of reconciling one table.

    `unchanged`: there is nothing to apply, and nothing to close in quarantine. `source_count` is None where the source
    was not counted again. `closed_rolls`: rows of closed rolls that would change, by roll. `value_findings`: findings
    of the guards on values.
    """

    counts: TableCounts
    unchanged: bool
    source_count: int | None
    closed_rolls: Mapping[ClosedRoll, int] = field(default_factory=dict)
    value_findings: tuple[GuardFinding, ...] = ()


def guard_findings(
    run: RunState,
    guards: Guards,
    earlier: Mapping[str, RunState | None],
    tables: Mapping[str, TableOutcome],
    roll_back: RunState | None = None,
) -> list[GuardFinding]:
    """Every reason to wait. `earlier` has the last run that read the whole table, by table; `roll_back` is the
    roll-back of a sync after which this is the first one.
    """
    if run.rolls_back is not None:
        return [finding for table in tables.values() for finding in table.value_findings]
    return [
        finding
        for name, table in tables.items()
        if not table.unchanged
        for finding in (
            *_table_findings(run, guards, earlier.get(name), name, table),
            *_rolled_back(roll_back, name, table.counts),
        )
    ]


def _rolled_back(roll_back: RunState | None, name: str, counts: TableCounts) -> Iterator[GuardFinding]:
    """The source may still have what was rolled back, so somebody looks before it comes again."""
    restored = roll_back.tables.get(name) if roll_back is not None else None
    if roll_back is not None and restored is not None and restored.differences and counts.differences:
        detail = (
            f"run {roll_back.rolls_back} was rolled back ({restored.differences:,} rows), and this is the first sync"
            f" since: it would change {counts.differences:,} rows"
        )
        yield GuardFinding(guard="rolled_back", table=name, detail=detail, rows=counts.differences)


def source_notes(run: RunState, earlier: Mapping[str, RunState | None]) -> list[SourceNote]:
    """Differences between the source's columns and those of the last run that read the whole table, by table."""
    return [
        note
        for name, plan in run.plan.items()
        if (before := earlier.get(name)) is not None and name in before.plan
        for note in _column_notes(name, before.plan[name], plan)
    ]


def _column_notes(name: str, before: TablePlan, now: TablePlan) -> Iterator[SourceNote]:
    if before.reads != now.reads and before.columns.keys() != now.columns.keys():
        return  # the mapping names another query or table; a key of another type reads differently too
    for column, type_ in sorted(now.columns.items()):
        if column not in before.columns:
            detail = f"the source has a new column {column} ({type_})"
            yield SourceNote(note="new_column", table=name, column=column, detail=detail)
        elif before.columns[column] != type_:
            detail = f"{column} is {type_} by now, and was {before.columns[column]}"
            yield SourceNote(note="changed_type", table=name, column=column, detail=detail)


def _table_findings(
    run: RunState, guards: Guards, earlier: RunState | None, name: str, table: TableOutcome
) -> Iterator[GuardFinding]:
    yield from _removed_share(guards, name, table.counts)
    yield from _rejected_share(guards, name, table.counts)
    yield from _closed_rolls(name, table)
    yield from table.value_findings
    if table.counts.read_by == "whole":
        yield from _shrunken_table(guards, earlier, name, table.counts)
        yield from _moving_source(name, table)
    if table.counts.read_by not in ("quarantine", "upload"):
        yield from _dropped_columns(run.plan[name], earlier, name)


def _removed_share(guards: Guards, name: str, counts: TableCounts) -> Iterator[GuardFinding]:
    limit = float(guards.max_removed_share)
    share = counts.removed / counts.known if counts.known else 0.0
    if share > limit:
        detail = f"{counts.removed:,} of {counts.known:,} known rows are no longer in the source"
        yield GuardFinding(guard="removed_share", table=name, detail=detail, share=share, limit=limit)


def _rejected_share(guards: Guards, name: str, counts: TableCounts) -> Iterator[GuardFinding]:
    """Share of the rows read; of an incremental reading, which has few, of the known rows where these are more."""
    limit = float(guards.max_rejected_share)
    total = counts.read if counts.read_by == "whole" else max(counts.read, counts.known)
    share = counts.rejected / total if total else 0.0
    if share > limit:
        detail = f"{counts.rejected:,} of {total:,} rows were rejected"
        yield GuardFinding(guard="rejected_share", table=name, detail=detail, share=share, limit=limit)


def _closed_rolls(name: str, table: TableOutcome) -> Iterator[GuardFinding]:
    """No setting of a county turns this off: the values of a closed roll are certified."""
    for roll, rows in table.closed_rolls.items():
        detail = f"{rows:,} rows of {roll}, would change; approved, they become a numbered correction of that roll"
        yield GuardFinding(guard="closed_roll", table=name, detail=detail, roll_year=roll.roll_year, rows=rows)


def _shrunken_table(guards: Guards, earlier: RunState | None, name: str, counts: TableCounts) -> Iterator[GuardFinding]:
    limit = float(guards.max_removed_share)
    before = earlier.tables[name].read if earlier is not None and name in earlier.tables else 0
    share = (before - counts.read) / before if before else 0.0
    if share > limit:
        detail = f"the source has {counts.read:,} rows, and had {before:,}"
        yield GuardFinding(guard="shrunken_table", table=name, detail=detail, share=share, limit=limit)


def _moving_source(name: str, table: TableOutcome) -> Iterator[GuardFinding]:
    read = table.counts.read
    if table.source_count is not None and abs(table.source_count - read) > MAX_COUNT_DRIFT * read:
        detail = f"{read:,} rows were read, and the source has {table.source_count:,} now"
        share = abs(table.source_count - read) / read if read else 1.0
        yield GuardFinding(guard="moving_source", table=name, detail=detail, share=share, limit=MAX_COUNT_DRIFT)


def _dropped_columns(now: TablePlan, earlier: RunState | None, name: str) -> Iterator[GuardFinding]:
    before = earlier.plan.get(name) if earlier is not None else None
    # another query or table of the mapping's has columns of its own
    if before is None or before.reads != now.reads:
        return
    dropped = sorted(set(before.columns) - set(now.columns))
    if dropped:
        detail = f"the source no longer has: {', '.join(dropped)}"
        yield GuardFinding(guard="dropped_column", table=name, detail=detail)
