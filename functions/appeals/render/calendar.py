"""A hearing as a calendar entry (RFC 5545)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

MEDIA_TYPE = "text/calendar"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8"
_LINE_BYTES = 75
"""RFC 5545, 3.1: a longer line is folded."""
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})
"""RFC 5545, 3.3.11."""


@dataclass(frozen=True)
class HearingEntry:
    """A hearing: of which appeal, when, where, and which revision of its entry this is."""

    appeal_id: UUID
    summary: str
    begins_at: datetime
    minutes: int
    place: str
    status: Literal["CONFIRMED", "CANCELLED"]
    sequence: int
    written_at: datetime


def calendar_of(hearing: HearingEntry) -> str:
    """The entry as an iCalendar file."""
    ends_at = hearing.begins_at + timedelta(minutes=hearing.minutes)
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//TerraFusion//Appeals//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{hearing.appeal_id}@terrafusion",
        f"DTSTAMP:{_moment(hearing.written_at)}",
        f"DTSTART:{_moment(hearing.begins_at)}",
        f"DTEND:{_moment(ends_at)}",
        f"SEQUENCE:{hearing.sequence}",
        f"STATUS:{hearing.status}",
        f"SUMMARY:{_text(hearing.summary)}",
        f"LOCATION:{_text(hearing.place)}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """A text value; characters that no line may hold become blanks."""
    printable = "".join(c if c == "\n" or c.isprintable() or not c.isascii() else " " for c in text)
    return printable.replace("\u2028", " ").replace("\u2029", " ").translate(_ESCAPES)


def _folded(line: str) -> Iterator[str]:
    """The lines of a content line, each of 75 octets at most, without cutting a character."""
    part, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > _LINE_BYTES:
            yield part
            part, size = " ", 1
        part, size = part + character, size + width
    yield part
