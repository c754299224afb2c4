"""Checks that a run's staged rows, and the data that they were compared with, are still what they were."""

from sqlalchemy import Connection

from functions.sync.domain.runs import RunState
from functions.sync.repository import changes, runs, targets
from shared.problems import Conflict


def require_staged(table: str, found: int, expected: int) -> None:
    """Raise Conflict where staged rows are gone: a database server that crashes empties its unlogged tables."""
    if found != expected:
        raise Conflict(
            f"Of {expected:,} rows that were staged for {table} there are {found:,}: the database has restarted"
            " meanwhile. Start a new run.",
            slug="staged-rows-lost",
        )


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
