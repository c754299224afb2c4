"""Hearings as calendar entries, read by another implementation of RFC 5545."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from functions.appeals.render.calendar import HearingEntry, calendar_of

AT = datetime(2026, 8, 3, 9, 30, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def entry(summary: str, place: str) -> HearingEntry:
    return HearingEntry(
        appeal_id=UUID(int=7),
        summary=summary,
        begins_at=AT,
        minutes=45,
        place=place,
        status="CONFIRMED",
        sequence=2,
        written_at=AT - timedelta(days=30),
    )


def test_an_entry_says_when_where_and_which_revision_it_is() -> None:
    place = "Room 4; Court\\house, 2nd floor"
    (event,) = Calendar.from_ical(calendar_of(entry("Hearing of appeal 2026-00001", place))).events

    assert (event.start, event.end) == (AT, AT + timedelta(minutes=45))
    assert str(event["UID"]) == f"{UUID(int=7)}@terrafusion"
    assert (event["SEQUENCE"], str(event["STATUS"])) == (2, "CONFIRMED")
    assert str(event["LOCATION"]) == place


@given(TEXT, TEXT)
def test_any_text_is_read_back_and_no_line_is_longer_than_75_octets(summary: str, place: str) -> None:
    text = calendar_of(entry(summary, place))

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert text.endswith("END:VCALENDAR\r\n")
    (event,) = Calendar.from_ical(text).events
    shown = "".join(c if c == "\n" or c.isprintable() or not c.isascii() else " " for c in summary)
    shown = shown.replace("\u2028", " ").replace("\u2029", " ")
    assert str(event["SUMMARY"]).replace("\r", "") == shown
