"""Appeals: filed against a deadline, heard, decided by a second person, and brought to the roll; on PostgreSQL."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
from icalendar import Calendar
from sqlalchemy import insert, select, text, update

from functions.appeals.handler import handler
from functions.properties.handler import handler as properties
from functions.roll.handler import handler as rolls
from shared import events as events_of_bus
from shared.access import Role
from shared.counties.notice_settings import NoticeSettings
from shared.db import unit_of_work
from shared.db.models import Assessment, AuditEvent, County, Notice, Owner, PropertyOperational
from shared.events import Event
from shared.problems import ServiceUnavailable
from shared.rolls.appeal_deadlines import deadline_without_notice
from tests.aws import BUCKET
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county
from tests.job_cloud import job_cloud

__all__ = ["job_cloud"]

ALL = "/v1/counties/{county_id}/appeals"
ONE = ALL + "/{appeal_id}"
YEAR = datetime.now(UTC).year
TODAY = datetime.now(UTC).date()
CLERK, ASSESSOR = claims_of(Role.ASSESSOR, username="clerk"), claims_of(Role.ASSESSOR, username="assessor")
AUDITOR = claims_of(Role.AUDITOR, username="auditor")
SETTINGS = NoticeSettings(appeal_until="12-31")
REASON = {"reason_code": "market_value", "reason": "Three sales of 2025 show less."}
LESS = {"land_value": "90000", "improvement_value": "150000", "total_value": "240000"}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    add_county()
    with unit_of_work(COUNTY) as connection:
        plugins = {"valuation": {"assessment_ratio": "0.35"}, "notices": SETTINGS.model_dump(mode="json")}
        configuration = {"timezone": "America/Los_Angeles", "plugin_settings": plugins}
        connection.execute(update(County).values(configuration=configuration))
    add_property("P1")


def add_property(property_id: str, years: Sequence[int] = (YEAR,), **columns: Any) -> None:
    money = {"land_value": Decimal(100_000), "improvement_value": Decimal(200_000), "total_value": Decimal(300_000)}
    with unit_of_work(COUNTY) as connection:
        parcel = {"county_id": COUNTY, "property_id": property_id, "property_class": "residential", **money}
        connection.execute(insert(PropertyOperational), [parcel | columns | PROVENANCE])
        for year in years:
            key = {"county_id": COUNTY, "assessment_id": f"A{year}-{property_id}", "property_id": property_id}
            row = {**key, "roll_year": year, **money, "assessed_value": Decimal(105_000)}
            connection.execute(insert(Assessment), [row | PROVENANCE])


def add_notice(deadline: date, status: str = "sent", property_id: str = "P1") -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(Notice).values(
                county_id=COUNTY, notice_id=uuid4(), batch_id=uuid4(), roll_year=YEAR, previous_year=YEAR - 1,
                property_id=property_id, status=status, mailed_on=deadline - timedelta(30), deadline=deadline,
            )
        )  # fmt: skip


def filed(**body: Any) -> Answer:
    options = {"claims": body.pop("claims", CLERK), "headers": body.pop("headers", None)}
    appeal = {
        "property_id": "P1",
        "roll_year": YEAR,
        "petitioner": "Jane Public",
        "ground": "market_value",
        "statement": "It sold for less next door.",
        "filed_on": TODAY.isoformat(),
    }
    return call(handler, "POST", ALL, path={"county_id": COUNTY}, body=appeal | body, **options)


def appeal_of(**body: Any) -> str:
    answer = filed(**body)
    assert answer.status == 201, answer.body
    appeal_id: str = answer.body["id"]
    return appeal_id


def look(appeal_id: str, what: str = "", **options: Any) -> Answer:
    return call(handler, "GET", ONE + what, path={"county_id": COUNTY, "appeal_id": appeal_id}, **options)


def move(appeal_id: str, action: str, body: dict[str, Any] | None = None, **options: Any) -> Answer:
    sent = {"claims": ASSESSOR, "headers": {"if-match": "*"}, **options}
    path = {"county_id": COUNTY, "appeal_id": appeal_id}
    return call(handler, "POST", f"{ONE}/{action}", path=path, body=body or {}, **sent)


def of_document(appeal_id: str, document_id: str, what: str) -> Answer:
    path = {"county_id": COUNTY, "appeal_id": appeal_id, "document_id": document_id}
    method = "POST" if what == "confirm" else "GET"
    return call(handler, method, f"{ONE}/documents/{{document_id}}/{what}", path=path)


def hearing(hour: int = 17, day: str = "2031-08-04") -> dict[str, Any]:
    return {"hearing_at": f"{day}T{hour:02}:00:00Z", "hearing_place": "Room 4, Courthouse"}


def listed(**query: str) -> list[str]:
    answer = call(handler, "GET", ALL, path={"county_id": COUNTY}, query=query)
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.body["items"]]


def roll_row(property_id: str = "P1", year: int = YEAR) -> Any:
    columns = (Assessment.land_value, Assessment.improvement_value, Assessment.total_value, Assessment.assessed_value)
    with unit_of_work(COUNTY) as connection:
        statement = select(*columns, Assessment.version)
        return connection.execute(
            statement.where(Assessment.property_id == property_id, Assessment.roll_year == year)
        ).one()


def events(subject: str) -> list[str]:
    with unit_of_work(COUNTY) as connection:
        statement = select(AuditEvent.action).where(AuditEvent.subject == subject).order_by(AuditEvent.event_id)
        return list(connection.scalars(statement))


def test_an_appeal_goes_from_its_filing_to_a_hearing_and_a_decision_and_each_step_is_audited() -> None:
    answer = filed(requested_value="250000")
    appeal_id = answer.body["id"]
    assert (answer.status, answer.headers["etag"], answer.body["reference"]) == (201, '"1"', f"{YEAR}-00001")
    assert (answer.body["deadline"], answer.body["late"], answer.body["property_class"]) == (
        str(deadline_without_notice(SETTINGS, YEAR)), False, "residential",
    )  # fmt: skip

    assert move(appeal_id, "review", {"note": "Ask for the sale."}).body["status"] == "informal"
    scheduled = move(appeal_id, "schedule", hearing())
    assert (scheduled.body["status"], scheduled.body["level"]) == ("scheduled", "hearing")
    assert move(appeal_id, "decide", {"outcome": "sustained", **REASON}).status == 409
    assert move(appeal_id, "hear").body["status"] == "heard"
    decided = move(appeal_id, "decide", {"outcome": "reduced", "values": LESS, **REASON})

    assert decided.status == 200, decided.body
    assert (decided.body["status"], decided.body["outcome"], decided.body["decided_by"]) == (
        "decided", "reduced", "assessor",
    )  # fmt: skip
    assert decided.body["before"]["total_value"] == "300000.00"
    assert decided.body["decided"] == {name: f"{amount}.00" for name, amount in LESS.items()}
    assert look(appeal_id).body == decided.body
    assert events(f"appeals/{appeal_id}") == [
        "appeal.filed", "appeal.reviewed", "appeal.scheduled", "appeal.heard", "appeal.decided",
    ]  # fmt: skip
    assert move(appeal_id, "withdraw", {"reason": "x"}).body["type"].endswith("appeal-status")


def test_a_decision_reaches_the_roll_and_the_property_and_says_whose_doing_it_is() -> None:
    appeal_id = appeal_of()
    move(appeal_id, "review")
    move(appeal_id, "decide", {"outcome": "reduced", "values": LESS, **REASON})

    assert tuple(roll_row()) == (90_000, 150_000, 240_000, 84_000, 2)
    path = {"county_id": COUNTY, "property_id": "P1"}
    one = "/v1/counties/{county_id}/properties/{property_id}"
    newest = call(properties, "GET", one + "/history", path=path).body[0]
    assert newest["author"] == {
        "kind": "appeal", "by": "assessor", "appeal_id": appeal_id, "sync_run_id": None, "source": None,
        "valuation_run_id": None, "approval_id": None,
    }  # fmt: skip
    assert newest["changes"]["total_value"] == {"old": "300000.00", "new": "240000.00"}
    overview = call(properties, "GET", one + "/summary", path=path).body
    assert overview["author"]["kind"] == "appeal"
    assert {(field["field"], field["origin"], field["source_value"]) for field in overview["overrides"]} >= {
        ("total_value", "appeal", 300000.00)
    }


def test_a_decision_on_an_older_roll_leaves_the_propertys_present_value_alone() -> None:
    add_property("P2", years=(YEAR - 1, YEAR))
    appeal_id = appeal_of(property_id="P2", roll_year=YEAR - 1, good_cause="The notice was lost.")
    move(appeal_id, "stipulate", {"values": LESS, **REASON})

    assert roll_row("P2", YEAR - 1).total_value == 240_000
    assert roll_row("P2", YEAR).total_value == 300_000
    with unit_of_work(COUNTY) as connection:
        present = connection.scalar(text("SELECT total_value FROM properties_operational WHERE property_id = 'P2'"))
    assert present == 300_000


def test_after_certification_a_decision_is_a_numbered_supplement() -> None:
    path = {"county_id": COUNTY, "roll_year": str(YEAR)}
    roll = "/v1/counties/{county_id}/rolls/{roll_year}"
    call(rolls, "POST", roll + "/close", path=path, body={"reason": "certified"}, claims=ASSESSOR)
    appeal_id = appeal_of()
    move(appeal_id, "review")

    decided = move(appeal_id, "decide", {"outcome": "reduced", "values": LESS, **REASON})

    assert decided.body["correction_no"] == 1, decided.body
    (correction,) = call(rolls, "GET", roll + "/corrections", path=path).body
    assert (correction["made_by"], correction["reason"]) == (
        "assessor", f"Appeal {YEAR}-00001: Three sales of 2025 show less.",
    )  # fmt: skip
    assert (correction["total_before"], correction["total_after"]) == ("300000.00", "240000.00")
    assert events(f"rolls/{YEAR}") == ["roll.closed", "roll.corrected"]


def test_a_sustained_value_writes_nothing_to_the_roll() -> None:
    appeal_id = appeal_of()
    move(appeal_id, "review")

    decided = move(appeal_id, "decide", {"outcome": "sustained", **REASON})

    assert (decided.body["outcome"], decided.body["decided"]) == ("sustained", decided.body["before"])
    assert roll_row().version == 1


def test_who_filed_an_appeal_neither_decides_nor_stipulates_it() -> None:
    appeal_id = appeal_of()
    move(appeal_id, "review")

    for action, body in (
        ("decide", {"outcome": "reduced", "values": LESS, **REASON}),
        ("stipulate", {"values": LESS, **REASON}),
    ):
        refused = move(appeal_id, action, body, claims=CLERK)
        assert (refused.status, refused.body["type"]) == (403, "urn:terrafusion:problem:own-appeal")
    assert roll_row().version == 1
    assert move(appeal_id, "withdraw", {"reason": "The owner has sold."}, claims=CLERK).body["status"] == "withdrawn"


def test_values_that_do_not_go_with_the_outcome_are_refused_with_their_place() -> None:
    appeal_id = appeal_of()
    move(appeal_id, "review")

    raised = move(appeal_id, "decide", {"outcome": "raised", "values": LESS, **REASON})
    whole = move(appeal_id, "decide", {"outcome": "reduced", "values": {"total_value": "1"}, **REASON})

    assert (raised.status, raised.body["errors"][0]["pointer"]) == (422, "/body/values/total_value")
    assert (whole.status, whole.body["errors"][0]["pointer"]) == (422, "/body/values/land_value")
    assert look(appeal_id).body["status"] == "informal"


def test_the_time_for_an_appeal_counts_from_the_notice_and_a_late_one_needs_good_cause() -> None:
    yesterday = TODAY - timedelta(days=1)
    add_notice(TODAY - timedelta(days=90), status="superseded")
    add_notice(yesterday)

    late = filed()
    assert (late.status, late.body["type"]) == (422, "urn:terrafusion:problem:appeal-late")
    assert late.body["errors"][0]["pointer"] == "/body/good_cause"
    assert yesterday.isoformat() in late.body["detail"]
    assert listed() == []

    marked = filed(good_cause="Illness of the owner.")
    assert (marked.status, marked.body["late"], marked.body["deadline"]) == (201, True, yesterday.isoformat())
    assert marked.body["notice_id"] is not None
    move(marked.body["id"], "withdraw", {"reason": "x"})
    assert filed(filed_on=yesterday.isoformat()).body["late"] is False
    add_property("P2")
    future = filed(property_id="P2", filed_on=(TODAY + timedelta(days=3)).isoformat())
    assert future.body["errors"][0]["pointer"] == "/body/filed_on"


def test_an_appeal_of_what_cannot_be_appealed_is_refused() -> None:
    add_property("GONE", retired_at="2026-01-01T00:00:00Z")
    cases = {
        "GONE": (409, "property-retired"),
        "NOBODYS": (404, "property-not-found"),
    }
    for property_id, (status, slug) in cases.items():
        answer = filed(property_id=property_id)
        assert (answer.status, answer.body["type"].rpartition(":")[2]) == (status, slug)
    assert filed(roll_year=1999, good_cause="x").body["type"].endswith("not-on-roll")
    appeal_of()
    twice = filed(statement="again")
    assert (twice.status, twice.body["type"]) == (409, "urn:terrafusion:problem:appeal-under-way")
    assert f"{YEAR}-00001 is filed" in twice.body["detail"]


def test_a_parcel_that_was_retired_since_or_has_several_assessments_is_not_decided() -> None:
    appeal_id = appeal_of()
    move(appeal_id, "review")
    decision = {"outcome": "reduced", "values": LESS, **REASON}
    key = {"county_id": COUNTY, "assessment_id": "SECOND", "property_id": "P1", "roll_year": YEAR}
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(Assessment), [{**key, "total_value": Decimal(1), **PROVENANCE}])
    assert move(appeal_id, "decide", decision).body["type"].endswith("several-assessments")
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE properties_operational SET retired_at = now()"))
    assert move(appeal_id, "decide", decision).body["type"].endswith("not-on-roll")
    assert look(appeal_id).body["status"] == "informal"


def test_a_filing_that_is_sent_again_with_its_key_finds_the_appeal() -> None:
    key = {"idempotency-key": "one"}
    first = filed(headers=key)

    again = filed(headers=key)

    assert (again.status, again.body) == (201, first.body)
    assert filed(headers=key, statement="other").status == 422
    assert listed() == [first.body["id"]]


def test_a_step_needs_the_version_that_was_read() -> None:
    appeal_id = appeal_of()
    assert move(appeal_id, "review", headers={}).status == 428
    assert move(appeal_id, "review", headers={"if-match": '"1"'}).headers["etag"] == '"2"'
    assert move(appeal_id, "schedule", hearing(), headers={"if-match": '"1"'}).status == 412
    decision = {"outcome": "sustained", **REASON}
    assert move(appeal_id, "decide", decision, headers={"if-match": '"2"'}).status == 200
    assert move(appeal_id, "decide", decision, headers={"if-match": '"2"'}).status == 412


def test_a_hearing_is_a_calendar_entry_whose_revisions_count_and_which_is_cancelled_when_settled_before() -> None:
    appeal_id = appeal_of()
    assert look(appeal_id, "/hearing.ics").status == 409
    move(appeal_id, "schedule", hearing())

    answer = look(appeal_id, "/hearing.ics")

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    (event,) = Calendar.from_ical(answer.body).events
    assert (event.start, event.end - event.start) == (datetime(2031, 8, 4, 17, tzinfo=UTC), timedelta(minutes=30))
    assert (event["SEQUENCE"], str(event["STATUS"]), str(event["LOCATION"])) == (0, "CONFIRMED", "Room 4, Courthouse")
    move(appeal_id, "schedule", hearing(18))
    (event,) = Calendar.from_ical(look(appeal_id, "/hearing.ics").body).events
    assert (event["SEQUENCE"], f"{event.start:%H}") == (1, "18")
    move(appeal_id, "withdraw", {"reason": "x"})
    (event,) = Calendar.from_ical(look(appeal_id, "/hearing.ics").body).events
    assert (event["SEQUENCE"], str(event["STATUS"])) == (2, "CANCELLED")


def test_the_packets_of_a_day_are_requests_of_reports_in_the_order_of_the_hearings() -> None:
    from functions.reporting.reports.request import ReportRequest

    for property_id, hour, held_on in (("P2", 23, "2031-08-04"), ("P3", 17, "2031-08-04"), ("P4", 3, "2031-08-05")):
        add_property(property_id)
        move(appeal_of(property_id=property_id), "schedule", hearing(hour, held_on))
    appeal_of()

    day: dict[str, str] = {
        "hearing_on": "2031-08-04"
    }  # in Los Angeles, where three in the morning UTC is the evening before
    packets = call(handler, "GET", ALL + "/packets", path={"county_id": COUNTY}, query=day).body

    assert [packet["property_id"] for packet in packets] == ["P3", "P2", "P4"]
    assert len(listed(**day)) == 3
    assert packets[0]["href"] == f"/v1/counties/{COUNTY}/reports"
    parameters = ReportRequest.model_validate(packets[2]["body"]).parameters.model_dump(mode="json")
    assert (parameters["reference"], parameters["hearing_date"]) == (f"Appeal {YEAR}-00003", "2031-08-04")


def test_documents_are_announced_sent_confirmed_and_taken() -> None:
    appeal_id = appeal_of()
    content = b"%PDF-1.7 an appraisal"
    document = {
        "filename": "appraisal.pdf",
        "content_type": "application/pdf",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }

    announced = move(appeal_id, "documents", document, headers={"idempotency-key": "d"}, claims=CLERK)

    assert announced.status == 201, announced.body
    assert (
        move(appeal_id, "documents", document, headers={"idempotency-key": "d"}, claims=CLERK).body["id"]
        == (announced.body["id"])
    )
    document_id = announced.body["id"]
    assert of_document(appeal_id, document_id, "confirm").body["type"].endswith("file-not-sent")
    _send(announced.body, content)
    assert of_document(appeal_id, document_id, "download").body["type"].endswith("document-not-confirmed")
    assert of_document(appeal_id, document_id, "confirm").body["received_at"] is not None
    assert of_document(appeal_id, document_id, "confirm").status == 200
    taken = of_document(appeal_id, document_id, "download")
    assert taken.status == 303
    assert [item["id"] for item in look(appeal_id, "/documents").body] == [announced.body["id"]]
    assert events(f"appeals/{appeal_id}")[1:] == ["appeal.document_added", "appeal.document_received"]


def test_documents_of_another_size_or_type_are_refused() -> None:
    appeal_id = appeal_of()
    document = {"filename": "a.pdf", "content_type": "application/pdf", "size_bytes": 6, "sha256": "0" * 64}
    assert move(appeal_id, "documents", {**document, "content_type": "text/html"}).status == 422
    assert move(appeal_id, "documents", {**document, "size_bytes": 26 << 20}).status == 422
    assert move(appeal_id, "documents", {**document, "filename": "../a.pdf"}).status == 422
    announced = move(appeal_id, "documents", document)
    _send(announced.body, b"<html>")
    refused = of_document(appeal_id, announced.body["id"], "confirm")
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (422, "document-of-another-type")
    move(appeal_id, "withdraw", {"reason": "x"})
    assert move(appeal_id, "documents", document).body["type"].endswith("appeal-settled")


def _send(document: dict[str, Any], content: bytes) -> None:
    """The effect of the signed address: it stores the object under its key."""

    key = httpx.URL(document["send"]["url"]).path.removeprefix(f"/{BUCKET}").lstrip("/")
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)


def test_the_value_loss_is_summed_by_level_class_and_reason() -> None:
    for number, (outcome, values, code) in enumerate(
        [
            ("reduced", LESS, "market_value"),
            ("sustained", None, "equity"),
            ("raised", {"land_value": "1", "improvement_value": "310000", "total_value": "310001"}, "equity"),
        ],
        start=2,
    ):
        add_property(f"P{number}")
        appeal_id = appeal_of(property_id=f"P{number}")
        move(appeal_id, "review")
        if number == 4:
            move(appeal_id, "schedule", hearing())
            move(appeal_id, "hear")
        body = {"outcome": outcome, "reason_code": code, "reason": "x"} | ({"values": values} if values else {})
        assert move(appeal_id, "decide", body).status == 200
    appeal_of()

    totals = call(handler, "GET", ALL + "/summary", path={"county_id": COUNTY}, query={"roll_year": str(YEAR)}).body

    assert totals["appeals"] == {"decided": 3, "filed": 1}
    assert (totals["total"]["appeals"], totals["total"]["value_loss"]) == (3, "49999.00")
    assert {group["level"]: (group["appeals"], group["value_loss"]) for group in totals["by_level"]} == {
        "informal": (2, "60000.00"), "hearing": (1, "-10001.00"),
    }  # fmt: skip
    assert {group["reason_code"]: group["value_loss"] for group in totals["by_reason"]} == {
        "market_value": "60000.00", "equity": "-10001.00",
    }  # fmt: skip
    assert [group["property_class"] for group in totals["by_class"]] == ["residential"]
    empty = call(handler, "GET", ALL + "/summary", path={"county_id": COUNTY}, query={"roll_year": "1999"}).body
    assert (empty["appeals"], empty["total"]["appeals"], empty["by_level"]) == ({}, 0, [])


def test_lists_are_paged_and_filtered() -> None:
    ids = []
    for number in range(2, 5):
        add_property(f"P{number}")
        ids.append(appeal_of(property_id=f"P{number}"))
    move(ids[0], "review")

    page = call(handler, "GET", ALL, path={"county_id": COUNTY}, query={"page_size": "2"}).body
    rest = call(
        handler, "GET", ALL, path={"county_id": COUNTY}, query={"page_size": "2", "page_token": page["next_page_token"]}
    ).body
    assert [item["id"] for item in page["items"] + rest["items"]] == ids[::-1]
    assert listed(status="informal") == [ids[0]]
    assert listed(property_id="P3", roll_year=str(YEAR), level="informal") == [ids[1]]


def test_who_petitions_for_a_confidential_owner_is_shown_to_who_may_edit_properties() -> None:
    appeal_id = appeal_of(petitioner_contact="12 Oak Street")
    owner = {"county_id": COUNTY, "owner_id": "O1", "property_id": "P1", "name": "Jane Public", "confidential": True}
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(Owner), [owner | PROVENANCE])

    assert look(appeal_id, claims=CLERK).body["petitioner"] == "Jane Public"
    hidden = look(appeal_id, claims=AUDITOR)
    assert (hidden.body["petitioner"], hidden.body["petitioner_contact"]) == (None, None)
    assert "Jane" not in str(call(handler, "GET", ALL, path={"county_id": COUNTY}, claims=AUDITOR).body)


def test_filing_and_scheduling_is_for_who_edits_properties_and_deciding_for_who_approves_values() -> None:
    appeal_id = appeal_of()
    for role in (Role.AUDITOR, Role.VALUATION_STAFF, Role.REPORTING_STAFF):
        claims = claims_of(role, username="other")
        assert filed(claims=claims).status == 403
        assert move(appeal_id, "review", claims=claims).status == 403
        assert move(appeal_id, "decide", {"outcome": "sustained", **REASON}, claims=claims).status == 403
        assert look(appeal_id, claims=claims).status == 200


def test_a_decision_is_told_on_the_bus_and_stands_where_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[Event] = []
    monkeypatch.setattr(events_of_bus, "publish", published.append)
    first = appeal_of()
    move(first, "stipulate", {"values": LESS, **REASON})

    (event,) = published
    assert event.model_dump(mode="json")["decided"]["total_value"] == "240000.00"
    assert (event.SOURCE, event.version) == ("terrafusion.appeals", 1)

    def away(_: Event) -> None:
        raise ServiceUnavailable("The bus does not answer.")

    monkeypatch.setattr(events_of_bus, "publish", away)
    add_property("P2")
    assert move(appeal_of(property_id="P2"), "stipulate", {"values": LESS, **REASON}).status == 200
    assert roll_row("P2").total_value == 240_000
