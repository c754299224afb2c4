"""Apply: the whole run in one transaction, or nothing of it.

The database gets the whole transaction in one message, and carries it out and commits it whether or not a client
waits. So neither a Lambda's fifteen minutes nor its death bounds how many rows a run can write.
"""

import time
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from functions.sync.domain.runs import RunState
from functions.sync.engine.publication.early_writer import writing_early
from functions.sync.engine.removed_rows import CHANGED_ONLY, resolved_quarantine_keys
from functions.sync.engine.run_context import RunContext, load, require_running
from functions.sync.engine.run_log import log_state
from functions.sync.job_kinds import SYNC
from functions.sync.repository import (
    earlier_versions,
    partitions,
    quarantine,
    roll_rows,
    runs,
    staging,
    targets,
    uploaded_rows,
    watermarks,
)
from functions.sync.run_lock import cancel_superseded
from functions.sync.schemas.runs import RejectedFilter
from functions.sync.staged_data import require_data_unchanged
from shared import audit
from shared.contracts.sync_run import TableCounts
from shared.db import commit_with, unit_of_work
from shared.precedence.overrides import Decision
from shared.problems import Conflict, NotFound
from shared.rolls import closing

MAX_HANDOFFS = 3
"""Times that a transaction that no Lambda waits for any more may end uncommitted before the run fails. A choice: an
error after the handoff is in the database's log alone, so one restart of the server is forgiven, and a repeated error
is not repeated for ever."""
_MIN_WAIT_S = 1.0
"""Seconds that Apply waits for the commit at least: small runs are applied within them however late the call is."""


class ApplyResult(NamedTuple):
    """Progress of a run. `handoffs`: how many times a Lambda stopped waiting for this transaction; the server may still
    be running it.
    """

    outcome: Literal["applied", "applying"]
    handoffs: int


def apply_run(county_id: str, run_id: UUID, *, wait_seconds: float, handoffs: int = 0) -> ApplyResult:
    """Write the staged rows into the targets, waiting at most `wait_seconds` for the commit. Idempotent.

    Raises Conflict where the data is no longer what the run was compared with: always where another run was applied
    since, and for an approved run also where a row was edited, so that exactly what was shown is applied. Also where
    MAX_HANDOFFS transactions have ended without a commit.
    """
    result = _apply(county_id, run_id, wait_seconds, handoffs)
    log_state(result.outcome, county_id, run_id)
    return result


def _apply(county_id: str, run_id: UUID, wait_seconds: float, handoffs: int) -> ApplyResult:
    deadline = time.monotonic() + wait_seconds
    context = load(county_id, run_id)
    with unit_of_work(county_id) as connection:
        if not runs.try_lock_for_apply(connection, run_id):
            return ApplyResult("applying", handoffs)
        run = runs.find(connection, county_id, run_id, for_update=True)
        if run is None:
            raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
        if run.applied_at is None:
            require_running(run)
            _require_attempts_left(handoffs)
            require_data_unchanged(connection, run, lock=True)
            corrections = _begin_corrections(connection, context, run)
            watermarks.advance(connection, county_id, run_id, run.plan)
            rolled_back = _rolled_back_run(connection, run)
            if rolled_back is not None and rolled_back.reads_source:
                watermarks.forget(
                    connection, county_id, [name for name, table in run.tables.items() if table.differences]
                )
            _record(connection, context)
            statements = [*_change_statements(context, _resolved_keys(connection, context)), *corrections]
            with writing_early(connection, context) as early:
                committed = commit_with(connection, statements, max(_MIN_WAIT_S, deadline - time.monotonic()))
            early.record()
            if not committed:
                return ApplyResult("applying", handoffs + 1)
    with unit_of_work(county_id) as connection:
        staging.drop(connection, run_id)
        cancel_superseded(connection, county_id, run_id)
    return ApplyResult("applied", handoffs)


def _rolled_back_run(connection: Connection, run: RunState) -> RunState | None:
    """The run that this one rolls back."""
    return None if run.rolls_back is None else runs.find(connection, run.county_id, run.rolls_back)


def _begin_corrections(connection: Connection, context: RunContext, run: RunState) -> list[str]:
    """Lock the rolls that the run changes, and number its corrections of the closed ones; the SQL that ends them.

    Raises Conflict where a roll was closed since the run was compared with it.
    """
    years = set[int]()
    for table in sorted(set(closing.ROLL_TABLES) & run.tables.keys()):
        columns = context.columns(table)
        years.update(roll_rows.years(connection, run.county_id, run.run_id, table, columns))
    for year in sorted(years):
        closing.lock_roll(connection, run.county_id, year)
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


def _resolved_keys(connection: Connection, context: RunContext) -> dict[str, list[str]]:
    """Keys with open rows in quarantine that an incremental run has read or found deleted, by table."""
    resolved = {}
    for table, plan in context.run.plan.items():
        if plan.read_by in CHANGED_ONLY:
            open_keys = quarantine.open_keys(connection, context.county_id, table)
            table_partitions = partitions.of_run(connection, context.county_id, context.run_id, table)
            resolved[table] = resolved_quarantine_keys(context, table, table_partitions, open_keys)
    return resolved


def _close_quarantine_sql(context: RunContext, resolved: dict[str, list[str]]) -> list[str]:
    """SQL that closes the rows in quarantine that this run has taken, found gone, or rejected again."""
    run, statements = context.run, []
    for table, plan in run.plan.items():
        if plan.read_by == "whole":
            statements.append(quarantine.close_after_full_read_sql(run.county_id, run.run_id, table))
        elif resolved.get(table):
            statements.append(quarantine.close_keys_sql(run.county_id, run.run_id, table, resolved[table]))
        elif run.replay_of is not None:
            row_filter = run.replay_filter or RejectedFilter()
            statements.append(
                quarantine.close_replayed_sql(run.county_id, run.run_id, table, run.replay_of, row_filter)
            )
    return statements


def _require_attempts_left(handoffs: int) -> None:
    if handoffs >= MAX_HANDOFFS:
        raise Conflict(
            f"The database has ended the run's transaction {handoffs} times without applying it, when no client was"
            " waiting for it any more. The database's log says why; resume the run then.",
            slug="not-applied",
        )


def _change_statements(context: RunContext, resolved: dict[str, list[str]]) -> list[str]:
    """The statements of the transaction that take time or depend on those; the run's own row, which others poll,
    last.
    """
    county_id, run_id, actor = context.county_id, context.run_id, _actor(context)
    statements = []
    for target, expected in context.run.tables.items():
        statements += _table_statements(context, target, expected)
    if "assessments" in context.run.tables and context.run.reads_source:
        statements += targets.retire_platform_rows_sql(county_id, run_id, actor)
    if context.run.rolls_back is not None:
        statements.append(runs.mark_rolled_back_sql(county_id, context.run.rolls_back, run_id))
    return [*statements, *_close_quarantine_sql(context, resolved), runs.mark_applied_sql(county_id, run_id)]


def _table_statements(context: RunContext, target: str, expected: TableCounts) -> list[str]:
    """The statements that write the staged rows of one table."""
    county_id, run = context.county_id, context.run
    columns = context.columns(target)
    if run.rolls_back is not None:
        return earlier_versions.restore_sql(county_id, run.run_id, target, run.rolls_back, expected)
    if run.upload_id is not None:
        decision = Decision(run.run_id, "upload", _actor(context))
        return uploaded_rows.apply_sql(county_id, run.run_id, target, columns, expected, decision)
    system = context.mapping.source_system_type
    return targets.apply_sql(county_id, run.run_id, target, columns, system, expected)


def _record(connection: Connection, context: RunContext) -> None:
    """Audit the rows written: those that were staged and counted, since the transaction writes all of them or none."""
    written = {
        target: counts.model_dump(include={"added", "changed", "removed", "returned"})
        for target, counts in context.run.tables.items()
    }
    details = {"tables": written, "mapping_digest": context.run.mapping_digest}
    if context.run.rolls_back is not None:
        details |= {"rolled_back": str(context.run.rolls_back), "reason": context.run.approval_reason}
    if context.run.upload_id is not None:
        details |= {"upload_id": str(context.run.upload_id)}
    action: audit.Action = "sync.applied" if context.run.rolls_back is None else "sync.rolled_back"
    subject = SYNC.subject(context.run_id)
    audit.record(connection, context.county_id, _actor(context), action, subject, details)


def _actor(context: RunContext) -> str:
    return context.run.approved_by or context.run.submitted_by
