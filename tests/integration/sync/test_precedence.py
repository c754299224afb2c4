"""What is decided here stands until the source's own value of that field changes: any order of syncs and decisions."""

import os
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pg8000.native import Connection
from sqlalchemy import text

from functions.properties.repository import parcels
from functions.properties.service import parcels as properties
from functions.sync import tasks
from functions.sync.handler import handler
from functions.sync.service import requests, showing
from functions.valuation.repository import approvals
from functions.valuation.schemas.runs import ApprovalFilter
from shared.access import Caller
from shared.db import unit_of_work
from shared.overrides import Decision
from tests.conftest import MigratedDatabase
from tests.gateway import call, claims_of
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.precedence_model import Table

EXAMPLES = int(os.environ.get("PRECEDENCE_EXAMPLES", "6"))
"""How many orders are tried; a number in the environment tries more."""

PHASES = (Phase.generate,) if EXAMPLES < 20 else (Phase.generate, Phase.shrink)

CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())
FINDINGS = "/v1/counties/{county_id}/sync-runs/{run_id}/findings"
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


def of(fields: tuple[str, ...]) -> st.SearchStrategy[tuple[str, Any]]:
    return st.sampled_from([(name, value) for name in fields for value in POSSIBLE[name]])


IDENTIFIED = st.sampled_from(IDS)
EDITABLE = ("property_class", "year_built", "attributes.note")
STEPS = st.one_of(
    st.tuples(st.just("source"), IDENTIFIED, of(tuple(COLUMNS))),
    st.tuples(st.just("edit"), IDENTIFIED, of(EDITABLE)),
    st.tuples(st.just("edit"), IDENTIFIED, of(EDITABLE)),
    st.tuples(st.just("approve"), st.sets(IDENTIFIED, min_size=1), st.sampled_from([(100, 300), (200, 300)])),
    st.tuples(st.just("undo"), st.integers(0, 3)),
    st.tuples(st.just("roll"), IDENTIFIED, st.sampled_from([None, Decimal(300), Decimal(400)])),
    st.tuples(st.sampled_from(["goes", "comes"]), IDENTIFIED),
    st.tuples(st.just("sync"), st.sampled_from(["full", "incremental", "snapshot"])),
    st.tuples(st.just("sync"), st.sampled_from(["full", "incremental", "snapshot"])),
)


class World:
    """The county and the model of it, changed alike."""

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
        for one in IDS:
            self.comes(one)
        self.roll("1", Decimal(100))
        self.sync("full")

    def comes(self, key: str) -> None:
        if key not in self.places:
            self.places[key] = {
                "property_class": "R", "year_built": 1950, "land_value": Decimal(100),
                "improvement_value": Decimal(100), "total_value": Decimal(200), "attributes.note": "a",
                "attributes.zone": None,
            }  # fmt: skip
            self._write("place", key, {COLUMNS[name]: value for name, value in self.places[key].items()})

    def goes(self, key: str) -> None:
        if self.places.pop(key, None) is not None:
            self.county.change(f"DELETE FROM place WHERE id = '{key}'")

    def source_says(self, key: str, change: tuple[str, Any]) -> None:
        if key in self.places:
            self.places[key][change[0]] = change[1]
            self._write("place", key, {COLUMNS[name]: value for name, value in self.places[key].items()})

    def roll(self, key: str, total: Decimal | None) -> None:
        """The county's own record of the year for a parcel, or none."""
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

    def approve(self, keys: set[str], land_and_total: tuple[int, int]) -> None:
        run_id, approval_id = uuid4(), uuid4()
        land, total = (Decimal(one) for one in land_and_total)
        values = {"land_value": land, "improvement_value": total - land, "total_value": total}
        wanted = ApprovalFilter()
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
                connection, COUNTY, approval_id, run_id=run_id, roll_year=YEAR, wanted=wanted,
                assessment_ratio=Decimal(1), by="an assessor",
            )  # fmt: skip
            approvals.add(
                connection, COUNTY, approval_id, run_id=run_id, roll_year=YEAR, wanted=wanted, posted=posted,
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
        if not self.approvals:
            return
        approval_id, undo_id = self.approvals[which % len(self.approvals)], uuid4()
        rows = [*self.properties.rows.values(), *self.assessments.rows.values()]
        with unit_of_work(COUNTY) as connection:
            moved = approvals.moved_on(connection, COUNTY, approval_id)
            assert bool(moved) == any(row.in_the_way(approval_id) for row in rows)
            if moved:
                return
            approvals.take_back(connection, COUNTY, approval_id, undo_id)
            approvals.set_undone(connection, COUNTY, approval_id, undo_id, "an assessor")
        self.approvals.remove(approval_id)
        for row in rows:
            row.withdraw(approval_id)

    def sync(self, mode: str) -> None:
        run_id, outcome = self.county.sync(mode=mode)
        assert outcome in ("apply", "unchanged")
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
        assert showing.get(COUNTY, UUID(run_id)).findings.get("override_conflict", 0) == conflicts

    def check(self) -> None:
        """Both say the same of every row that is not retired."""
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
        said = ", ".join("NULL" if one is None else f"'{one}'" for one in columns.values())
        names = ", ".join(columns)
        self.county.change(f"DELETE FROM {table} WHERE id = '{key}'")
        self.county.change(
            f"INSERT INTO {table} ({names}, changed_at)"
            f" VALUES ({said}, '2026-01-01'::timestamp + interval '1h' * {self.clock})"
        )


@pytest.fixture
def small(county: County) -> County:
    """Three parcels and their roll, with a column that says when each changed."""
    county.change(
        "CREATE TABLE place (id text PRIMARY KEY, class text, built text, land text, improvements text, total text,"
        " note text, zone text, changed_at timestamp);"
        "CREATE TABLE roll (id text PRIMARY KEY, place text, yr integer, total text, changed_at timestamp)"
    )
    county.set_mapping(SMALL)
    county.configure(guards={"max_removed_share": 1}, incremental={"overlap_seconds": 0})
    return county


def anew(database: MigratedDatabase, county: County) -> World:
    """As if nothing had ever been synced."""
    url = database.owner_url
    owner = Connection(
        url.username or "", password=url.password, host=url.host, port=url.port, database=url.database,
        ssl_context=False,
    )  # fmt: skip
    tables = owner.run(
        "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename NOT IN ('counties', 'alembic_version')"
    )[0][0]
    owner.run(f"TRUNCATE {tables}")
    owner.close()
    county.change("DELETE FROM place; DELETE FROM roll")
    return World(county)


@settings(max_examples=EXAMPLES, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_any_order_of_syncs_and_decisions_comes_to_what_the_rule_says(
    database: MigratedDatabase, small: County, steps: list[tuple[Any, ...]]
) -> None:
    world = anew(database, small)
    for name, *given_ in [*steps, ("sync", "full")]:
        step = world.source_says if name == "source" else getattr(world, name)
        step(*given_)
        world.check()


def test_the_fields_that_the_source_wins_are_findings_of_the_run_before_and_after_it_is_applied(
    database: MigratedDatabase, small: County
) -> None:
    world = anew(database, small)
    world.edit("1", ("year_built", 1960))
    world.edit("1", ("attributes.note", "b"))
    world.edit("2", ("property_class", "C"))
    world.source_says("1", ("year_built", 1970))
    world.source_says("2", ("property_class", "C"))  # the source agrees by now: no conflict
    run_id, outcome = small.sync(validate_only=True)
    assert outcome == "awaiting_approval"
    waiting = found_by(run_id)
    requests.approve(COUNTY, UUID(run_id), CALLER)
    small.finish(run_id)

    assert found_by(run_id) == waiting
    (one,) = waiting
    assert (one["kind"], one["table"], one["key"], one["field"]) == (
        "override_conflict", "properties_operational", "1", "year_built",
    )  # fmt: skip
    details = one["details"]
    assert (details["source_before"], details["decided"], details["source"]) == (1950, 1960, 1970)
    assert (details["decided_by"], details["origin"]) == ("an assessor", "edit")
    standing = small.query("SELECT field, ended_why FROM field_overrides ORDER BY row_key, field")
    assert standing == [
        ("attributes.note", None),
        ("year_built", "source_changed"),
        ("property_class", "source_agrees"),
    ]
    assert call(handler, "GET", FINDINGS, **asked(run_id), query={"kind": "values_disagree"}).body["items"] == []
    assert call(handler, "GET", FINDINGS, **asked(run_id), query={"kind": "nonsense"}).status in (400, 422)


def test_a_value_of_the_source_beside_an_approved_total_is_a_finding_where_they_do_not_add_up(
    database: MigratedDatabase, small: County
) -> None:
    world = anew(database, small)
    world.approve({"1"}, (150, 400))
    world.source_says("1", ("land_value", Decimal(120)))
    run_id, _ = small.sync()
    found = {one["kind"]: one for one in found_by(run_id)}
    assert found["override_conflict"]["field"] == "land_value"
    assert found["values_disagree"]["details"] == {
        "land_value": "120.00", "improvement_value": "250.00", "total_value": "400.00",
    }  # fmt: skip


def test_what_was_decided_while_a_run_was_on_its_way_stands(database: MigratedDatabase, small: County) -> None:
    world = anew(database, small)
    world.source_says("1", ("property_class", "C"))
    planned = small.plan()
    for item in small.items(planned):
        small.partition(planned["run_id"], item)
    assert small.step(tasks.reconcile, planned["run_id"])["outcome"] == "apply"
    world.edit("1", ("year_built", 1960))
    small.finish(planned["run_id"])
    assert small.query("SELECT property_class, year_built FROM properties_operational WHERE property_id = '1'") == [
        ("C", 1960)
    ]


def test_a_snapshot_mends_what_nobody_decided_and_leaves_what_somebody_did(
    database: MigratedDatabase, small: County
) -> None:
    world = anew(database, small)
    world.edit("1", ("year_built", 1960))
    world.edit("1", ("attributes.zone", "y"))
    with unit_of_work(COUNTY) as connection:
        tampered = "property_class = 'X', attributes = attributes || '{\"note\": \"tampered\"}'"
        connection.execute(text(f"UPDATE properties_operational SET {tampered} WHERE property_id = '1'"))
    assert small.sync(mode="full")[1] == "unchanged"
    run_id, outcome = small.sync(mode="snapshot")
    assert outcome == "apply"
    world.check()
    ((counts,),) = small.query(
        "SELECT counts #> '{tables,properties_operational}' FROM sync_runs WHERE run_id = CAST(:id AS uuid)", id=run_id
    )
    assert (counts["changed"], counts["changed_fields"]) == (
        1, {"property_class": 1, "attributes": 1, "attributes.note": 1},
    )  # fmt: skip


def test_history_says_who_made_each_version_and_which_attribute_changed(
    database: MigratedDatabase, small: County
) -> None:
    world = anew(database, small)
    world.edit("1", ("attributes.note", "b"))
    world.approve({"1"}, (150, 400))
    world.undo(0)
    world.source_says("1", ("attributes.zone", "y"))
    run_id, _ = small.sync()
    newest_first = properties.history(COUNTY, "1")
    assert [one.author.kind for one in newest_first] == ["sync", "approval_undone", "approval", "edit", "sync"]
    assert newest_first[0].author.sync_run_id == UUID(run_id)
    assert newest_first[0].author.source == "TESTING"
    assert [one.author.by for one in newest_first[1:4]] == ["an assessor"] * 3
    assert newest_first[2].author.valuation_run_id is not None
    assert list(newest_first[0].changes) == ["attributes.zone"]
    assert newest_first[3].changes["attributes.note"].model_dump() == {"old": "a", "new": "b"}


def found_by(run_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = call(handler, "GET", FINDINGS, **asked(run_id)).body["items"]
    return [{name: value for name, value in one.items() if name != "finding_no"} for one in items]


def asked(run_id: str) -> dict[str, Any]:
    return {"path": {"county_id": COUNTY, "run_id": run_id}, "claims": claims_of(counties=(COUNTY,))}
