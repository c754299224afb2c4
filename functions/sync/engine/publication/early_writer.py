"""Curated files of tables that are new to a county, written while Apply waits for the database.

What a first load will have made of a table is what is staged for it, so that its files need not wait until it is
there: the function that applies has nothing else to do meanwhile, and the files take less time than the indexes.
A table of which one file is not done in time is left to Publish, which writes it from what was applied.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from aws_lambda_powertools import Logger
from pydantic import ValidationError
from sqlalchemy import Connection

from functions.sync.domain.publication import PlannedFile, WrittenAhead
from functions.sync.engine.publication import file_plan
from functions.sync.engine.publication.file_plan import plan_files
from functions.sync.engine.publication.file_writer import write_file
from functions.sync.engine.run_context import RunContext
from functions.sync.object_keys import ahead_key
from functions.sync.repository import published, staging
from functions.sync.run_data import filled_columns
from shared import storage
from shared.db import unit_of_work
from shared.db.models import SYNC_TARGETS, key_column
from shared.mapping.targets import target_tables
from shared.problems import NotFound

_logger = Logger(service="sync")


@contextmanager
def writing_ahead(connection: Connection, context: RunContext) -> Iterator["FilesAhead"]:
    """Write files while the block applies the run in the transaction of `connection`.

    When the block ends, so has the writing: staged rows can be dropped. What was written is known once `keep` is
    called, and counts if the transaction commits.
    """
    ahead = FilesAhead(context, published.now(connection), _new_tables(connection, context))
    thread = threading.Thread(target=ahead.write, name="files-ahead", daemon=True)
    thread.start()
    try:
        yield ahead
    finally:
        ahead.stop.set()
        thread.join()


def read_ahead(context: RunContext) -> dict[str, list[PlannedFile]]:
    """The files of each table that were written while the run was applied, not in a try that came to nothing."""
    try:
        found = WrittenAhead.model_validate_json(storage.get(ahead_key(context.county_id, context.run_id)))
    except (NotFound, ValidationError):
        return {}
    return found.tables if found.moment == context.run.applied_at else {}


@dataclass
class FilesAhead:
    """Files as they will be when the run is applied at `moment`, the time of its transaction."""

    context: RunContext
    moment: datetime
    tables: list[str]
    stop: threading.Event = field(default_factory=threading.Event)
    written: dict[str, list[PlannedFile]] = field(default_factory=dict)

    def write(self) -> None:
        """Write one table's files after the other until told to stop. A fault ends it, and nothing else."""
        with self._optional():
            for table in self.tables:
                self._write_table(table)

    def keep(self) -> None:
        """Say what was written: Publish takes it as it is. What cannot be said, Publish does again."""
        if self.written:
            found = WrittenAhead(moment=self.moment, tables=self.written)
            key = ahead_key(self.context.county_id, self.context.run_id)
            with self._optional():
                storage.put(key, found.model_dump_json().encode(), "application/json")

    @contextmanager
    def _optional(self) -> Iterator[None]:
        """No fault in here is one of the run."""
        try:
            yield
        except Exception as error:
            extra = {"county_id": self.context.county_id, "run_id": str(self.context.run_id), "error": repr(error)}
            _logger.warning("files are not written ahead", extra=extra)

    def _write_table(self, table: str) -> None:
        county_id, run_id = self.context.county_id, self.context.run_id
        if self.stop.is_set():
            return
        with unit_of_work(county_id) as connection:
            staging.index(connection, run_id, table, key_column(SYNC_TARGETS[table]))
            bounds, rows = published.cut_staged(connection, run_id, table, file_plan.ROWS_PER_FILE)
        columns, filled = list(target_tables()[table].columns), filled_columns(self.context.mapping, table)
        files = []
        for planned in plan_files(self.context, table, bounds, rows):
            if self.stop.is_set():
                return
            with unit_of_work(county_id) as connection:
                texts = published.staged_between(
                    connection, run_id, table, columns, filled, self.moment, planned.lower_key, planned.file.upper_key
                )
            write_file(table, planned.file.key, texts)
            files.append(planned.model_copy(update={"written": False}))
        self.written[table] = files


def _new_tables(connection: Connection, context: RunContext) -> list[str]:
    """Tables that the county has no row of, and for which more rows are staged than a file has."""
    return [
        table
        for table, counts in context.run.tables.items()
        if counts.differences == counts.added > file_plan.ROWS_PER_FILE
        and not published.has_rows(connection, context.county_id, table)
    ]
