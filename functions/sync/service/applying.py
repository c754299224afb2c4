"""Apply: the whole run in one transaction, or nothing of it."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import Connection, func

from functions.sync.repository import changes, partitions, quarantine, runs, staging, targets, watermarks
from functions.sync.schemas import RejectedFilter, RunState
from functions.sync.service.ahead import writing_ahead
from functions.sync.service.context import RunContext, filled_columns, load, require_going, require_staged
from functions.sync.service.locking import supersede_waiting
from functions.sync.service.removals import CHANGED_ONLY, settled_keys
from shared import audit
from shared.db import unit_of_work
from shared.problems import Conflict, NotFound


def apply(county_id: str, run_id: UUID) -> None:
    """Bring what is staged into the targets. Run again, it does nothing.

    Raises Conflict where the data has moved on since the run was compared with it: always when another run was
    applied since, and for an approved run also when a row was edited, so that exactly what was shown is applied.
    """
    context = load(county_id, run_id)
    keys = _keys_to_settle(context)
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id, for_update=True)
        if run is None:
            raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
        if run.applied_at is not None:
            return
        require_going(run)
        require_same_data(connection, run, hold=True)
        with writing_ahead(connection, context) as files:
            _write(connection, context)
        _settle(connection, context, keys)
        watermarks.move(connection, county_id, run_id, run.plan)
        staging.drop(connection, run_id)
        runs.set_run(connection, county_id, run_id, applied_at=func.now())
        supersede_waiting(connection, county_id, run_id)
    files.keep()


def require_same_data(connection: Connection, run: RunState, *, hold: bool) -> None:
    """Raise Conflict where the data is no longer what the run was compared with, or its staged rows are lost.

    With `hold` nobody edits a row of an approved run until the transaction ends.
    """
    if runs.last_applied(connection, run.county_id) != run.base_run:
        raise Conflict(
            "Another run was applied since this one was compared with the data; start a new run.", slug="data-moved-on"
        )
    for table, counts in run.tables.items():
        staged, _ = changes.count_staged(connection, run.run_id, table)
        require_staged(table, sum(staged.values()), counts.differences)
    if run.approved_by is None and run.status != "awaiting_approval":
        return
    moved = sum(targets.moved_on(connection, run.county_id, run.run_id, table, hold=hold) for table in run.tables)
    if moved:
        raise Conflict(f"{moved} of the rows were edited since they were shown; start a new run.", slug="data-moved-on")


def _keys_to_settle(context: RunContext) -> dict[str, list[str]]:
    """By table, the keys in quarantine that a reading of what changed has come by."""
    found = {}
    for table, plan in context.run.plan.items():
        if plan.read_by in CHANGED_ONLY:
            with unit_of_work(context.county_id) as connection:
                keys = quarantine.open_keys(connection, context.county_id, table)
                of_table = partitions.of_run(connection, context.county_id, context.run_id, table)
            found[table] = settled_keys(context, table, of_table, keys)
    return found


def _settle(connection: Connection, context: RunContext, keys: dict[str, list[str]]) -> None:
    """Close the rows in quarantine that this run has taken, found gone, or rejected again."""
    run = context.run
    for table, plan in run.plan.items():
        if plan.read_by == "whole":
            quarantine.settle_whole(connection, run.county_id, run.run_id, table)
        elif keys.get(table):
            quarantine.settle_keys(connection, run.county_id, run.run_id, table, keys[table])
        elif run.replay_of is not None:
            wanted = run.replay_filter or RejectedFilter()
            quarantine.settle_replayed(connection, run.county_id, run.run_id, table, run.replay_of, wanted)


def _write(connection: Connection, context: RunContext) -> None:
    written = {}
    for target in context.run.plan:
        columns = filled_columns(context.mapping, target)
        system = context.mapping.source_system_type
        expected = context.run.tables[target]
        applied = targets.apply(connection, context.county_id, context.run_id, target, columns, system, expected)
        written[target] = asdict(applied)
    if "assessments" in written:
        written["assessments"]["gave_way"] = targets.give_way(connection, context.county_id, context.run_id)
    audit.record(
        connection,
        context.county_id,
        context.run.approved_by or context.run.submitted_by,
        "sync.applied",
        f"sync-runs/{context.run_id}",
        {"tables": written, "mapping_digest": context.run.mapping_digest},
    )
