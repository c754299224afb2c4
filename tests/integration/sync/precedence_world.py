"""A county of three parcels and their roll, changed together with the model of precedence."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from functions.properties.repository import parcels
from functions.properties.service import parcels as properties
from functions.roll.service import rolls
from functions.sync.service import commands, run_views
from functions.valuation.repository import approvals
from functions.valuation.schemas.runs import ApprovalFilter
from shared.access import Caller
from shared.db import unit_of_work
from shared.precedence.overrides import Decision
from tests.conftest import MigratedDatabase
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.plain_connection import connect
from tests.integration.sync.precedence_model import Table

YEAR = 2026
SMALL = """
source_system_type: TESTING
target_schema_version: "1.1"
county_id_default: testing_wa
table_mappings:
  - source_table_name: place
    target_table_name: properties_operational
    primary_key_source_fields: [id]
    primary_key_target_fields: [property_id]
    watermark_field: changed_at
    field_map:
      - {source: id, target: property_id, type: string, required: true}
      - {source: class, target: property_class, type: string}
      - {source: built, target: year_built, type: integer}
      - {source: land, target: land_value, type: money}
      - {source: improvements, target: improvement_value, type: money}
      - {source: total, target: total_value, type: money}
      - {source: note, target: attributes.note, type: string}
      - {source: zone, target: attributes.zone, type: string}
  - source_table_name: roll
    target_table_name: assessments
    primary_key_source_fields: [id]
    primary_key_target_fields: [assessment_id]
    watermark_field: changed_at
    field_map:
      - {source: id, target: assessment_id, type: string, required: true}
      - {source: place, target: property_id, type: string, required: true}
      - {source: yr, target: roll_year, type: integer, required: true}
      - {source: total, target: total_value, type: money}
"""
COLUMNS = {
    "property_class": "class",
    "year_built": "built",
    "land_value": "land",
    "improvement_value": "improvements",
    "total_value": "total",
    "attributes.note": "note",
    "attributes.zone": "zone",
}
VALUES = ("land_value", "improvement_value", "total_value")
IDS = ("1", "2", "3")
POSSIBLE: dict[str, list[Any]] = {
    "property_class": ["R", "C", None],
    "year_built": [1950, 1960, None],
    **{name: [Decimal(100), Decimal(200), Decimal(300), None] for name in VALUES},
    "attributes.note": ["a", "b", None],
    "attributes.zone": ["x", "y", None],
}


CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())


class World:
    """The county and its model, which get the same changes."""

    def __init__(self, county: County) -> None:
        self.county = county
        self.clock = 0
        self.source: dict[str, dict[str, Any]] = {}
        self.places: dict[str, dict[str, Any]] = {}
        self.rolls: dict[str, dict[str, Any]] = {}
        self.properties = Table(COLUMNS)
        self.assessments = Table(("total_value",), ("land_value", "improvement_value", "assessed_value"))
        self.touched: set[tuple[str, str]] = set()
        self.approvals: list[UUID] = []
        self.closed = False
        for item in IDS:
            self.add_parcel(item)
        self.roll("1", Decimal(100))
        self.sync("full")

    def add_parcel(self, key: str) -> None:
        if key not in self.places:
            self.places[key] = {
                "property_class": "R", "year_built": 1950, "land_value": Decimal(100),
                "improvement_value": Decimal(100), "total_value": Decimal(200), "attributes.note": "a",
                "attributes.zone": None,
            }  # fmt: skip
            self._write("place", key, {COLUMNS[name]: value for name, value in self.places[key].items()})

    def remove_parcel(self, key: str) -> None:
        if self.places.pop(key, None) is not None:
            self.county.change(f"DELETE FROM place WHERE id = '{key}'")

    def change_source(self, key: str, change: tuple[str, Any]) -> None:
        if key in self.places:
            self.places[key][change[0]] = change[1]
            self._write("place", key, {COLUMNS[name]: value for name, value in self.places[key].items()})

    def roll(self, key: str, total: Decimal | None) -> None:
        """Set the county's own record of the year for a parcel, or delete it."""
        record = f"A{key}"
        if total is None:
            if self.rolls.pop(record, None) is not None:
                self.county.change(f"DELETE FROM roll WHERE id = '{record}'")
            return
        self.rolls[record] = {"total_value": total}
        self._write("roll", record, {"place": key, "yr": YEAR, "total": total})

    def edit(self, key: str, change: tuple[str, Any]) -> None:
        name, value = change
        row = self.properties.rows[key]
        if row.fields[name].value == value:
            return
        decision = Decision(uuid4(), "edit", "an assessor")
        with unit_of_work(COUNTY) as connection:
            if name.startswith("attributes."):
                before = parcels.find(connection, COUNTY, key)
                assert before is not None
                merged = properties._merged(before.attributes, {name.partition(".")[2]: value})
                parcels.supersede(connection, COUNTY, key, {"attributes": merged}, decision)
            else:
                parcels.supersede(connection, COUNTY, key, {name: value}, decision)
        row.decide(decision.decision_id, {name: value})

    def close_roll(self) -> None:
        """Close the roll of the year, where there is one."""
        if self.assessments.live():
            rolls.set_status(COUNTY, YEAR, "closed", None, caller=CALLER)
            self.closed = True

    def open_roll(self) -> None:
        if self.closed:
            rolls.set_status(COUNTY, YEAR, "open", "by mistake", caller=CALLER)
            self.closed = False

    def approve(self, keys: set[str], land_and_total: tuple[int, int]) -> None:
        if self.closed:
            return
        run_id, approval_id = uuid4(), uuid4()
        land, total = (Decimal(item) for item in land_and_total)
        values = {"land_value": land, "improvement_value": total - land, "total_value": total}
        request = ApprovalFilter()
        with unit_of_work(COUNTY) as connection:
            for key in keys:
                connection.execute(
                    text(
                        "INSERT INTO valuation_run_results (county_id, run_id, property_id, partition_no, estimate,"
                        " land_value, review, flags) VALUES (:county, :run, :key, 1, :total, :land, false, '[]')"
                    ),
                    {"county": COUNTY, "run": run_id, "key": key, "total": total, "land": land},
                )
            posted = approvals.post(
                connection, COUNTY, approval_id, run_id=run_id, roll_year=YEAR, approval_filter=request,
                assessment_ratio=Decimal(1), by="an assessor",
            )  # fmt: skip
            approvals.add(
                connection, COUNTY, approval_id, run_id=run_id, roll_year=YEAR, approval_filter=request, posted=posted,
                by="an assessor",
            )  # fmt: skip
        self.approvals.append(approval_id)
        for key in keys:
            if not self.properties.rows[key].retired:
                self.properties.rows[key].decide(approval_id, values)
                self._assess(key, approval_id, values | {"assessed_value": total})

    def _assess(self, key: str, approval_id: UUID, values: dict[str, Any]) -> None:
        rows, record, own = self.assessments.rows, f"A{key}", f"terrafusion-{YEAR}-{key}"
        if record in rows and not rows[record].retired:
            rows[record].decide(approval_id, values)
        elif own in rows:
            if rows[own].retired:
                rows[own].retired = False
                rows[own].brought_back.add(approval_id)
            rows[own].decide(approval_id, values)
        else:
            self.assessments.add(own, values, made_by=approval_id)

    def undo(self, which: int) -> None:
        if not self.approvals or self.closed:
            return
        approval_id, undo_id = self.approvals[which % len(self.approvals)], uuid4()
        rows = [*self.properties.rows.values(), *self.assessments.rows.values()]
        with unit_of_work(COUNTY) as connection:
            moved = approvals.count_superseded(connection, COUNTY, approval_id)
            assert bool(moved) == any(row.is_built_upon(approval_id) for row in rows)
            if moved:
                return
            approvals.restore(connection, COUNTY, approval_id, undo_id)
            approvals.set_undone(connection, COUNTY, approval_id, undo_id, "an assessor")
        self.approvals.remove(approval_id)
        for row in rows:
            row.withdraw(approval_id)

    def sync(self, mode: str) -> None:
        run_id, outcome = self.county.sync(mode=mode)
        before = self.county.query("SELECT count(*) FROM roll_corrections")
        if outcome == "awaiting_approval":
            commands.approve(COUNTY, UUID(run_id), CALLER)
            self.county.finish(run_id)
        roll_rows = self.county.query("SELECT 1 FROM assessments WHERE sync_run_id = CAST(:id AS uuid)", id=run_id)
        corrected = self.county.query("SELECT count(*) FROM roll_corrections") != before
        assert corrected == (outcome == "awaiting_approval") == bool(self.closed and roll_rows)
        whole = mode != "incremental"
        conflicts = 0
        for name, source, table in (("place", self.places, self.properties), ("roll", self.rolls, self.assessments)):
            read = set(source) if whole else {key for of_table, key in self.touched if of_table == name}
            conflicts += table.sync(source, read, retires=whole)
        self.touched.clear()
        rows = self.assessments.rows
        for key in IDS:
            record, own = rows.get(f"A{key}"), rows.get(f"terrafusion-{YEAR}-{key}")
            if own is not None and record is not None and not record.retired:
                own.retired = True
        assert run_views.get(COUNTY, UUID(run_id)).findings.get("override_conflict", 0) == conflicts

    def check(self) -> None:
        """Assert that both have the same live rows."""
        plain = ", ".join(name for name in COLUMNS if "." not in name)
        rows = self.county.query(
            f"SELECT property_id, {plain}, attributes ->> 'note', attributes ->> 'zone' FROM properties_operational"
            " WHERE retired_at IS NULL"
        )
        assert {row[0]: dict(zip(COLUMNS, row[1:], strict=True)) for row in rows} == self.properties.live()
        names = (*self.assessments.filled, *self.assessments.other)
        rows = self.county.query(f"SELECT assessment_id, {', '.join(names)} FROM assessments WHERE retired_at IS NULL")
        assert {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows} == self.assessments.live()

    def _write(self, table: str, key: str, values: dict[str, Any]) -> None:
        self.clock += 1
        self.touched.add((table, key))
        columns = {"id": key, **values}
        message = ", ".join("NULL" if item is None else f"'{item}'" for item in columns.values())
        names = ", ".join(columns)
        self.county.change(f"DELETE FROM {table} WHERE id = '{key}'")
        self.county.change(
            f"INSERT INTO {table} ({names}, changed_at)"
            f" VALUES ({message}, '2026-01-01'::timestamp + interval '1h' * {self.clock})"
        )


def prepare(county: County) -> None:
    """Three parcels and their roll, with a column that says when each changed."""
    county.change(
        "CREATE TABLE place (id text PRIMARY KEY, class text, built text, land text, improvements text, total text,"
        " note text, zone text, changed_at timestamp);"
        "CREATE TABLE roll (id text PRIMARY KEY, place text, yr integer, total text, changed_at timestamp)"
    )
    county.set_mapping(SMALL)
    county.configure(guards={"max_removed_share": 1, "max_rejected_share": 1}, incremental={"overlap_seconds": 0})


def new_world(database: MigratedDatabase, county: County) -> World:
    """A county without data, and an empty model."""
    empty(database, county)
    return World(county)


def empty(database: MigratedDatabase, county: County) -> None:
    """Delete all of the county's data but what is append-only, and that of its source."""
    owner = connect(database.owner_url)
    tables = owner.run(
        "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename NOT IN ('counties', 'alembic_version') AND NOT EXISTS (SELECT FROM pg_trigger"
        "  WHERE tgrelid = CAST(quote_ident(tablename) AS regclass) AND tgname = 'append_only')"
    )[0][0]
    owner.run(f"TRUNCATE {tables}")
    owner.close()
    county.change("DELETE FROM place; DELETE FROM roll")
