"""Checks that a run's staged rows are complete, and that the data they were compared with is unchanged."""

from collections.abc import Sequence

from sqlalchemy import Connection

from functions.sync.domain.runs import RunState
from functions.sync.repository import changes, runs, targets
from shared.contracts.sync_run import GuardFinding
from shared.problems import Conflict


def require_staged_rows(table: str, present: int, expected: int) -> None:
    """Raise Conflict where staged rows are lost: a database server that crashes empties its unlogged tables."""
    if present != expected:
        raise Conflict(
            f"Of {expected:,} rows that were staged for {table} there are {present:,}: the database has restarted"
            " meanwhile. Start a new run.",
            slug="staged-rows-lost",
        )


def require_data_unchanged(connection: Connection, run: RunState, *, lock: bool) -> None:
    """Raise Conflict where the data has changed since the run was compared with it, or staged rows are lost.

    An upload or a roll-back is held against each of its rows. With `lock` these, and the rows of an approved run,
    cannot be edited until the transaction ends.
    """
    if run.upload_id is None and runs.last_applied(connection, run.county_id) != run.base_run:
        raise Conflict(
            "Another run was applied since this one was compared with the data; start a new run.", slug="data-moved-on"
        )
    for table, counts in run.tables.items():
        staged, _ = changes.count_staged(connection, run.run_id, table)
        require_staged_rows(table, sum(staged.values()), counts.differences)
    if run.reads_source and run.approved_by is None and run.status != "awaiting_approval":
        return
    moved = sum(targets.count_moved_on(connection, run.county_id, run.run_id, table, lock=lock) for table in run.tables)
    if moved:
        raise Conflict(f"{moved} of the rows were edited since they were shown; start a new run.", slug="data-moved-on")


def require_no_later_changes(run: RunState, findings: Sequence[GuardFinding]) -> None:
    """Raise Conflict where rows cannot go back, and the others are not to go back without them."""
    blocked = sum(finding.rows or 0 for finding in findings if finding.guard == "later_changes")
    if blocked and not run.skip_conflicts:
        raise Conflict(
            f"{blocked:,} of the rows have changed since, or belong to a closed roll, so nothing was rolled back; the"
            " findings name them. Ask again with skip_conflicts to roll the others back.",
            slug="later-changes",
        )
