"""Batches of notices: who gets a letter, in which order, and never two."""

import csv
import io
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from functions.notices.handler import handler
from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.repository import batches as repository
from functions.notices.service import prepare_batch, send_batch, typeset_file
from shared import jobs, storage
from shared.access import Role
from shared.db import engine, unit_of_work
from tests.conftest import MigratedDatabase
from tests.gateway import LambdaContext, call, claims_of
from tests.integration.evidence_county import COUNTY
from tests.integration.notices.noticed_county import (
    BATCH,
    HOSTILE,
    MAILED,
    NOTICES,
    STEPS,
    YEAR,
    add_noticed_county,
    add_property,
    look,
    made,
    next_day_of,
    notices,
    request,
    set_value,
    submitted,
)
from tests.job_cloud import downloaded, job_cloud, partitions_of, run_partitioned

__all__ = ["job_cloud"]

RISEN = {YEAR - 1: (100_000, 200_000), YEAR: (110_000, 210_000)}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    add_noticed_county()


def test_a_letter_goes_to_each_property_whose_value_changed_and_the_others_are_counted_by_reason() -> None:
    add_property("P1", RISEN)
    add_property("P2", {YEAR - 1: (100_000, 200_000), YEAR: (200_000, 100_000)})  # WAC 458-12-360 (2)(b)
    add_property("P3", {YEAR - 1: (100_000, 200_000), YEAR: (100_000, 200_000)})
    add_property("P4", {YEAR: (90_000, 10_000)})
    add_property("P5", RISEN, retired_at="2026-01-01T00:00:00Z")
    add_property("P6", {YEAR - 1: (100_000, 200_000)})

    batch_id, results = made()

    assert results["skipped"] == {"retired": 1, "split_only": 1, "unchanged": 1}
    assert (results["letters"], results["previous_year"], results["held_back"]) == (2, YEAR - 1, {})
    sent = {notice["property_id"]: notice for notice in notices(batch_id=batch_id)}
    assert sent.keys() == {"P1", "P4"}
    assert {notice["status"] for notice in sent.values()} == {"sent"}
    values = {name: sent["P1"][name] for name in sent["P1"] if name.startswith(("old_", "new_"))}
    assert list(values.values()) == ["100000.00", "200000.00", "300000.00", "110000.00", "210000.00", "320000.00"]
    assert sent["P4"]["old_total_value"] is None
    assert sent["P1"]["deadline"] == results["deadline"] == max(MAILED + timedelta(30), date(YEAR, 7, 1)).isoformat()


def test_confidential_owners_and_undeliverable_addresses_are_held_back_with_every_reason() -> None:
    add_property("P1", RISEN, [{"confidential": True, "mailing_zip": None}])
    add_property("P2", RISEN, [{"mailing_city": "  ", "mailing_zip": None, "mailing_address": "\n"}])
    add_property("P3", RISEN, [])
    add_property("P4", RISEN, [{"name": None}])

    batch_id, results = made()

    assert (results["letters"], results["files"]) == (0, [])
    reasons = {notice["property_id"]: notice["reasons"] for notice in notices(batch_id=batch_id, status="held_back")}
    assert reasons == {
        "P1": ["confidential_owner"],
        "P2": ["street_missing", "city_missing", "zip_missing"],
        "P3": ["no_owner"],
        "P4": ["name_missing"],
    }
    assert results["held_back"] == {reason: 1 for of_notice in reasons.values() for reason in of_notice}
    with unit_of_work(COUNTY) as connection:  # of who is confidential nothing is copied
        kept = connection.execute(text("SELECT recipient, mailing_address FROM notices WHERE property_id = 'P1'")).one()
    assert tuple(kept) == (None, None)


def test_of_several_owners_the_one_of_the_largest_share_gets_the_letter_and_of_equal_ones_the_first_by_id() -> None:
    add_property("P1", RISEN, [{"name": "Small", "ownership_share": 0.2}, {"name": "Large", "ownership_share": 0.8}])
    add_property("P2", RISEN, [{"name": "First", "ownership_share": 0.5}, {"name": "Other", "ownership_share": 0.5}])
    add_property("P3", RISEN, [{"name": "Unknown"}, {"name": "Known", "ownership_share": 0.1}])

    made()

    assert [notice["recipient"] for notice in notices()] == ["Large", "First", "Known"]


def test_letters_are_in_the_order_of_mailing_and_the_print_shops_list_says_where_each_is() -> None:
    addresses = [
        ("P1", "20 Pine Street", "Kent", "98030"),
        ("P2", "3 Pine Street", "Kent", "98030"),
        ("P3", "100 Elm Street", "Kent", "98030"),
        ("P4", "PO Box 7", "Auburn", "98002"),
        ("P5", "1 Ash Street", "Algona", "98030"),
    ]
    for property_id, street, city, code in addresses:
        add_property(
            property_id,
            RISEN,
            [{"name": f"N {property_id}", "mailing_address": street, "mailing_city": city, "mailing_zip": code}],
        )
    expected = ["P4", "P5", "P3", "P2", "P1"]

    batch_id, results = made()

    listed = downloaded(look(batch_id, "/download")).decode()
    rows = list(csv.DictReader(io.StringIO(listed, newline="")))
    assert [row["property_id"] for row in rows] == expected
    assert [(file["filename"], file["letters"]) for file in results["files"]] == [
        ("letters-0001.pdf", 2), ("letters-0002.pdf", 2), ("letters-0003.pdf", 1),
    ]  # fmt: skip
    pages = {
        file["filename"]: PdfReader(
            io.BytesIO(downloaded(look(batch_id, "/files/{file_no}", file_no=str(file["file_no"]))))
        ).pages
        for file in results["files"]
    }
    for row in rows:
        page = pages[row["file"]][int(row["page"]) - 1].extract_text()
        assert row["recipient"] in page
        assert "$300,000" in page
        assert "$320,000" in page


def test_a_file_holds_one_area_where_areas_are_asked_for_and_other_areas_are_left_out() -> None:
    for number, neighborhood in enumerate(["south", "north", "south", "west"]):
        add_property(f"P{number}", RISEN, neighborhood=neighborhood)

    batch_id, results = made(area="neighborhood", areas=["south", "north"])

    assert [(file["area"], file["letters"]) for file in results["files"]] == [("north", 1), ("south", 2)]
    assert look(batch_id, "/files").body == results["files"]
    assert made(area="tax_district")[1]["letters"] == 1


def test_hostile_names_and_long_descriptions_are_printed_as_they_are() -> None:
    legal = "*" + "SE1/4#" * 50
    add_property("P1", RISEN, [{"name": HOSTILE}], legal_description=legal)

    batch_id, results = made()

    assert results["letters"] == 1
    document = PdfReader(io.BytesIO(downloaded(look(batch_id, "/files/{file_no}", file_no="1"))))
    shown = document.pages[0].extract_text().replace("\n", "").replace("\u200b", "")
    assert "#panic() $x$ <b>" in shown
    assert legal in shown
    (row,) = csv.DictReader(io.StringIO(downloaded(look(batch_id, "/download")).decode(), newline=""))
    assert row["recipient"] == f"'{HOSTILE}"


def test_a_second_batch_makes_no_second_letter() -> None:
    add_property("P1", RISEN)
    made()
    add_property("P2", RISEN)

    _, results = made()

    assert (results["letters"], results["skipped"]) == (1, {"already_noticed": 1})
    assert [(notice["property_id"], notice["status"]) for notice in notices()] == [("P1", "sent"), ("P2", "sent")]


def test_a_corrected_value_is_noticed_anew_only_where_that_is_asked_for() -> None:
    add_property("P1", RISEN)
    add_property("P2", RISEN)
    _, first = made()
    set_value("P1", 120_000, 210_000)

    assert made()[1]["skipped"] == {"already_noticed": 1, "changed_since_notice": 1}
    batch_id, results = made(supersede=True, mailed_on=(MAILED + timedelta(10)).isoformat())

    assert (results["letters"], results["superseded"], results["skipped"]) == (1, 1, {"already_noticed": 1})
    before, after = sorted(
        (notice for notice in notices(property_id="P1")), key=lambda notice: str(notice["mailed_on"])
    )
    assert (before["status"], before["superseded_by"]) == ("superseded", after["notice_id"])
    assert (after["status"], after["replaces"], after["new_total_value"]) == ("sent", before["notice_id"], "330000.00")
    letter = PdfReader(io.BytesIO(downloaded(look(batch_id, "/files/{file_no}", file_no="1")))).pages[0].extract_text()
    assert "This notice replaces the one that was mailed on" in letter
    assert first["letters"] == 2


def test_an_address_that_was_mended_gets_its_letter_and_leaves_the_list_of_those_held_back() -> None:
    add_property("P1", RISEN, [{"mailing_zip": None}])
    made()
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE owners SET mailing_zip = '98101'"))

    assert made()[1]["letters"] == 1

    assert notices(status="held_back") == []
    assert sorted(notice["status"] for notice in notices()) == ["sent", "superseded"]


@pytest.mark.parametrize(
    ("month", "day", "slug"),
    [(1, 14, None), (1, 15, "mailing-day-closed"), (2, 15, "mailing-day-closed"), (2, 16, None)],
)
def test_no_batch_is_mailed_between_january_15_and_february_15(month: int, day: int, slug: str | None) -> None:
    """RCW 84.40.045 (1); WAC 458-12-360 (2)(a): an appraisal of January 5 is noticed by February 16."""
    add_property("P1", RISEN)

    answer = request(mailed_on=next_day_of(month, day).isoformat())

    assert answer.status == (202 if slug is None else 422)
    if slug is not None:
        assert answer.body["type"].endswith(slug)
        assert answer.body["errors"][0]["pointer"] == "/body/mailed_on"


def test_a_batch_that_cannot_be_made_is_refused_before_there_is_a_job() -> None:
    assert request().body["type"].endswith("roll-not-found")
    add_property("P1", {YEAR: (1, 2)})
    assert request().body["type"].endswith("no-roll-before")
    add_property("P2", RISEN)
    passed = MAILED.replace(year=2020)
    assert request(mailed_on=passed.isoformat()).body["type"].endswith("mailing-day-past")
    assert request(mailed_on="2199-03-02").body["type"].endswith("mailing-day-far-ahead")
    assert request(areas=["north"]).body["type"].endswith("area-missing")
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE counties SET configuration = '{}'"))
    assert request().body["type"].endswith("board-not-configured")
    assert call(handler, "GET", BATCH + "/files", path={"county_id": COUNTY, "batch_id": "0" * 32}).status == 404


def _killed(step: Callable[[], Any], patch: pytest.MonkeyPatch, target: object, name: str, *, after: bool) -> None:
    """Do a step in a child process that is killed (SIGKILL) before or after a call of a function."""
    child = os.fork()
    if child == 0:
        try:
            engine.engine().dispose(close=False)  # the connections are the parent's
            original = getattr(target, name)

            def dies(*arguments: Any, **options: Any) -> Any:
                if after:
                    original(*arguments, **options)
                os.kill(os.getpid(), signal.SIGKILL)

            patch.setattr(target, name, dies)
            step()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the step ended before it could be killed"


@pytest.mark.parametrize(
    ("step", "target", "name", "after"),
    [
        ("plan", repository, "prepare", True),
        ("plan", prepare_batch, "keep_plan", True),
        ("partition", typeset_file, "typeset_letters", True),
        ("partition", storage, "put_file", True),
        ("partition", repository, "set_pages", True),
        ("finish", repository, "send", False),
        ("finish", repository, "send", True),
        ("finish", send_batch, "store_file", True),
    ],
)
def test_a_batch_that_is_killed_goes_on_and_makes_each_letter_once(
    step: str, target: object, name: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        add_property(f"P{number}", RISEN)
    batch_id = submitted()
    job = {"county_id": COUNTY, "job_id": batch_id, "kind": STEPS.kind}
    context = LambdaContext()
    first: dict[str, Any] = {}
    if step == "plan":
        _killed(lambda: STEPS.plan(job, context), monkeypatch, target, name, after=after)
    else:
        first, *rest = partitions_of(STEPS.plan(job, context))
    if step == "partition":
        _killed(lambda: STEPS.partition({**job, "partition": first}, context), monkeypatch, target, name, after=after)
    if step == "finish":
        for item in (first, *rest):
            STEPS.partition({**job, "partition": item}, context)
        _killed(lambda: STEPS.finish(job, context), monkeypatch, target, name, after=after)

    assert run_partitioned(STEPS, COUNTY, batch_id) == {"status": "succeeded"}

    rows = list(csv.DictReader(io.StringIO(downloaded(look(batch_id, "/download")).decode(), newline="")))
    assert sorted(row["property_id"] for row in rows) == ["P0", "P1", "P2"]
    assert [(row["file"], row["page"]) for row in rows] == [
        ("letters-0001.pdf", "1"), ("letters-0001.pdf", "2"), ("letters-0002.pdf", "1"),
    ]  # fmt: skip
    assert [notice["status"] for notice in notices()] == ["sent"] * 3
    assert made()[1]["letters"] == 0


def test_batches_that_are_planned_at_once_prepare_each_property_once() -> None:
    for number in range(4):
        add_property(f"P{number}", RISEN)
    batch_ids = [submitted() for _ in range(3)]

    def plan(batch_id: str) -> dict[str, Any]:
        return STEPS.plan({"county_id": COUNTY, "job_id": batch_id, "kind": STEPS.kind}, LambdaContext())

    with ThreadPoolExecutor(3) as pool:
        assert [answer["outcome"] for answer in pool.map(plan, batch_ids)] == ["proceed"] * 3

    prepared = notices(status="prepared")
    assert [notice["property_id"] for notice in prepared] == ["P0", "P1", "P2", "P3"]
    assert len({notice["batch_id"] for notice in prepared}) == 1


def test_the_recipient_is_hidden_where_the_owner_has_become_confidential_since() -> None:
    add_property("P1", RISEN)
    made()
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE owners SET confidential = true"))

    (hidden,) = call(handler, "GET", NOTICES, path={"county_id": COUNTY}, claims=claims_of(Role.AUDITOR)).body["items"]

    assert hidden["recipient"] is None
    assert notices()[0]["recipient"] == "Owner of P1"


def test_what_a_cancelled_batch_had_prepared_is_free_for_another() -> None:
    add_property("P1", RISEN)
    batch_id = submitted()
    job = {"county_id": COUNTY, "job_id": batch_id, "kind": STEPS.kind}
    STEPS.plan(job, LambdaContext())

    assert made()[1]["skipped"] == {"in_another_batch": 1}
    path = {"county_id": COUNTY, "batch_id": batch_id}
    assert call(handler, "POST", BATCH + "/cancel", path=path).body["status"] == "cancelled"

    assert made()[1]["letters"] == 1


def test_a_failed_batch_whose_properties_another_has_taken_over_says_so_when_it_is_resumed() -> None:
    add_property("P1", RISEN)
    batch_id = submitted()
    job = {"county_id": COUNTY, "job_id": batch_id, "kind": STEPS.kind}
    STEPS.plan(job, LambdaContext())
    STEPS.plan({**job, "failure": {"Error": "Sandbox.Timedout", "Cause": ""}}, LambdaContext())
    assert look(batch_id).body["status"] == "failed"
    assert made()[1]["letters"] == 1

    jobs.resume(COUNTY, NOTICE_BATCH, UUID(batch_id))
    run_partitioned(STEPS, COUNTY, batch_id)

    assert look(batch_id).body["error"]["type"] == "batch-taken-over"
    assert [notice["status"] for notice in notices()] == ["sent"]
