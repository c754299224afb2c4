"""Roll-back of applied runs: every row as it was before, as a new version, and what stands against that named."""

import os
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.districts.tasks.index_addresses import index_addresses
from functions.properties.repository import parcels
from functions.properties.service import parcels as properties
from functions.roll.service import rolls
from functions.sync.handler import handler
from functions.sync.schemas.runs import RollBackRequest
from functions.sync.service import commands, roll_backs
from functions.sync.tasks import machine
from shared.access import Caller, Role
from shared.db import unit_of_work
from shared.precedence.overrides import Decision
from shared.problems import Conflict
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, LambdaContext, call, claims_of
from tests.integration.sync.conftest import events_in
from tests.integration.sync.county import COUNTY, MAPPING, County
from tests.integration.sync.precedence_world import empty
from tests.integration.sync.sync_steps import carry_out

EXAMPLES = int(os.environ.get("ROLL_BACK_EXAMPLES", "4"))
"""Orders tried; a number in the environment tries more."""
CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())
RUN = "/v1/counties/{county_id}/sync-runs/{run_id}"
Contents = dict[tuple[str, str], Any]

_CONTENT = (
    "SELECT '{0}', {1}, to_jsonb(t) - ARRAY['version', 'valid_from', 'sync_run_id', 'retired_at'],"
    " retired_at IS NOT NULL FROM {0} AS t"
)


def contents(county: County) -> Contents:
    """What each parcel and sale is, whatever the number of its versions."""
    tables = (("properties_operational", "property_id"), ("sales", "sale_id"), ("assessments", "assessment_id"))
    statement = " UNION ALL ".join(_CONTENT.format(*table) for table in tables)
    return {(table, key): (row, retired) for table, key, row, retired in county.query(statement)}


def numbers_of_versions(county: County) -> dict[str, int]:
    return dict(county.query("SELECT property_id, version FROM properties_operational"))


def roll_back(run_id: str, **options: Any) -> str:
    """Start a roll-back; the id of its run."""
    request = RollBackRequest(**options)
    return str(roll_backs.roll_back(COUNTY, UUID(run_id), request, caller=CALLER, idempotency_key=None).id)


def edit(key: str, **fields: Any) -> None:
    with unit_of_work(COUNTY) as connection:
        parcels.supersede(connection, COUNTY, key, fields, Decision(uuid4(), "edit", "an assessor"))


def asked(resource: str, run_id: str, method: str = "GET", role: Role = Role.IT_ADMIN, body: Any = None) -> Answer:
    claims = claims_of(role, [COUNTY])
    return call(handler, method, RUN + resource, path={"county_id": COUNTY, "run_id": run_id}, claims=claims, body=body)


@pytest.fixture
def second_run(county: County) -> tuple[Contents, str]:
    """A run that changed, removed, returned and added rows, and what there was before it."""
    county.sync()
    county.change("DELETE FROM parcel WHERE id = 3")
    county.sync()
    before = contents(county)
    county.change(
        "UPDATE parcel SET value = '7', note = '' WHERE id <= 12; DELETE FROM parcel WHERE id BETWEEN 20 AND 24;"
        "INSERT INTO parcel (id, pin, class, built, value) VALUES (3, 'P3', 'R', '1950', '3'), (900, 'P900', 'C',"
        " '1999', '9'); DELETE FROM sale WHERE parcel_id = 5"
    )
    run_id, outcome = county.sync()
    assert outcome == "apply"
    assert contents(county) != before
    return before, run_id


def test_every_row_goes_back_as_a_new_version_and_history_keeps_all(
    county: County, second_run: tuple[Contents, str]
) -> None:
    before, run_id = second_run
    versions = numbers_of_versions(county)
    rolled_back = roll_back(run_id, reason="the extract was of another day")
    assert carry_out(COUNTY, rolled_back) == "apply"

    after = contents(county)
    assert {key: row for key, row in after.items() if key in before} == before
    assert all(retired for key, (_, retired) in after.items() if key not in before)
    now = numbers_of_versions(county)
    assert {now[key] - versions[key] for key in ("000001", "000020", "000003", "000900")} == {1}
    assert now["000100"] == versions["000100"]
    shown = asked("", rolled_back).body
    assert (shown["mode"], shown["rolls_back"], shown["status"]) == ("roll_back", run_id, "succeeded")
    assert asked("", run_id).body["rolled_back_by"] == rolled_back
    changes = asked("/changes", rolled_back).body["items"]
    assert {item["change"] for item in changes} == {"changed", "removed", "returned"}
    newest = properties.history(COUNTY, "000001")[0]
    assert (newest.author.kind, newest.author.by) == ("roll_back", "somebody")
    ((actor, details),) = county.query("SELECT actor, details FROM audit_events WHERE action = 'sync.rolled_back'")
    assert (actor, details["rolled_back"], details["reason"]) == ("somebody", run_id, "the extract was of another day")


def test_a_roll_back_announces_itself_so_that_the_index_has_the_addresses_before(county: County, queue: str) -> None:
    def indexed() -> list[str]:
        for event in events_in(queue):
            index_addresses(event, LambdaContext())
        rows = county.query("SELECT property_id, number, street FROM situs_addresses WHERE street <> '' ORDER BY 1")
        return [" ".join(row) for row in rows]

    county.set_mapping(MAPPING.replace("source: note, target: attributes.note", "source: spare, target: situs_address"))
    county.change("UPDATE parcel SET spare = id || ' Oak Street' WHERE id <= 2")
    county.sync()
    before = indexed()
    county.change("UPDATE parcel SET spare = '77 Elm Avenue' WHERE id = 1; DELETE FROM parcel WHERE id = 2")
    run_id, _ = county.sync()
    changed = indexed()
    carry_out(COUNTY, roll_back(run_id))

    assert (before, changed) == (["000001 1 OAK ST", "000002 2 OAK ST"], ["000001 77 ELM AVE"])
    assert indexed() == before


def test_the_next_sync_waits_for_somebody_before_it_brings_the_rows_again(
    county: County, second_run: tuple[Contents, str]
) -> None:
    _, run_id = second_run
    brought = contents(county)
    carry_out(COUNTY, roll_back(run_id))
    again, outcome = county.sync()
    assert outcome == "awaiting_approval"
    assert {finding["guard"] for finding in asked("", again).body["guard_findings"]} == {"rolled_back"}
    commands.approve(COUNTY, UUID(again), CALLER)
    county.finish(again)
    assert contents(county) == brought
    county.change("UPDATE parcel SET value = '8' WHERE id = 1")
    assert county.sync()[1] == "apply"


def test_a_row_that_was_edited_since_is_named_and_nothing_goes_back_unless_it_is_skipped(
    county: County, second_run: tuple[Contents, str]
) -> None:
    before, run_id = second_run
    edit("000001", year_built=1961)
    edited = contents(county)
    refused = roll_back(run_id)
    with pytest.raises(Conflict, match="1 of the rows have changed since") as error:
        carry_out(COUNTY, refused)
    county.fail(refused, error.value)
    assert contents(county) == edited
    (finding,) = asked("/findings", refused).body["items"]
    assert (finding["kind"], finding["key"]) == ("later_change", "000001")
    assert finding["details"] == {"version": 3, "fields": ["year_built"], "changed_by": "an assessor"}

    shown = roll_back(run_id, dry_run=True)
    assert carry_out(COUNTY, shown) == "awaiting_approval"
    assert contents(county) == edited
    assert len(asked("/changes", shown).body["items"]) == 19
    assert asked("/approve", shown, "POST").body["type"].endswith("later-changes")

    assert carry_out(COUNTY, roll_back(run_id, skip_conflicts=True)) == "apply"
    key = ("properties_operational", "000001")
    after = contents(county)
    assert after[key] == edited[key]
    assert {other: row for other, row in after.items() if other in before and other != key} == {
        other: row for other, row in before.items() if other != key
    }


def test_an_edit_between_the_comparison_and_the_writing_keeps_everything_as_it_is(
    county: County, second_run: tuple[Contents, str]
) -> None:
    _, run_id = second_run
    planned = county.plan(run_id=roll_back(run_id))
    for item in county.items(planned):
        county.partition(planned["run_id"], item)
    assert county.step(machine.reconcile, planned["run_id"])["outcome"] == "apply"
    edit("000001", year_built=1961)
    edited = contents(county)
    with pytest.raises(Conflict, match="edited since"):
        county.step(machine.apply, planned["run_id"])
    assert contents(county) == edited


def test_a_run_is_rolled_back_once_and_a_roll_back_not_at_all(county: County, second_run: tuple[Contents, str]) -> None:
    _, run_id = second_run
    rolled_back = roll_back(run_id)
    carry_out(COUNTY, rolled_back)
    assert roll_back(run_id) == rolled_back
    with pytest.raises(Conflict, match="roll-back itself"):
        roll_back(rolled_back)
    waiting, _ = county.sync(validate_only=True)
    with pytest.raises(Conflict, match="was not applied"):
        roll_back(waiting)
    assert asked("/roll-back", run_id, "POST", Role.ASSESSOR, {}).status == 403
    assert asked("/roll-back", str(uuid4()), "POST", body={}).status == 404


def test_two_runs_go_back_one_after_the_other(county: County, second_run: tuple[Contents, str]) -> None:
    before, second = second_run
    county.change("UPDATE parcel SET value = '70' WHERE id <= 6")
    third, _ = county.sync()
    carry_out(COUNTY, roll_back(third))
    carry_out(COUNTY, roll_back(second))
    after = contents(county)
    assert {key: row for key, row in after.items() if key in before} == before


def test_an_incremental_sync_after_a_roll_back_reads_the_tables_whole(small: County) -> None:
    small.change("DELETE FROM place; DELETE FROM roll")
    small.change("INSERT INTO place VALUES ('1', 'R', 1950, 1, 1, 2, 'a', NULL, '2026-01-01')")
    small.sync(mode="full")
    small.change("UPDATE place SET built = 1960, changed_at = '2026-01-02'")
    run_id, _ = small.sync(mode="incremental")
    carry_out(COUNTY, roll_back(run_id))
    again, outcome = small.sync(mode="incremental")
    assert outcome == "awaiting_approval"
    assert asked("", again).body["tables"]["properties_operational"]["read_by"] == "whole"


def test_rows_of_a_closed_roll_stand_against_a_roll_back(small: County) -> None:
    small.change(
        "DELETE FROM place; DELETE FROM roll;"
        "INSERT INTO place VALUES ('1', 'R', 1950, 1, 1, 2, 'a', NULL, '2026-01-01');"
        "INSERT INTO roll VALUES ('A1', '1', 2026, 100, '2026-01-01')"
    )
    small.sync()
    small.change("UPDATE roll SET total = 300, changed_at = '2027-01-02'")
    run_id, _ = small.sync()
    brought = contents(small)
    rolls.set_status(COUNTY, 2026, "closed", None, caller=CALLER)
    refused = roll_back(run_id)
    with pytest.raises(Conflict, match="closed roll") as error:
        carry_out(COUNTY, refused)
    small.fail(refused, error.value)
    (finding,) = asked("/findings", refused).body["items"]
    assert finding["details"]["closed_roll"] == 2026
    assert contents(small) == brought


KEYS = st.sampled_from(["1", "2", "3"])
STEPS = st.one_of(
    st.tuples(st.just("source"), KEYS, st.sampled_from([1950, 1960, 1970])),
    st.tuples(st.just("remove"), KEYS),
    st.tuples(st.just("edit"), KEYS, st.sampled_from([1981, 1982])),
    st.tuples(st.just("sync")),
    st.tuples(st.just("sync")),
    st.tuples(st.just("roll_back"), st.integers(0, 3)),
)


class Orders:
    """Syncs, edits and roll-backs of three parcels, with what each sync found and left."""

    def __init__(self, county: County) -> None:
        self.county = county
        self.clock = 0
        self.runs: list[tuple[str, Contents, Contents]] = []
        for key in ("1", "2", "3"):
            self.source(key, 1950)
        self.sync()

    def source(self, key: str, built: int) -> None:
        self.remove(key)
        self.clock += 1
        self.county.change(
            f"INSERT INTO place VALUES ('{key}', 'R', {built}, 1, 1, 2, NULL, NULL,"
            f" '2026-01-01'::timestamp + interval '1h' * {self.clock})"
        )

    def remove(self, key: str) -> None:
        self.county.change(f"DELETE FROM place WHERE id = '{key}'")

    def edit(self, key: str, built: int) -> None:
        with unit_of_work(COUNTY) as connection:
            row = parcels.find(connection, COUNTY, key)
        if row is not None and row.year_built != built:
            edit(key, year_built=built)

    def sync(self) -> None:
        before = contents(self.county)
        run_id, outcome = self.county.sync(mode="snapshot")
        if outcome == "awaiting_approval":  # the first after a roll-back
            commands.approve(COUNTY, UUID(run_id), CALLER)
            self.county.finish(run_id)
        if outcome != "unchanged":
            self.runs.append((run_id, before, contents(self.county)))

    def roll_back(self, back: int) -> None:
        if back >= len(self.runs):
            return
        run_id, before, left = self.runs.pop(-1 - back)
        present = contents(self.county)
        history = self._history()
        carry_out(COUNTY, roll_back(run_id, skip_conflicts=True))
        after = contents(self.county)
        for key, row in present.items():
            written = before.get(key) != left.get(key)
            expected = before.get(key) if written and row == left[key] else row
            if expected is None:  # the run had made it
                assert after[key][1], key
            else:
                assert after[key] == expected, key
        assert history <= self._history()

    def _history(self) -> set[tuple[Any, ...]]:
        return set(self.county.query("SELECT to_jsonb(h)::text FROM properties_operational_history AS h"))


@settings(max_examples=EXAMPLES, phases=(Phase.generate,), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=5, max_size=14))
def test_after_any_order_a_roll_back_restores_the_rows_that_nothing_else_has_changed(
    database: MigratedDatabase, small: County, steps: list[tuple[Any, ...]]
) -> None:
    empty(database, small)
    orders = Orders(small)
    for name, *arguments in [*steps, ("roll_back", 0)]:
        getattr(orders, name)(*arguments)
