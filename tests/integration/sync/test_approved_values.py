"""Values that were approved to the roll, and syncs: an approved value stands until the county's own record changes."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from functions.valuation.repository import approvals
from functions.valuation.schemas.runs import ApprovalFilter
from shared.db import unit_of_work
from tests.integration.sync.county import COUNTY, MAPPING, County

ROLL = """
  - source_table_name: roll
    target_table_name: assessments
    primary_key_source_fields: [id, yr]
    primary_key_target_fields: [assessment_id]
    field_map:
      - {source: [id, yr], target: assessment_id, type: string, required: true,
         transformations: [{type: pad_left, length: 6}, {type: concat, separator: "-"}]}
      - {source: id, target: property_id, type: string, required: true, transformations: [{type: pad_left, length: 6}]}
      - {source: yr, target: roll_year, type: integer, required: true}
      - {source: total, target: total_value, type: money}
value_maps:"""


@pytest.fixture
def with_roll(county: County) -> County:
    """The county with a roll of 2015 of two parcels in its own system."""
    county.change("CREATE TABLE roll (id integer, yr integer, total text, PRIMARY KEY (id, yr))")
    county.change("INSERT INTO roll VALUES (1, 2015, '1000'), (2, 2015, '2000')")
    county.set_mapping(MAPPING.replace("\nvalue_maps:", ROLL))
    county.sync()
    return county


def approve(values: dict[str, int]) -> UUID:
    """Approve a valuation run's values to the roll of 2015."""
    run_id, approval_id = uuid4(), uuid4()
    with unit_of_work(COUNTY) as connection:
        for property_id, estimate in values.items():
            connection.execute(
                text(
                    "INSERT INTO valuation_run_results (county_id, run_id, property_id, partition_no, estimate, review,"
                    " flags) VALUES (:county, :run, :property, 1, :estimate, false, '[]')"
                ),
                {"county": COUNTY, "run": run_id, "property": property_id, "estimate": estimate},
            )
        posted = approvals.post(
            connection,
            COUNTY,
            approval_id,
            run_id=run_id,
            roll_year=2015,
            approval_filter=ApprovalFilter(),
            assessment_ratio=Decimal(1),
            by="an assessor",
        )
    assert posted.assessments == len(values)
    return approval_id


def roll(county: County) -> list[tuple[Any, ...]]:
    return county.query(
        "SELECT property_id, total_value::integer, source_system FROM assessments WHERE retired_at IS NULL"
        " ORDER BY 1, 3"
    )


def test_a_sync_leaves_approved_values_alone_until_the_countys_own_record_changes(with_roll: County) -> None:
    approve({"000001": 1500, "000002": 2500, "000003": 3500})
    approved = [
        ("000001", 1500, "TESTING"),
        ("000002", 2500, "TESTING"),
        ("000003", 3500, "terrafusion"),
    ]
    assert roll(with_roll) == approved

    with_roll.sync()
    assert roll(with_roll) == approved

    with_roll.change("UPDATE roll SET total = '1700' WHERE id = 1")
    with_roll.sync()
    assert roll(with_roll) == [("000001", 1700, "TESTING"), *approved[1:]]


def test_an_assessment_that_an_approval_made_is_not_missed_in_the_source(with_roll: County) -> None:
    approve({f"{number:06}": 1000 + number for number in range(3, 60)})
    run_id, outcome = with_roll.sync()
    assert outcome == "unchanged"
    assert len(roll(with_roll)) == 59
    assert with_roll.query("SELECT guard_findings FROM sync_runs WHERE run_id = :run", run=run_id) == [([],)]


def test_the_countys_own_record_of_the_year_replaces_one_made_by_an_approval(with_roll: County) -> None:
    approval_id = approve({"000003": 3500, "000004": 4500})
    with_roll.change("INSERT INTO roll VALUES (3, 2015, '3300')")
    with_roll.sync()
    assert roll(with_roll)[2:] == [("000003", 3300, "TESTING"), ("000004", 4500, "terrafusion")]
    history = "SELECT total_value::integer FROM assessments_history WHERE source_system = 'terrafusion'"
    assert with_roll.query(history) == [(3500,)]
    with unit_of_work(COUNTY) as connection:
        assert approvals.count_superseded(connection, COUNTY, approval_id) == 0
        approvals.restore(connection, COUNTY, approval_id, uuid4())
    assert roll(with_roll)[2:] == [("000003", 3300, "TESTING")]  # the county's own is not the approval's to take back
