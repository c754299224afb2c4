"""From a run to the roll and back, on PostgreSQL: what is written, and that taking it back leaves what was before."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from functions.properties.repository import parcels
from functions.roll.handler import handler as roll_handler
from functions.valuation.repository import approvals as repository
from functions.valuation.tasks.approval import handler as task
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import Assessment, AuditEvent, County, PropertyOperational
from shared.precedence.overrides import Decision
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county, add_parcel
from tests.integration.valuation.runs import approval, done, finished, posted, results, run
from tests.job_cloud import run_task

YEAR = 2024
SOME = {"filter": {"property_ids": [f"P{number:04}" for number in range(40)]}}
VALUES = ("land_value", "improvement_value", "total_value")


@pytest.fixture(autouse=True)
def county(champion: str) -> None:
    """Assessments of the county's own for P0000 to P0019 in 2024, for P0003 also in 2025."""
    add_assessments([(f"A{number:04}", f"P{number:04}", YEAR) for number in range(20)] + [("LATER", "P0003", 2025)])


def add_assessments(rows: list[tuple[str, str, int]]) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(Assessment),
            [
                {
                    "county_id": COUNTY,
                    "assessment_id": assessment_id,
                    "property_id": property_id,
                    "roll_year": year,
                    "land_value": Decimal(50_000),
                    "improvement_value": Decimal(250_000),
                    "total_value": Decimal(300_000),
                    "assessed_value": Decimal(300_000),
                    "property_class": "residential",
                    **PROVENANCE,
                }
                for assessment_id, property_id, year in rows
            ],
        )


def state() -> dict[str, Any]:
    """The values of the roll and of the properties now, without their versions."""
    with unit_of_work(COUNTY) as connection:
        return {
            "assessments": connection.execute(
                text(
                    "SELECT assessment_id, property_id, roll_year, land_value, improvement_value, total_value,"
                    " assessed_value, property_class, source_system, row_hash FROM assessments"
                    " WHERE retired_at IS NULL ORDER BY 1"
                )
            ).all(),
            "properties": connection.execute(
                text(
                    "SELECT property_id, land_value, improvement_value, total_value, bedrooms, row_hash, retired_at"
                    " FROM properties_operational ORDER BY 1"
                )
            ).all(),
        }


def assessment(property_id: str, year: int = YEAR) -> Any:
    with unit_of_work(COUNTY) as connection:
        return connection.execute(
            select(Assessment.__table__).where(
                Assessment.property_id == property_id, Assessment.roll_year == year, Assessment.retired_at.is_(None)
            )
        ).one()


def current(property_id: str) -> Any:
    with unit_of_work(COUNTY) as connection:
        return connection.execute(
            select(PropertyOperational.__table__).where(PropertyOperational.property_id == property_id)
        ).one()


def close(year: int = YEAR, action: str = "close", body: dict[str, Any] | None = None, **options: Any) -> Answer:
    path = {"county_id": COUNTY, "roll_year": str(year)}
    resource = "/v1/counties/{county_id}/rolls/{roll_year}/" + action
    return call(roll_handler, "POST", resource, path=path, body=body or {}, **options)


def test_an_approval_writes_assessments_and_current_values_in_whole_dollars() -> None:
    run_id = finished(SOME)
    estimates = {
        item["property_id"]: Decimal(item["estimate"]).quantize(Decimal(1), ROUND_HALF_UP) for item in results(run_id)
    }

    written = done(run_id, "approve", {"roll_year": YEAR}, claims=claims_of(Role.ASSESSOR, username="ada"))

    assert (written["assessments"], written["properties"], written["skipped"]) == (40, 39, {})
    for property_id, estimate in estimates.items():
        row = assessment(property_id)
        assert row.total_value == row.assessed_value == estimate
        assert (row.land_value is None) == (row.improvement_value is None)
    known, made = assessment("P0001"), assessment("P0030")
    assert (known.assessment_id, known.version, known.row_hash, known.source_system) == ("A0001", 2, "h", "TEST")
    assert (made.version, made.source_system) == (1, "terrafusion")
    assert current("P0001").total_value == estimates["P0001"]
    assert current("P0001").row_hash == "h"
    with unit_of_work(COUNTY) as connection:
        event = connection.execute(select(AuditEvent).order_by(AuditEvent.event_id.desc()).limit(1)).one()
        old = connection.execute(
            text("SELECT total_value FROM assessments_history WHERE assessment_id = 'A0001'")
        ).scalar_one()
    assert (event.actor, event.action, event.subject) == ("ada", "valuation_run.approved", f"valuation-runs/{run_id}")
    assert event.details["assessments"] == 40
    assert old == 300_000
    (shown,) = run(run_id).body["approvals"]
    assert (shown["approved_by"], shown["roll_year"], shown["undone_at"]) == ("ada", YEAR, None)


def test_values_of_an_earlier_roll_leave_the_current_values_to_the_later_one() -> None:
    before = current("P0003")
    run_id = finished({"filter": {"property_ids": ["P0003"]}})
    done(run_id, "approve", {"roll_year": YEAR})
    assert assessment("P0003").total_value != 300_000
    assert assessment("P0003", 2025).total_value == 300_000
    assert current("P0003").total_value == before.total_value


def test_land_and_improvements_are_divided_as_the_property_was_and_assessed_at_the_countys_ratio() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(County).values(configuration={"plugin_settings": {"valuation": RATIO}}))
        connection.execute(
            update(PropertyOperational)
            .where(PropertyOperational.property_id == "P0001")
            .values(land_value=Decimal(100_000), improvement_value=Decimal(300_000), total_value=Decimal(400_000))
        )
    done(finished(SOME), "approve", {"roll_year": YEAR})
    row = assessment("P0001")
    assert row.land_value + row.improvement_value == row.total_value
    assert float(row.land_value / row.total_value) == pytest.approx(0.25, abs=1e-5)
    assert row.assessed_value == pytest.approx(row.total_value * Decimal("0.35"), abs=1)


RATIO = {"assessment_ratio": "0.35"}


def test_only_what_the_filter_takes_is_written() -> None:
    run_id = finished(SOME)
    review = {item["property_id"]: item["review"] for item in results(run_id)}
    sure = done(run_id, "approve", {"roll_year": YEAR, "filter": {"review": False}})
    doubtful = done(run_id, "approve", {"roll_year": YEAR, "filter": {"review": True, "property_ids": list(review)}})
    assert sure["assessments"] == sum(not doubt for doubt in review.values())
    assert sure["assessments"] + doubtful["assessments"] == 40
    again = done(run_id, "approve", {"roll_year": YEAR})
    assert (again["assessments"], again["properties"], again["skipped"]) == (0, 0, {"unchanged": 40})


def test_a_property_without_a_value_or_off_the_roll_is_skipped_with_the_reason() -> None:
    add_parcel(property_id="LAND", living_area_sqft=None)
    add_assessments([("B1", "P0001", YEAR)])
    run_id = finished({"filter": {"property_ids": ["LAND", "P0000", "P0001", "P0002"]}})
    with unit_of_work(COUNTY) as connection:
        gone = {"retired_at": datetime(2026, 3, 2, tzinfo=UTC)}
        connection.execute(update(PropertyOperational).where(PropertyOperational.property_id == "P0002").values(**gone))
    written = done(run_id, "approve", {"roll_year": YEAR})
    assert written["skipped"] == {"no_value": 1, "not_on_roll": 1, "several_assessments": 1}
    assert written["assessments"] == 1


PARCELS = [f"P{number:04}" for number in range(45)]
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "review": st.booleans(),
        "property_ids": st.lists(
            st.sampled_from([f"P{n:04}" for n in range(45)]), min_size=1, max_size=30, unique=True
        ),
        "property_classes": st.sampled_from([["residential"], ["commercial"]]),
    },
)


@pytest.fixture
def run_id() -> str:
    return finished(SOME)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from([2024, 2025, 2026]), FILTERS), min_size=1, max_size=3))
def test_after_undoing_every_approval_the_state_is_what_it_was_before(
    run_id: str, steps: list[tuple[int, dict[str, Any]]]
) -> None:
    states = [state()]
    for year, expected in steps:
        done(run_id, "approve", {"roll_year": year, "filter": expected})
        states.append(state())
    for before in reversed(states[:-1]):
        done(run_id, "undo", {})
        assert state() == before
    assert posted(run_id, "undo", {}).status == 409


def test_an_undone_approval_is_in_the_history_and_may_be_approved_again(run_id: str) -> None:
    first = done(run_id, "approve", {"roll_year": YEAR})
    after = state()
    undone = done(run_id, "undo", {"approval_id": first["approval_id"]})
    assert (undone["assessments"], undone["properties"]) == (40, 39)
    again = done(run_id, "approve", {"roll_year": YEAR})
    assert again["approval_id"] != first["approval_id"]
    assert state() == after
    with unit_of_work(COUNTY) as connection:
        versions = connection.execute(
            text("SELECT version FROM assessments_history WHERE assessment_id = 'A0001' ORDER BY 1")
        ).scalars()
        actions = connection.scalars(
            select(AuditEvent.action).where(AuditEvent.action.startswith("valuation_run")).order_by(AuditEvent.event_id)
        ).all()
        assert list(versions) == [1, 2, 3]
    assert actions == ["valuation_run.approved", "valuation_run.approval_undone", "valuation_run.approved"]
    assert [item["undone_by"] for item in run(run_id).body["approvals"]] == ["somebody", None]


def test_an_edit_of_another_field_stands_and_does_not_keep_values_from_being_taken_back(run_id: str) -> None:
    before = current("P0001")
    done(run_id, "approve", {"roll_year": YEAR})
    edited("P0001", bedrooms=Decimal(7))
    done(run_id, "undo", {})
    after = current("P0001")
    assert (after.bedrooms, after.total_value) == (7, before.total_value)


def edited(property_id: str, **values: Any) -> None:
    """Edit a property as PATCH does: the version before goes into the history."""
    with unit_of_work(COUNTY) as connection:
        decision = Decision(uuid4(), "edit", "somebody")
        parcels.supersede(connection, COUNTY, property_id, values, decision)


def test_newer_values_are_not_overwritten_by_taking_an_approval_back(run_id: str) -> None:
    done(run_id, "approve", {"roll_year": YEAR})
    edited("P0001", total_value=Decimal(123_456))
    after = state()
    answer = posted(run_id, "undo", {})
    assert answer.status == 202
    run_task(task, COUNTY, "valuation_approval", answer.body["id"])
    failed = approval(answer.body["id"]).body
    assert (failed["status"], failed["error"]["type"]) == ("failed", "newer-values")
    assert failed["error"]["detail"].startswith("1 of the values")
    assert state() == after


def test_a_closed_roll_takes_nothing_and_gives_nothing_back(run_id: str) -> None:
    done(run_id, "approve", {"roll_year": YEAR})
    waiting = posted(run_id, "undo", {}).body["id"]
    assert close(claims=claims_of(Role.ASSESSOR)).status == 200
    after = state()
    for action, body in (("approve", {"roll_year": YEAR}), ("undo", {})):
        refused = posted(run_id, action, body)
        assert (refused.status, refused.body["type"]) == (409, "urn:terrafusion:problem:roll-closed")
    run_task(task, COUNTY, "valuation_approval", waiting)
    assert approval(waiting).body["error"]["type"] == "roll-closed"
    assert state() == after
    close(action="reopen", body={"reason": "closed by mistake"})
    done(run_id, "undo", {})


def test_an_approval_that_ran_twice_or_was_cut_short_is_done_once_or_not_at_all(run_id: str) -> None:
    before = state()
    job_id = posted(run_id, "approve", {"roll_year": YEAR}).body["id"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository, "add", cut_short)
        with pytest.raises(OSError, match="line broke"):
            run_task(task, COUNTY, "valuation_approval", job_id)
    assert state() == before
    run_task(task, COUNTY, "valuation_approval", job_id)
    once, first = state(), approval(job_id, "/results").body
    with unit_of_work(COUNTY) as connection:  # as if it had ended before it could say that it was done
        connection.execute(text("UPDATE jobs SET status = 'running' WHERE job_id = :id"), {"id": UUID(job_id)})
    run_task(task, COUNTY, "valuation_approval", job_id)
    assert (state(), approval(job_id, "/results").body) == (once, first)


def cut_short(*_: Any, **__: Any) -> None:
    raise OSError("the line broke")


def test_the_same_key_approves_and_takes_back_once(run_id: str) -> None:
    headers = {"Idempotency-Key": "k"}
    first = posted(run_id, "approve", {"roll_year": YEAR}, headers=headers).body["id"]
    run_task(task, COUNTY, "valuation_approval", first)
    undo = posted(run_id, "undo", {}, headers={"Idempotency-Key": "u"}).body["id"]
    run_task(task, COUNTY, "valuation_approval", undo)
    assert posted(run_id, "approve", {"roll_year": YEAR}, headers=headers).body["id"] == first
    assert posted(run_id, "undo", {}, headers={"Idempotency-Key": "u"}).body["id"] == undo


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body/roll_year"),
        ({"roll_year": 2022}, "/body/roll_year"),
        ({"roll_year": 2031}, "/body/roll_year"),
        ({"roll_year": YEAR, "filter": {"review": "maybe"}}, "/body/filter/review"),
    ],
)
def test_an_approval_that_is_not_possible_is_refused_with_its_pointer(
    run_id: str, body: dict[str, Any], pointer: str
) -> None:
    answer = posted(run_id, "approve", body)
    assert answer.status == 422
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_only_a_finished_run_of_ones_own_county_is_approved_and_only_by_who_may(run_id: str) -> None:
    from tests.integration.valuation.runs import asked

    pending = asked().body["id"]
    assert posted(pending, "approve", {"roll_year": YEAR}).body["type"].endswith("job-not-succeeded")
    assert posted(run_id, "undo", {}).body["type"].endswith("nothing-to-undo")
    add_county("lucas_oh")
    theirs = claims_of(counties=("lucas_oh",))
    assert posted(run_id, "approve", {"roll_year": YEAR}, "lucas_oh", claims=theirs).status == 404
    assert posted(run_id, "approve", {"roll_year": YEAR}, claims=theirs).status == 403
    for role in (Role.VALUATION_STAFF, Role.AUDITOR):
        assert posted(run_id, "approve", {"roll_year": YEAR}, claims=claims_of(role)).status == 403
        assert posted(run_id, "undo", {}, claims=claims_of(role)).status == 403
