"""The fields of a letter, days of mailing, and the fields that a template uses."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from functions.notices.domain.letter import LETTER_FIELDS, MAX_LEGAL_LENGTH, NoticeValues, letter_of, sample_letters
from functions.notices.domain.mailing_day import require_mailing_day
from functions.notices.domain.template_fields import unknown_fields
from functions.notices.render.letters import default_template, typeset_letters
from shared.counties.notice_county import NoticeCounty
from shared.counties.notice_settings import AppealBoard, ClosedPeriod, NoticeSettings
from shared.problems import Unprocessable

BOARD = AppealBoard(name="Board of Equalization", address=("516 Third Avenue", "Seattle, WA 98104"))
COUNTY = NoticeCounty("King County", UTC, ("Ada", "ada@example.org"), NoticeSettings(board=BOARD))
VALUES = NoticeValues(
    property_id="P1",
    parcel_number=None,
    situs_address="1 Main Street",
    legal_description="LOT 1",
    recipient="Jane Public",
    mailing_address="12 Oak Street\nApt 5",
    mailing_city="Seattle",
    mailing_state=None,
    mailing_zip="98101",
    roll_year=2027,
    previous_year=2026,
    old_land_value=Decimal(200_000),
    old_improvement_value=None,
    old_total_value=Decimal(600_000),
    new_land_value=Decimal(190_000),
    new_improvement_value=Decimal(450_000),
    new_total_value=Decimal(640_000),
    mailed_on=date(2027, 2, 16),
    deadline=date(2027, 7, 1),
    replaced_mailed_on=None,
)
WASHINGTON = NoticeSettings(closed_periods=(ClosedPeriod(first="01-15", last="02-15"),))


def test_a_letter_states_both_values_land_and_improvements_apart_and_their_changes() -> None:
    letter = letter_of(VALUES, COUNTY)

    assert letter.keys() == LETTER_FIELDS.keys()
    parts, columns = ("land", "improvements", "total"), ("old", "new", "change")
    assert [letter[f"{column}_{part}"] for part in parts for column in columns] == [
        "$200,000", "$190,000", "−$10,000", "–", "$450,000", "–", "$600,000", "$640,000", "+$40,000",
    ]  # fmt: skip
    assert (letter["deadline"], letter["mailed_on"]) == ("July 1, 2027", "February 16, 2027")
    assert (letter["parcel_number"], letter["city_line"]) == ("P1", "Seattle, 98101")
    assert letter["board_address"] == "516 Third Avenue\nSeattle, WA 98104"
    assert letter["replaced_notice"] == ""


@given(st.text(max_size=1500))
def test_any_legal_description_is_one_line_with_places_to_break_it(description: str) -> None:
    shown = letter_of(replace(VALUES, legal_description=description), COUNTY)["legal_description"]

    assert re.search(r"\S{41}", shown.replace("\u200b", " ")) is None
    assert len(shown.replace("\u200b", "")) <= MAX_LEGAL_LENGTH
    assert "\n" not in shown


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_washingtons_closed_days_are_january_15_to_february_15_of_every_year(year: int) -> None:
    """RCW 84.40.045 (1)."""
    today = date(year, 1, 1)
    require_mailing_day(WASHINGTON, date(year, 1, 14), today)
    require_mailing_day(WASHINGTON, date(year, 2, 16), today)
    for closed in (date(year, 1, 15), date(year, 1, 31), date(year, 2, 15)):
        with pytest.raises(Unprocessable, match="No notice is mailed from 01-15 to 02-15"):
            require_mailing_day(WASHINGTON, closed, today)


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_a_period_over_the_end_of_a_year_is_closed_in_both(day: date) -> None:
    period = ClosedPeriod(first="12-20", last="01-05")

    assert period.contains(day) == ((day.month, day.day) >= (12, 20) or (day.month, day.day) <= (1, 5))


def test_the_platforms_template_uses_declared_fields_alone() -> None:
    assert unknown_fields(default_template()) == []
    assert [(fault.line, fault.detail.split()[0]) for fault in unknown_fields("#notice.recipient\n#notice.x-1")] == [
        (2, "x-1")
    ]


def test_samples_have_every_field() -> None:
    assert all(letter.keys() == LETTER_FIELDS.keys() for letter in sample_letters())


def test_the_same_letters_are_the_same_bytes_and_each_begins_on_the_page_that_is_noted(tmp_path: Path) -> None:
    long = letter_of(replace(VALUES, recipient="Second", situs_address="1 Main Street, " * 400), COUNTY)
    letters = [letter_of(VALUES, COUNTY), long, letter_of(replace(VALUES, recipient="Third"), COUNTY)]
    files = [tmp_path / "first.pdf", tmp_path / "again.pdf"]

    pages = [
        typeset_letters(letters, default_template(), "Notices", datetime(2027, 2, 1, tzinfo=UTC), f) for f in files
    ]

    assert files[0].read_bytes() == files[1].read_bytes()
    assert pages[0] == pages[1]
    assert pages[0][:2] == [1, 2]
    assert pages[0][2] > 3
    document = PdfReader(files[0])
    assert document.metadata is not None
    assert document.metadata.title == "Notices"
    for name, page in zip(("Jane Public", "Second", "Third"), pages[0], strict=True):
        assert name in document.pages[page - 1].extract_text()
