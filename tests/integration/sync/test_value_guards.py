"""Guards on values: lost or jumping values wait for approval; a revaluation and single corrections do not."""

from typing import Any
from uuid import UUID

import pytest

from functions.sync.service import commands, run_views
from shared.access import Caller
from tests.conftest import MigratedDatabase
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.precedence_world import new_world
from tests.integration.sync.test_modes import watermarked

CALLER = Caller("sub", "ada", frozenset({COUNTY}), frozenset())
MONEY = "CAST(replace(replace(value, '$', ''), ',', '') AS numeric)"


def reasons(county: County, **more: Any) -> list[str]:
    """The guards that stop the next run; none where it is applied."""
    run_id, outcome = county.sync(**more)
    findings = [f"{item.guard} {item.detail}" for item in run_views.get(COUNTY, UUID(run_id)).guard_findings]
    assert (outcome == "awaiting_approval") == bool(findings)
    return findings


BROKEN = {
    "emptied": (
        "built = NULL WHERE id > 5",
        "emptied_column year_built would become empty in 294 of 299 rows (98 %; the limit is 5 %)",
    ),
    "a tenth emptied": (
        "built = NULL WHERE id % 10 = 1",
        "emptied_column year_built would become empty in 30 of 299 rows (10 %; the limit is 5 %)",
    ),
    "an attribute": (
        "note = NULL",
        "emptied_column attributes.note would become empty in 200 of 200 rows (100 %; the limit is 5 %)",
    ),
    "one class": (
        "class = 'R'",
        "single_value property_class would have one value throughout: 29 of 299 rows change (10 %; the limit is 5 %)",
    ),
    "one year": (
        "built = '1800' WHERE id <> 150",
        "single_value year_built would have one value throughout: 299 of 299 rows change (100 %; the limit is 5 %)",
    ),
    "shifted": (
        "built = ((built::integer + 7) % 100 + 1900)::text WHERE id <> 150",
        "changed_column year_built would change in 299 of 299 rows (100 %; the limit is 50 %)",
    ),
    "cents": (
        f"value = ({MONEY} * 100)::text WHERE class = 'R'",
        "value_total total_value of residential would go from 40,500,135 to 4,050,013,500 (+9900 %; the limit is 25 %)",
    ),
}


@pytest.mark.parametrize(("change", "said"), BROKEN.values(), ids=BROKEN)
def test_a_run_with_a_broken_column_waits_with_a_finding_in_words(county: County, change: str, said: str) -> None:
    county.sync()
    county.change_whole(f"UPDATE parcel SET {change}")
    assert reasons(county) == [said]


@pytest.mark.parametrize(
    "change",
    [
        f"value = ({MONEY} * 1.07)::text",
        "built = NULL WHERE id < 10",
        "note = 'the same note' WHERE id < 140",
        "class = 'C' WHERE id < 4",
        "built = '1950' WHERE id BETWEEN 1 AND 140 AND id <> 150",
    ],
    ids=["a revaluation", "nine emptied", "notes", "three of another class", "fewer than half"],
)
def test_what_an_office_does_in_a_year_passes(county: County, change: str) -> None:
    county.sync()
    county.change_whole(f"UPDATE parcel SET {change}")
    assert reasons(county) == []


def test_a_county_sets_limits_of_its_own_and_an_approved_run_is_applied(county: County) -> None:
    county.sync()
    county.configure(guards={"columns": {"properties_operational.year_built": {"max_emptied_share": 1}}})
    county.change("UPDATE parcel SET built = NULL WHERE id > 5; UPDATE parcel SET note = NULL")
    run_id, outcome = county.sync()
    assert outcome == "awaiting_approval"
    (findings,) = run_views.get(COUNTY, UUID(run_id)).guard_findings
    assert (findings.guard, findings.field, findings.share, findings.limit) == (
        "emptied_column",
        "attributes.note",
        1.0,
        0.05,
    )
    commands.approve(COUNTY, UUID(run_id), CALLER)
    county.finish(run_id)
    assert reasons(county) == []


def test_a_reading_of_what_changed_that_has_lost_a_field_in_nearly_every_row_waits(county: County) -> None:
    watermarked(county)
    county.change("UPDATE parcel SET built = NULL, changed_at = '2026-01-02' WHERE id < 25")
    message = "emptied_column year_built would become empty in 24 of 24 changed rows (100 %; the limit is 90 %)"
    county.configure(mode="incremental", incremental={"overlap_seconds": 60}, guards={"max_emptied_share": "0.2"})
    assert reasons(county) == [message]


def test_in_a_small_county_one_parcel_is_a_correction_and_most_of_them_are_not(
    database: MigratedDatabase, small: County
) -> None:
    world = new_world(database, small)
    world.change_source("1", ("total_value", None))
    assert reasons(small) == []
    for item in ("2", "3"):
        world.change_source(item, ("total_value", None))
    assert reasons(small) == ["emptied_column total_value would become empty in 2 of 2 rows (100 %; the limit is 5 %)"]
