"""Decided values stand until the source's value of the field changes, in any order of syncs and decisions."""

import os
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from functions.properties.service import parcels as properties
from functions.sync.handler import handler
from functions.sync.service import commands
from functions.sync.tasks import machine
from shared.access import Caller
from shared.db import unit_of_work
from tests.conftest import MigratedDatabase
from tests.gateway import call, claims_of
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.precedence_world import COLUMNS, IDS, POSSIBLE, new_world

EXAMPLES = int(os.environ.get("PRECEDENCE_EXAMPLES", "6"))
"""Orders tried; a number in the environment tries more."""

PHASES = (Phase.generate,) if EXAMPLES < 20 else (Phase.generate, Phase.shrink)

CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())
FINDINGS = "/v1/counties/{county_id}/sync-runs/{run_id}/findings"


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
    st.tuples(st.sampled_from(["remove_parcel", "add_parcel"]), IDENTIFIED),
    st.tuples(st.sampled_from(["close_roll", "open_roll"])),
    st.tuples(st.just("sync"), st.sampled_from(["full", "incremental", "snapshot"])),
    st.tuples(st.just("sync"), st.sampled_from(["full", "incremental", "snapshot"])),
)


@settings(max_examples=EXAMPLES, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_any_order_of_syncs_and_decisions_comes_to_what_the_rule_says(
    database: MigratedDatabase, small: County, steps: list[tuple[Any, ...]]
) -> None:
    world = new_world(database, small)
    for name, *given_ in [*steps, ("sync", "full")]:
        step = world.change_source if name == "source" else getattr(world, name)
        step(*given_)
        world.check()


def test_the_fields_that_the_source_wins_are_findings_of_the_run_before_and_after_it_is_applied(
    database: MigratedDatabase, small: County
) -> None:
    world = new_world(database, small)
    world.edit("1", ("year_built", 1960))
    world.edit("1", ("attributes.note", "b"))
    world.edit("2", ("property_class", "C"))
    world.change_source("1", ("year_built", 1970))
    world.change_source("2", ("property_class", "C"))  # the source agrees by now: no conflict
    run_id, outcome = small.sync(validate_only=True)
    assert outcome == "awaiting_approval"
    waiting = found_by(run_id)
    commands.approve(COUNTY, UUID(run_id), CALLER)
    small.finish(run_id)

    assert found_by(run_id) == waiting
    (finding,) = waiting
    assert (finding["kind"], finding["table"], finding["key"], finding["field"]) == (
        "override_conflict", "properties_operational", "1", "year_built",
    )  # fmt: skip
    details = finding["details"]
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
    world = new_world(database, small)
    world.approve({"1"}, (150, 400))
    world.change_source("1", ("land_value", Decimal(120)))
    run_id, _ = small.sync()
    findings = {item["kind"]: item for item in found_by(run_id)}
    assert findings["override_conflict"]["field"] == "land_value"
    assert findings["values_disagree"]["details"] == {
        "land_value": "120.00", "improvement_value": "250.00", "total_value": "400.00",
    }  # fmt: skip


def test_what_was_decided_while_a_run_was_on_its_way_stands(database: MigratedDatabase, small: County) -> None:
    world = new_world(database, small)
    world.change_source("1", ("property_class", "C"))
    planned = small.plan()
    for item in small.items(planned):
        small.partition(planned["run_id"], item)
    assert small.step(machine.reconcile, planned["run_id"])["outcome"] == "apply"
    world.edit("1", ("year_built", 1960))
    small.finish(planned["run_id"])
    assert small.query("SELECT property_class, year_built FROM properties_operational WHERE property_id = '1'") == [
        ("C", 1960)
    ]


def test_a_snapshot_reverts_undecided_edits_and_keeps_decided_ones(database: MigratedDatabase, small: County) -> None:
    world = new_world(database, small)
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
    world = new_world(database, small)
    world.edit("1", ("attributes.note", "b"))
    world.approve({"1"}, (150, 400))
    world.undo(0)
    world.change_source("1", ("attributes.zone", "y"))
    run_id, _ = small.sync()
    newest_first = properties.history(COUNTY, "1")
    assert [item.author.kind for item in newest_first] == ["sync", "approval_undone", "approval", "edit", "sync"]
    assert newest_first[0].author.sync_run_id == UUID(run_id)
    assert newest_first[0].author.source == "TESTING"
    assert [item.author.by for item in newest_first[1:4]] == ["an assessor"] * 3
    assert newest_first[2].author.valuation_run_id is not None
    assert list(newest_first[0].changes) == ["attributes.zone"]
    assert newest_first[3].changes["attributes.note"].model_dump() == {"old": "a", "new": "b"}


def found_by(run_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = call(handler, "GET", FINDINGS, **asked(run_id)).body["items"]
    return [{name: value for name, value in item.items() if name != "finding_no"} for item in items]


def asked(run_id: str) -> dict[str, Any]:
    return {"path": {"county_id": COUNTY, "run_id": run_id}, "claims": claims_of(counties=(COUNTY,))}
