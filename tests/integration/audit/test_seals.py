"""The audit trail against its tables' owner: append-only, sealed, and every tampering named."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError

from functions.audit.domain.chain import GENESIS, START, seal_digest
from functions.audit.handler import handler
from functions.audit.repository import seals as repository
from functions.audit.service import seals
from functions.audit.tasks import seal as seal_task
from functions.roll.handler import handler as roll_handler
from shared import audit
from shared.access import Role
from shared.db import unit_of_work
from shared.db.engine import make_engine
from shared.db.models import Assessment
from tests.aws import BUCKET, aws_in_this_process
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, LambdaContext, call, claims_of
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county

EVENTS = "/v1/counties/{county_id}/audit-events"
SEALS = "/v1/counties/{county_id}/audit-seals"
AUDITOR = claims_of(Role.AUDITOR)


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[MigratedDatabase]:
    with aws_in_this_process(monkeypatch, "jobs"):
        add_county()
        yield database


def record(number: int, connection: Connection | None = None) -> None:
    if connection is None:
        with unit_of_work(COUNTY) as own:
            record(number, own)
        return
    details = {"number": number, "text": 'quoted "\\" and\ttab\n'}
    audit.record(connection, COUNTY, f"user-{number}", "property.edited", f"properties/{number}", details)


def ask(method: str, path: str, **query: str) -> Answer:
    return call(handler, method, path, path={"county_id": COUNTY}, query=query, claims=AUDITOR)


def seal() -> list[dict[str, Any]]:
    answer = ask("POST", SEALS)
    assert answer.status == 200
    return list(answer.body)


def findings() -> list[tuple[int, str, int | None]]:
    """(seal, kind, event) of every finding, over all pages."""
    found, query = [], {"page_size": "2"}
    while True:
        page = ask("GET", SEALS + "/verification", **query).body
        for verdict in page["items"]:
            assert verdict["intact"] is not bool(verdict["findings"])
            found += [(verdict["seal_no"], each["kind"], each["event_id"]) for each in verdict["findings"]]
        if "next_page_token" not in page or page["next_page_token"] is None:
            return found
        query["page_token"] = page["next_page_token"]


def as_owner(database: MigratedDatabase, *statements: str) -> None:
    """Execute statements as the owner of the tables, who can drop triggers and pass as any county."""
    engine = make_engine(database.owner_url)
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL app.county_id = '{COUNTY}'"))
        for table in ("audit_events", "audit_seals"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER append_only"))
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def three_seals() -> list[int]:
    """Three seals over two events each; the ids of the events."""
    for number in range(6):
        record(number)
        if number % 2:
            assert len(seal()) == 1
    return sorted(event["event_id"] for event in ask("GET", EVENTS).body["items"])


def test_events_know_address_and_request_of_who_caused_them_and_tasks_have_no_address() -> None:
    with unit_of_work(COUNTY) as connection:
        row = {"assessment_id": "A", "property_id": "P", "roll_year": 2024, "total_value": 1, **PROVENANCE}
        connection.execute(insert(Assessment).values(county_id=COUNTY, **row))
    path = {"county_id": COUNTY, "roll_year": "2024"}
    closed = call(roll_handler, "POST", "/v1/counties/{county_id}/rolls/{roll_year}/close", path=path, body={})
    assert closed.status == 200
    (event,) = ask("GET", EVENTS).body["items"]
    assert (event["address"], event["request_id"]) == ("127.0.0.1", "request-1")
    assert (event["old"], event["new"]) == ({"status": "open"}, {"status": "closed"})
    record(1)
    assert ask("GET", EVENTS).body["items"][0]["address"] is None


@pytest.mark.parametrize("statement", ["UPDATE {} SET county_id = county_id", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["audit_events", "audit_seals"])
def test_neither_the_application_nor_the_owner_changes_what_was_recorded(
    county: MigratedDatabase, table: str, statement: str
) -> None:
    record(1)
    seal()
    for url in (county.application_url, county.owner_url):
        engine = make_engine(url)
        with engine.connect() as connection:
            connection.execute(text(f"SET app.county_id = '{COUNTY}'"))
            with pytest.raises(DBAPIError, match=r"append-only|permission denied"):
                connection.execute(text(statement.format(table)))
        engine.dispose()
    assert findings() == []


def test_a_chain_that_nobody_touched_is_intact_and_an_event_is_sealed_once() -> None:
    assert seal() == []
    three_seals()
    assert seal() == []
    assert findings() == []
    listed = ask("GET", SEALS).body["items"]
    assert [(each["seal_no"], each["events"]) for each in listed] == [(1, 2), (2, 2), (3, 2)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE audit_events SET details = jsonb_build_object('number', 7)", "event_changed"),
        ("UPDATE audit_events SET actor = 'nobody'", "event_changed"),
        ("UPDATE audit_events SET address = '10.0.0.1'", "event_changed"),
        ("UPDATE audit_events SET occurred_at = occurred_at - interval '1 microsecond'", "event_changed"),
        ("DELETE FROM audit_events", "event_deleted"),
    ],
)
def test_a_changed_or_deleted_event_is_named(county: MigratedDatabase, change: str, expected: str) -> None:
    ids = three_seals()
    as_owner(county, f"{change} WHERE event_id = {ids[2]}")
    assert findings() == [(2, expected, ids[2])]


def test_events_that_change_places_are_named_as_reordered(county: MigratedDatabase) -> None:
    ids = three_seals()
    swap = "UPDATE audit_events SET event_id = {} WHERE event_id = {}"
    as_owner(county, swap.format(0, ids[2]), swap.format(ids[2], ids[3]), swap.format(ids[3], 0))
    assert findings() == [(2, "event_reordered", ids[2]), (2, "event_reordered", ids[3])]


def test_an_event_that_is_added_later_inside_a_sealed_range_is_named(county: MigratedDatabase) -> None:
    ids = three_seals()
    columns = "county_id, occurred_at, actor, action, subject, details, transaction_id"
    as_owner(
        county,
        f"INSERT INTO audit_events (event_id, {columns}) SELECT 999, {columns} FROM audit_events"
        f" WHERE event_id = {ids[2]}",
    )
    assert findings() == [(2, "event_added", 999)]


def test_an_owner_who_makes_all_later_seals_anew_is_found_out_by_the_bucket(county: MigratedDatabase) -> None:
    ids = three_seals()
    as_owner(county, f"UPDATE audit_events SET actor = 'nobody' WHERE event_id = {ids[2]}")
    previous, start, forged = GENESIS, START, []
    with unit_of_work(COUNTY) as connection:
        for row in repository.after(connection, COUNTY, 0, 10):
            previous = seal_digest(previous, repository.events(connection, COUNTY, start, row.end))
            start = row.end
            forged.append(f"UPDATE audit_seals SET digest = '{previous}' WHERE seal_no = {row.seal_no}")
    as_owner(county, *forged)
    assert findings() == [
        (2, "seal_replaced", None),
        (2, "event_changed", ids[2]),
        (3, "seal_replaced", None),
    ]


def test_seals_that_are_removed_are_missed_in_the_middle_and_at_the_end(county: MigratedDatabase) -> None:
    three_seals()
    as_owner(county, "DELETE FROM audit_seals WHERE seal_no = 3")
    assert findings() == [(3, "seal_missing", None)]
    as_owner(county, "DELETE FROM audit_seals WHERE seal_no = 1")
    assert findings() == [(2, "seal_missing", None), (3, "seal_missing", None)]


def test_a_record_that_is_gone_from_the_bucket_is_named() -> None:
    three_seals()
    s3 = boto3.client("s3")
    for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"counties/{COUNTY}/records/")["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    assert findings() == [(number, "record_missing", None) for number in (1, 2, 3)]


def test_a_long_transaction_holds_up_no_writer_and_is_sealed_after_its_end() -> None:
    with unit_of_work(COUNTY) as long:
        record(0, long)
        record(1)  # in a transaction of its own, with a larger id: it does not wait
        assert seal() == []
    record(2)
    (made,) = seal()
    assert made["events"] == 3
    assert findings() == []


def test_a_seal_whose_row_was_lost_before_its_commit_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    record(0)
    with monkeypatch.context() as patch:
        patch.setattr(repository, "add", _killed)
        with pytest.raises(RuntimeError, match="killed"):
            seals.seal(COUNTY)
    record(1)
    made = seals.seal(COUNTY)
    assert [each.events for each in made] == [1, 1]
    assert findings() == []


def _killed(*_: object) -> None:
    raise RuntimeError("killed")


def test_a_backlog_is_sealed_in_several_seals_even_of_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "MAX_EVENTS", 3)
    with unit_of_work(COUNTY) as connection:
        for number in range(7):
            record(number, connection)
    assert [each["events"] for each in seal()] == [3, 3, 1]
    assert findings() == []


def test_the_clock_seals_the_events_of_every_county_with_objects() -> None:
    record(0)
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"counties/{COUNTY}/x", Body=b"")
    assert seal_task({}, LambdaContext()) == {"seals": 1}
    assert seal_task({}, LambdaContext()) == {"seals": 0}


def test_events_are_searched_by_text_and_by_period() -> None:
    for number in range(3):
        record(number)
    assert [each["actor"] for each in ask("GET", EVENTS, q="USER-1").body["items"]] == ["user-1"]
    assert [each["actor"] for each in ask("GET", EVENTS, q='"number": 2').body["items"]] == ["user-2"]
    assert ask("GET", EVENTS, until="2020-01-01T00:00:00Z").body["items"] == []
    assert len(ask("GET", EVENTS, until=datetime.now(UTC).isoformat()).body["items"]) == 3
