"""Curated files of tables that are new to a county, written while Apply waits for the database.

The rows of a first load are staged as they will be applied, so their files need not wait for the commit: the function
that applies has nothing else to do meanwhile, and writing files takes less time than building the indexes. A table
whose files are not all written in time is left to Curate, which writes them from the applied rows.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from aws_lambda_powertools import Logger
from pydantic import ValidationError
from sqlalchemy import Connection

from functions.sync.domain.publication import EarlyFiles, PlannedFile
from functions.sync.engine.publication import file_plan
from functions.sync.engine.publication.curated_file import write_file
from functions.sync.engine.publication.file_plan import plan_files
from functions.sync.engine.run_context import RunContext
from functions.sync.object_keys import early_files_key
from functions.sync.repository import published, staging
from shared import storage
from shared.db import unit_of_work
from shared.db.models import SYNC_TARGETS, key_column
from shared.mapping.targets import target_tables
from shared.problems import NotFound

_logger = Logger(service="sync")


@contextmanager
def writing_early(connection: Connection, context: RunContext) -> Iterator["EarlyWriter"]:
    """Write files in a thread while the block applies the run in the transaction of `connection`.

    The thread has ended when the block has: staged rows can be dropped. `EarlyWriter.record` then stores the list of
    files, which counts if the transaction commits.
    """
    writer = EarlyWriter(context, published.transaction_time(connection), _new_tables(connection, context))
    thread = threading.Thread(target=writer.write, name="early-files", daemon=True)
    thread.start()
    try:
        yield writer
    finally:
        writer.stop.set()
        thread.join()


def load_early_files(context: RunContext) -> dict[str, list[PlannedFile]]:
    """Early files by table, where the transaction beside which they were written is the one that committed."""
    try:
        early = EarlyFiles.model_validate_json(storage.get(early_files_key(context.county_id, context.run_id)))
    except (NotFound, ValidationError):
        return {}
    return early.tables if early.moment == context.run.applied_at else {}


@dataclass
class EarlyWriter:
    """Writes the files of `tables` with the rows' versions as of `applied_at`, the time of the transaction."""

    context: RunContext
    applied_at: datetime
    tables: list[str]
    stop: threading.Event = field(default_factory=threading.Event)
    written: dict[str, list[PlannedFile]] = field(default_factory=dict)

    def write(self) -> None:
        """Write the tables' files one after the other until `stop` is set. An error ends this and does not fail the
        run.
        """
        with self._errors_logged():
            for table in self.tables:
                self._write_table(table)

    def record(self) -> None:
        """Store the list of written files for Prepare; without it they are written again."""
        if self.written:
            early = EarlyFiles(moment=self.applied_at, tables=self.written)
            key = early_files_key(self.context.county_id, self.context.run_id)
            with self._errors_logged():
                storage.put(key, early.model_dump_json().encode(), "application/json")

    @contextmanager
    def _errors_logged(self) -> Iterator[None]:
        """Log an error of the block instead of raising it."""
        try:
            yield
        except Exception as error:
            extra = {"county_id": self.context.county_id, "run_id": str(self.context.run_id), "error": repr(error)}
            _logger.warning("early files are not written", extra=extra)

    def _write_table(self, table: str) -> None:
        county_id, run_id = self.context.county_id, self.context.run_id
        if self.stop.is_set():
            return
        with unit_of_work(county_id) as connection:
            staging.create_key_index(connection, run_id, table, key_column(SYNC_TARGETS[table]))
            bounds, rows = published.cut_staged(connection, run_id, table, file_plan.ROWS_PER_FILE)
        columns, filled = list(target_tables()[table].columns), self.context.columns(table)
        files = []
        for planned in plan_files(self.context, table, bounds, rows):
            if self.stop.is_set():
                return
            with unit_of_work(county_id) as connection:
                texts = published.staged_rows_between(
                    connection,
                    run_id,
                    table,
                    columns,
                    filled,
                    self.applied_at,
                    planned.lower_key,
                    planned.file.upper_key,
                )
            write_file(table, planned.file.key, texts)
            files.append(planned.model_copy(update={"written": False}))
        self.written[table] = files


def _new_tables(connection: Connection, context: RunContext) -> list[str]:
    """Tables of which the county has no row, and for which more rows are staged than one file holds."""
    return [
        table
        for table, counts in context.run.tables.items()
        if counts.differences == counts.added > file_plan.ROWS_PER_FILE
        and not published.has_rows(connection, context.county_id, table)
    ]
