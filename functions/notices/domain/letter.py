"""The letter of a notice: its fields, each a text, and letters of made-up data by which a template is checked."""

import re
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any

from shared.counties.notice_county import NoticeCounty
from shared.typesetting import display

MAX_LEGAL_LENGTH = 1000
"""Characters of a legal description that are printed. A choice: a metes-and-bounds description goes on for pages, and
the parcel's number names the land."""
_UNBROKEN = re.compile(r"(\S{40})(?=\S)")
"""A word that a line of a letter may not hold."""


def _described(description: str) -> Any:
    return field(metadata={"description": description})


@dataclass(frozen=True)
class NoticeValues:
    """The subject of a notice: a property, its values on two rolls, and the person it is sent to."""

    property_id: str
    parcel_number: str | None
    situs_address: str | None
    legal_description: str | None
    recipient: str
    mailing_address: str
    mailing_city: str
    mailing_state: str | None
    mailing_zip: str
    roll_year: int
    previous_year: int
    old_land_value: Decimal | None
    old_improvement_value: Decimal | None
    old_total_value: Decimal | None
    new_land_value: Decimal | None
    new_improvement_value: Decimal | None
    new_total_value: Decimal
    mailed_on: date
    deadline: date
    replaced_mailed_on: date | None


@dataclass(frozen=True)
class Letter:
    """The fields of a letter, as a template uses them: `notice.NAME`. Each is a text, and empty where there is none."""

    recipient: str = _described("the owner's name")
    street: str = _described("the mailing address: street and number, on one line or more")
    city_line: str = _described("the mailing address: city, state and ZIP")
    parcel_number: str = _described("the parcel's number, or its id where it has none")
    situs_address: str = _described("the property's address")
    legal_description: str = _described(f"the legal description, up to {MAX_LEGAL_LENGTH:,} characters")
    roll_year: str = _described("the year of the roll")
    previous_year: str = _described("the year of the roll before")
    old_land: str = _described("land value on the roll before, in whole dollars")
    old_improvements: str = _described("value of improvements on the roll before")
    old_total: str = _described("total value on the roll before")
    new_land: str = _described("land value on the roll, in whole dollars")
    new_improvements: str = _described("value of improvements on the roll")
    new_total: str = _described("total value on the roll")
    change_land: str = _described("change of the land value, with its sign")
    change_improvements: str = _described("change of the value of improvements, with its sign")
    change_total: str = _described("change of the total value, with its sign")
    mailed_on: str = _described("the day of mailing")
    deadline: str = _described("the last day of an appeal")
    replaced_notice: str = _described("the day of mailing of the notice that this one replaces; empty without one")
    county_name: str = _described("the county's name")
    office: str = _described("the county's contact, one line each: name, telephone, e-mail")
    board_name: str = _described("the name of the board that hears appeals")
    board_address: str = _described("the board's address, one line each")
    board_contact: str = _described("the board's telephone or e-mail; empty where there is none")
    board_meetings: str = _described("when and where the board meets; empty where it is not known")


LETTER_FIELDS = {each.name: str(each.metadata["description"]) for each in fields(Letter)}
"""The declared fields of a letter, with what they hold."""


def letter_of(values: NoticeValues, county: NoticeCounty) -> dict[str, str]:
    """The fields of a notice's letter."""
    board = county.settings.board
    return asdict(
        Letter(
            recipient=_line(values.recipient),
            street=_lines(values.mailing_address),
            city_line=_line(_city_line(values)),
            parcel_number=_line(values.parcel_number or values.property_id),
            situs_address=_line(values.situs_address or ""),
            legal_description=_line(_shortened(values.legal_description or "")),
            roll_year=str(values.roll_year),
            previous_year=str(values.previous_year),
            old_land=display.dollars(values.old_land_value),
            old_improvements=display.dollars(values.old_improvement_value),
            old_total=display.dollars(values.old_total_value),
            new_land=display.dollars(values.new_land_value),
            new_improvements=display.dollars(values.new_improvement_value),
            new_total=display.dollars(values.new_total_value),
            change_land=_change(values.old_land_value, values.new_land_value),
            change_improvements=_change(values.old_improvement_value, values.new_improvement_value),
            change_total=_change(values.old_total_value, values.new_total_value),
            mailed_on=display.day(values.mailed_on),
            deadline=display.day(values.deadline),
            replaced_notice="" if values.replaced_mailed_on is None else display.day(values.replaced_mailed_on),
            county_name=county.name,
            office="\n".join(county.office),
            board_name="" if board is None else board.name,
            board_address="" if board is None else "\n".join(board.address),
            board_contact="" if board is None else board.contact or "",
            board_meetings="" if board is None else board.meetings or "",
        )
    )


def sample_letters() -> list[dict[str, str]]:
    """Letters by which a template is checked: one whose texts are hostile, and one that has no more than it must."""
    hostile = '*#panic("x")* $x^2$ = Heading <label> @reference \\ "quoted" \u05d9\u05e2\u05dc \u05db\u05d4\u05df'
    long = "THE SOUTHEAST QUARTER OF #SECTION_12, *TOWNSHIP* 23 NORTH, RANGE 4 EAST, W.M.; "
    full = {name: f"{hostile} {name}" for name in LETTER_FIELDS}
    full |= {"legal_description": _line((long * 4)[:300]), "street": f"{hostile}\n{hostile}"}
    amounts = [name for name in LETTER_FIELDS if name.startswith(("old_", "new_", "change_"))]
    full |= dict.fromkeys(amounts, display.dollar_change(Decimal(-999_999_999)))
    least = dict.fromkeys(LETTER_FIELDS, "") | dict.fromkeys(amounts, display.MISSING)
    least |= dict.fromkeys(("recipient", "street", "city_line", "parcel_number", "county_name", "board_name"), "A")
    return [full, least]


def _city_line(values: NoticeValues) -> str:
    place = f"{values.mailing_state or ''} {values.mailing_zip}".strip()
    return f"{values.mailing_city}, {place}"


def _change(old: Decimal | None, new: Decimal | None) -> str:
    return display.dollar_change(None if old is None or new is None else new - old)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_LEGAL_LENGTH else text[: MAX_LEGAL_LENGTH - 1] + "…"


def _line(text: str) -> str:
    """The text on one line, with break opportunities in long words."""
    return _UNBROKEN.sub("\\1\u200b", " ".join(text.split()))


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(_line, text.splitlines())))
