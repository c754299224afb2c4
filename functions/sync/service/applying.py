"""Apply: the whole run in one transaction, or nothing of it."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import Connection, func

from functions.sync.repository import runs, staging, targets
from functions.sync.schemas import RunState
from functions.sync.service.context import RunContext, filled_columns, load, require_going
from functions.sync.service.locking import supersede_waiting
from shared import audit
from shared.db import unit_of_work
from shared.problems import Conflict, NotFound


def apply(county_id: str, run_id: UUID) -> None:
    """Bring what is staged into the targets. Run again, it does nothing.

    Raises Conflict where the data has moved on since the run was compared with it: always when another run was
    applied since, and for an approved run also when a row was edited, so that exactly what was shown is applied.
    """
    context = load(county_id, run_id)
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id, for_update=True)
        if run is None:
            raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
        if run.applied_at is not None:
            return
        require_going(run)
        require_same_data(connection, run, [table.target_table_name for table in context.mapping.table_mappings])
        _write(connection, context)
        staging.drop(connection, run_id)
        runs.set_run(connection, county_id, run_id, applied_at=func.clock_timestamp())
        supersede_waiting(connection, county_id, run_id)


def require_same_data(connection: Connection, run: RunState, tables: list[str]) -> None:
    """Raise Conflict where the data is no longer what the run was compared with."""
    if runs.last_applied(connection, run.county_id) != run.base_run:
        raise Conflict(
            "Another run was applied since this one was compared with the data; start a new run.", slug="data-moved-on"
        )
    if run.approved_by is None and run.status != "awaiting_approval":
        return
    moved = sum(targets.moved_on(connection, run.county_id, run.run_id, table) for table in tables)
    if moved:
        raise Conflict(f"{moved} of the rows were edited since they were shown; start a new run.", slug="data-moved-on")


def _write(connection: Connection, context: RunContext) -> None:
    written = {}
    for table in context.mapping.table_mappings:
        target = table.target_table_name
        columns = filled_columns(context.mapping, target)
        system = context.mapping.source_system_type
        applied = targets.apply(connection, context.county_id, context.run_id, target, columns, system)
        written[target] = asdict(applied)
    audit.record(
        connection,
        context.county_id,
        context.run.approved_by or context.run.submitted_by,
        "sync.applied",
        f"sync-runs/{context.run_id}",
        {"tables": written, "mapping_digest": context.run.mapping_digest},
    )
