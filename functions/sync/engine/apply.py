"""Apply: the whole run in one transaction, or nothing of it.

The transaction is the database's: it gets all that is to be written in one message, and carries it out and commits it
whether or not anybody waits. So neither a Lambda's fifteen minutes nor its death bounds what a run can write.
"""

import time
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from functions.sync.domain.runs import RunState
from functions.sync.engine.publication.early_writer import writing_ahead
from functions.sync.engine.removed_rows import CHANGED_ONLY, settled_keys
from functions.sync.engine.run_context import RunContext, load, require_going
from functions.sync.repository import partitions, quarantine, roll_rows, runs, staging, targets, watermarks
from functions.sync.run_data import filled_columns
from functions.sync.run_lock import supersede_waiting
from functions.sync.schemas import RejectedFilter
from functions.sync.staged_data import require_same_data
from shared import audit
from shared.db import commit_with, unit_of_work
from shared.problems import Conflict, NotFound
from shared.rolls import closing

MOST_LEFT = 3
"""How often a transaction is left to the database before it counts as one that it cannot do."""
_LEAST_PATIENCE = 1.0


class Application(NamedTuple):
    """How far a run is: `left` is how often its transaction was left to the database, which may be at it."""

    outcome: Literal["applied", "applying"]
    left: int


def apply_run(county_id: str, run_id: UUID, *, patience: float, left: int = 0) -> Application:
    """Bring what is staged into the targets, and wait for it for at most `patience` seconds. Safe to run again.

    Raises Conflict where the data has moved on since the run was compared with it: always when another run was
    applied since, and for an approved run also when a row was edited, so that exactly what was shown is applied. Also
    where the database has given up a transaction that was left to it, for the third time.
    """
    until = time.monotonic() + patience
    context = load(county_id, run_id)
    with unit_of_work(county_id) as connection:
        if not runs.begin_to_apply(connection, run_id):
            return Application("applying", left)
        run = runs.find(connection, county_id, run_id, for_update=True)
        if run is None:
            raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
        if run.applied_at is None:
            require_going(run)
            _require_hope(left)
            require_same_data(connection, run, hold=True)
            corrected = _begin_corrections(connection, context, run)
            watermarks.move(connection, county_id, run_id, run.plan)
            _record(connection, context)
            statements = [*_changes(context, _keys_to_settle(connection, context)), *corrected]
            with writing_ahead(connection, context) as files:
                done = commit_with(connection, statements, max(_LEAST_PATIENCE, until - time.monotonic()))
            files.keep()
            if not done:
                return Application("applying", left + 1)
    with unit_of_work(county_id) as connection:
        staging.drop(connection, run_id)
        supersede_waiting(connection, county_id, run_id)
    return Application("applied", left)


def _begin_corrections(connection: Connection, context: RunContext, run: RunState) -> list[str]:
    """Hold the rolls that the run changes, and number its corrections of those that are closed; SQL that ends them.

    Raises Conflict where a roll was closed since the run was compared with it.
    """
    years = set[int]()
    for table in sorted(set(closing.ROLL_TABLES) & run.tables.keys()):
        columns = filled_columns(context.mapping, table)
        years.update(roll_rows.years(connection, run.county_id, run.run_id, table, columns))
    for year in sorted(years):
        closing.hold(connection, run.county_id, year)
    closed = closing.closed_rolls(connection, run.county_id, years)
    for roll in closed:
        if run.approved_by is None or roll.roll_year not in run.closed_rolls:
            raise Conflict(f"Rows of {roll}, would change, which nobody has seen; start a new run.", slug="roll-closed")
        reason = run.approval_reason or f"The county's system has changed; sync {run.run_id}."
        number = closing.begin_correction(
            connection,
            run.county_id,
            roll.roll_year,
            by=run.approved_by,
            reason=reason,
            rows=run.closed_rolls[roll.roll_year],
            sync_run_id=run.run_id,
        )
        details = {"correction_no": number, "sync_run_id": str(run.run_id), "reason": reason}
        audit.record(connection, run.county_id, run.approved_by, "roll.corrected", f"rolls/{roll.roll_year}", details)
    return [closing.END_CORRECTIONS] if closed else []


def _keys_to_settle(connection: Connection, context: RunContext) -> dict[str, list[str]]:
    """By table, the keys in quarantine that a reading of what changed has come by."""
    found = {}
    for table, plan in context.run.plan.items():
        if plan.read_by in CHANGED_ONLY:
            keys = quarantine.open_keys(connection, context.county_id, table)
            of_table = partitions.of_run(connection, context.county_id, context.run_id, table)
            found[table] = settled_keys(context, table, of_table, keys)
    return found


def _to_settle(context: RunContext, keys: dict[str, list[str]]) -> list[str]:
    """SQL that closes the rows in quarantine that this run has taken, found gone, or rejected again."""
    run, statements = context.run, []
    for table, plan in run.plan.items():
        if plan.read_by == "whole":
            statements.append(quarantine.to_settle_whole(run.county_id, run.run_id, table))
        elif keys.get(table):
            statements.append(quarantine.to_settle_keys(run.county_id, run.run_id, table, keys[table]))
        elif run.replay_of is not None:
            wanted = run.replay_filter or RejectedFilter()
            statements.append(quarantine.to_settle_replayed(run.county_id, run.run_id, table, run.replay_of, wanted))
    return statements


def _require_hope(left: int) -> None:
    if left >= MOST_LEFT:
        raise Conflict(
            f"The database has ended the run's transaction {left} times without applying it, when nobody was waiting"
            " for its word any more. Its log says why; resume the run then.",
            slug="not-applied",
        )


def _changes(context: RunContext, keys: dict[str, list[str]]) -> list[str]:
    """All that takes time, as SQL, and what depends on it; the run's row last, which others look for."""
    county_id, run_id, actor = context.county_id, context.run_id, _actor(context)
    statements = []
    for target, expected in context.run.tables.items():
        columns = filled_columns(context.mapping, target)
        system = context.mapping.source_system_type
        statements += targets.to_apply(county_id, run_id, target, columns, system, expected)
    if "assessments" in context.run.tables:
        statements += targets.to_give_way(county_id, run_id, actor)
    return [*statements, *_to_settle(context, keys), runs.to_mark_applied(county_id, run_id)]


def _record(connection: Connection, context: RunContext) -> None:
    """As many rows as were staged, which has been counted: each is written, or none is."""
    wrote = {
        target: counts.model_dump(include={"added", "changed", "removed", "returned"})
        for target, counts in context.run.tables.items()
    }
    details = {"tables": wrote, "mapping_digest": context.run.mapping_digest}
    subject = f"sync-runs/{context.run_id}"
    audit.record(connection, context.county_id, _actor(context), "sync.applied", subject, details)


def _actor(context: RunContext) -> str:
    return context.run.approved_by or context.run.submitted_by
