"""Modes of runs: the rows that each reads, and its result."""

from decimal import Decimal
from typing import Any

import pytest

from functions.sync.engine import plan, run_context
from functions.sync.tasks import machine
from shared.problems import Conflict, Unprocessable
from shared.sources import Capabilities, ChangedSince, Changes, Extract, Key, KeyRange, SourceTable, TableSchema
from shared.sources.secrets import ConnectionSecret
from shared.sources.sql import SqlSource, source_url
from tests.integration.sync.county import MAPPING, County

WATERMARKED = MAPPING.replace(
    "    primary_key_source_fields: [id]\n", "    primary_key_source_fields: [id]\n    watermark_field: changed_at\n"
)
TOUCH = "UPDATE parcel SET value = '{}', changed_at = '{}' WHERE id = {}"


def watermarked(county: County, **incremental: Any) -> None:
    """A source with a watermark on parcels, read whole once."""
    county.change("ALTER TABLE parcel ADD COLUMN changed_at timestamp NOT NULL DEFAULT '2026-01-01 00:00:00'")
    county.set_mapping(WATERMARKED)
    county.configure(mode="incremental", incremental={"overlap_seconds": 60, **incremental})
    assert county.sync()[1] == "apply"


def table_counts(county: County, run_id: str, table: str = "properties_operational") -> dict[str, Any]:
    ((counts,),) = county.query(
        "SELECT counts -> 'tables' -> :table FROM sync_runs WHERE run_id = CAST(:id AS uuid)", id=run_id, table=table
    )
    return dict(counts)


def value_of(county: County, key: str) -> Decimal:
    ((value,),) = county.query("SELECT total_value FROM properties_operational WHERE property_id = :key", key=key)
    return Decimal(value)


def watermark(county: County) -> str:
    ((value,),) = county.query("SELECT watermark FROM sync_watermarks WHERE table_name = 'properties_operational'")
    return str(value)


def test_the_first_incremental_run_reads_everything_and_the_next_only_what_changed(county: County) -> None:
    watermarked(county)
    county.change(TOUCH.format(7, "2026-01-02 00:00:00", 42))

    run_id, outcome = county.sync()

    assert outcome == "apply"
    counts = table_counts(county, run_id)
    # of the overlap's 60 seconds, nothing but what the last run ended at
    assert (counts["read_by"], counts["read"], counts["changed"]) == ("watermark", 300, 1)
    assert value_of(county, "000042") == 7
    assert table_counts(county, run_id, "sales")["read_by"] == "whole"
    county.change(TOUCH.format(8, "2026-01-03 00:00:00", 43))
    third, _ = county.sync()
    assert (table_counts(county, third)["read"], table_counts(county, third)["changed"]) == (2, 1)
    assert watermark(county) == "2026-01-03 00:00:00"


def test_an_incremental_run_that_finds_nothing_new_writes_nothing_and_ends(county: County) -> None:
    watermarked(county)
    county.change("UPDATE parcel SET changed_at = '2026-01-02' WHERE id = 1")
    county.sync()
    county.change("UPDATE parcel SET changed_at = '2026-01-03' WHERE id = 1")  # touched, and the same
    county.change("UPDATE parcel SET built = '1950', value = '$150' WHERE id = 150")
    county.sync(mode="full")
    before = county.row_versions()

    _, outcome = county.sync()

    assert outcome == "unchanged"
    assert county.row_versions() == before
    assert county.state()["staging"] == []


def test_a_row_that_was_committed_late_is_read_within_the_overlap(county: County) -> None:
    watermarked(county)
    county.change(TOUCH.format(7, "2026-01-02 00:00:30", 42))
    county.sync()
    county.change(TOUCH.format(8, "2026-01-02 00:00:00", 43) + ";" + TOUCH.format(9, "2026-01-01 23:00:00", 44))

    county.sync()

    assert value_of(county, "000043") == 8
    assert value_of(county, "000044") == Decimal("44000.50")  # before the overlap: for a run that reads everything
    county.sync(mode="full")
    assert value_of(county, "000044") == 9


def test_a_watermark_moves_only_when_its_run_is_applied(county: County) -> None:
    watermarked(county)
    county.change(TOUCH.format(7, "2026-01-02 00:00:00", 42))

    planned = county.plan(validate_only=True)
    assert county.go_on(planned) == "awaiting_approval"

    assert watermark(county) == "2026-01-01 00:00:00"
    failed = county.plan()
    county.fail(failed["run_id"], RuntimeError("anything"))
    assert watermark(county) == "2026-01-01 00:00:00"
    county.sync()
    assert watermark(county) == "2026-01-02 00:00:00"
    assert value_of(county, "000042") == 7


def test_the_watermark_is_the_one_before_the_reading_so_that_later_rows_are_read_again(county: County) -> None:
    watermarked(county)
    county.change(TOUCH.format(7, "2026-01-02 00:00:00", 42))
    planned = county.plan()
    county.change(TOUCH.format(8, "2026-01-03 00:00:00", 1))
    county.go_on(planned)

    assert watermark(county) == "2026-01-02 00:00:00"
    assert value_of(county, "000001") == 8


@pytest.mark.parametrize(("removals", "retired"), [("ignore", []), ("compare_keys", [("000007",), ("000008",)])])
def test_removed_rows_are_retired_incrementally_only_where_keys_are_compared(
    county: County, removals: str, retired: list[tuple[str]]
) -> None:
    watermarked(county, removals=removals)
    county.change("DELETE FROM parcel WHERE id IN (7, 8)")

    county.sync()

    select = "SELECT property_id FROM properties_operational WHERE retired_at IS NOT NULL ORDER BY 1"
    assert county.query(select) == retired
    county.sync(mode="full")
    assert county.query(select) == [("000007",), ("000008",)]


def test_a_changed_mapping_makes_an_incremental_run_read_everything(county: County) -> None:
    watermarked(county)
    county.set_mapping(WATERMARKED.replace("C: commercial", "C: mercantile"))

    run_id, _ = county.sync()

    assert table_counts(county, run_id)["read_by"] == "whole"
    assert county.query("SELECT count(*) FROM properties_operational WHERE property_class = 'mercantile'") == [(29,)]


def test_a_full_run_does_not_trust_digests_that_an_incremental_run_has_overtaken(county: County) -> None:
    watermarked(county)
    county.change(TOUCH.format(7, "2026-01-02", 42))
    county.sync()
    # as it was when it was read as a whole: its partition's digest is the old one, the target is not
    county.change(TOUCH.format("$42,000.50", "2026-01-01", 42))

    county.sync(mode="full")

    assert value_of(county, "000042") == Decimal("42000.50")
    assert county.sync(mode="full")[1] == "unchanged"


def test_a_snapshot_notices_what_digests_do_not(county: County) -> None:
    county.sync()
    county.query(
        "UPDATE properties_operational SET total_value = 1, row_hash = '' WHERE property_id = '000042' RETURNING 1"
    )
    assert county.sync(mode="full")[1] == "unchanged"

    run_id, outcome = county.sync(mode="snapshot")

    assert outcome == "apply"
    assert table_counts(county, run_id)["changed"] == 1
    assert value_of(county, "000042") == Decimal("42000.50")
    county.change("DELETE FROM parcel WHERE id = 7")
    county.sync(mode="snapshot")
    assert county.query("SELECT property_id FROM properties_operational WHERE retired_at IS NOT NULL") == [("000007",)]


def test_rows_that_change_while_they_are_read_are_as_the_source_has_them_after_the_next_run(county: County) -> None:
    county.sync()
    planned = county.plan()
    items = county.items(planned)
    for number, item in enumerate(items):
        county.partition(planned["run_id"], item)
        if number == 0:  # the first hundred have been read, and what comes is not as it was counted
            county.change(
                "UPDATE parcel SET id = id + 1000 WHERE id IN (5, 250);"
                "UPDATE parcel SET value = '1' WHERE id IN (6, 206);"
                "DELETE FROM parcel WHERE id IN (9, 209); INSERT INTO parcel (id, pin, class, built, value)"
                " VALUES (-5, 'A', 'R', '2000', '5'), (305, 'B', 'R', '2000', '5')"
            )
    assert county.step(machine.reconcile, planned["run_id"])["outcome"] == "apply"
    county.finish(planned["run_id"])

    county.sync()

    live = county.query("SELECT property_id, total_value FROM properties_operational WHERE retired_at IS NULL")
    expected = {f"{i:06}": Decimal(f"{i}000.50") for i in range(1, 301) if i not in (5, 9, 150, 209, 250)}
    expected |= {
        "000006": Decimal(1),
        "000206": Decimal(1),
        "001005": Decimal("5000.50"),
        "001250": Decimal("250000.50"),
    }
    expected |= {"0000-5": Decimal(5), "000305": Decimal(5)}
    assert {row[0]: row[1] for row in live} == expected


def test_staged_rows_that_a_crash_of_the_database_emptied_are_not_half_applied(county: County) -> None:
    planned = county.plan()
    items = county.items(planned)
    for item in items[:2]:
        county.partition(planned["run_id"], item)
    ((relation,),) = county.query(
        "SELECT 'staging.' || relname FROM pg_class WHERE relname LIKE '%properties_operational'"
        " AND relnamespace = 'staging'::regnamespace"
    )
    county.query(f"WITH gone AS (DELETE FROM {relation} RETURNING 1) SELECT count(*) FROM gone")
    for item in items[2:]:
        county.partition(planned["run_id"], item)

    with pytest.raises(Conflict, match="database has restarted"):
        county.step(machine.reconcile, planned["run_id"])

    assert county.go_on(county.plan(run_id=planned["run_id"])) == "apply"
    assert county.query("SELECT count(*) FROM properties_operational") == [(299,)]


class TrackedSource(SqlSource):
    """PostgreSQL with a trigger that tracks changes of `parcel` as SQL Server does, of which no server is available."""

    oldest = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    def change_version(self, table: SourceTable) -> int:
        if "parcel" not in (table.query or ""):
            raise Unprocessable("Change tracking is not on.", slug="change-tracking-off")
        with self._connection("the changes of") as connection:
            return int(connection.exec_driver_sql("SELECT coalesce(max(version), 0) FROM tracked").scalar_one())

    def changes_since(self, table: SourceTable, version: int) -> Changes:
        if version < self.oldest:
            raise Conflict("It no longer remembers.", slug="change-tracking-expired")
        gone = (
            f"SELECT DISTINCT id, 0 AS filler FROM tracked WHERE version > {version}"
            " AND NOT EXISTS (SELECT FROM parcel AS p WHERE p.id = tracked.id)"
        )
        deleted = SourceTable(None, gone, ("id",))
        frame = self.read(deleted, self.schema(deleted), KeyRange(None, None)).frame()
        return Changes(self.change_version(table), frame.select("id"))

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        return super().cut(self._changed(table), rows)

    def read(self, table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        return super().read(self._changed(table), schema, keys)

    def _changed(self, table: SourceTable) -> SourceTable:
        if not isinstance(table.since, ChangedSince):
            return table
        query = f"SELECT * FROM parcel WHERE id IN (SELECT id FROM tracked WHERE version > {table.since.version})"
        return SourceTable(None, query, table.key)


_TRACKING = """
CREATE TABLE tracked (version bigserial, id integer);
CREATE FUNCTION track() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO tracked (id) VALUES (coalesce(NEW.id, OLD.id))| RETURN NULL| END';
CREATE TRIGGER track AFTER INSERT OR UPDATE OR DELETE ON parcel FOR EACH ROW EXECUTE FUNCTION track()
"""


@pytest.fixture
def tracked(county: County, monkeypatch: pytest.MonkeyPatch) -> County:
    for statement in _TRACKING.split(";\n"):
        county.change_whole(statement.replace("|", ";"))
    source = TrackedSource(source_url(ConnectionSecret.model_validate_json(county.secret(county.port))))
    for module in (run_context, plan):
        monkeypatch.setattr(module, "open_source", lambda _: source)
    county.configure(mode="incremental", incremental={"by": "change_tracking"})
    assert county.sync()[1] == "apply"
    return county


def test_change_tracking_reports_new_changed_and_removed_rows(tracked: County) -> None:
    tracked.change("UPDATE parcel SET value = '7' WHERE id = 42; DELETE FROM parcel WHERE id IN (7, 8)")
    tracked.change("INSERT INTO parcel (id, pin, class, built, value) VALUES (301, 'N', 'R', '2000', '5')")
    tracked.change("INSERT INTO parcel (id, pin, class, built, value) VALUES (8, 'P8', 'R', '1908', '$8,000.50')")

    run_id, outcome = tracked.sync()

    assert outcome == "apply"
    counts = table_counts(tracked, run_id)
    assert counts["read_by"] == "change_tracking"
    # the eighth was deleted and inserted again, without its note
    assert [counts[name] for name in ("read", "added", "changed", "removed")] == [3, 1, 2, 1]
    assert tracked.query("SELECT property_id FROM properties_operational WHERE retired_at IS NOT NULL") == [("000007",)]
    assert tracked.sync()[1] == "unchanged"


@pytest.mark.parametrize("when_expired", ["fail", "read_all"])
def test_change_tracking_that_forgot_fails_the_run_or_reads_everything(
    tracked: County, monkeypatch: pytest.MonkeyPatch, when_expired: str
) -> None:
    tracked.configure(incremental={"by": "change_tracking", "when_expired": when_expired})
    tracked.change("UPDATE parcel SET value = '7' WHERE id = 42")
    monkeypatch.setattr(TrackedSource, "oldest", 10)

    if when_expired == "fail":
        with pytest.raises(Conflict, match="no longer remembers"):
            tracked.sync()
    else:
        run_id, _ = tracked.sync()
        assert table_counts(tracked, run_id)["read_by"] == "whole"
        assert value_of(tracked, "000042") == 7


def test_a_missing_ability_is_reported_before_anything_is_read(county: County) -> None:
    county.configure(mode="incremental", incremental={"by": "change_tracking"})

    with pytest.raises(Unprocessable, match="no change tracking"):
        county.plan()

    assert county.query("SELECT count(*) FROM sync_partitions") == [(0,)]
