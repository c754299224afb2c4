"""A county with two rolls and owners of every kind, and batches of notices as the jobs machine runs them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, update

from functions.notices.handler import handler
from functions.notices.tasks import prepare_batch, send_batch, typeset_file
from shared.db import unit_of_work
from shared.db.models import Assessment, County, Owner, PropertyOperational
from tests.gateway import Answer, call
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county
from tests.job_cloud import Steps, run_partitioned

C = "/v1/counties/{county_id}"
BATCHES = C + "/notice-batches"
NOTICES = C + "/notices"
BATCH = BATCHES + "/{batch_id}"
STEPS = Steps("notice_batch", prepare_batch.handler, typeset_file.handler, send_batch.handler)
YEAR = 2026
BOARD = {"name": "Board of Equalization", "address": ["516 Third Avenue", "Seattle, WA 98104"]}
WASHINGTON = {
    "appeal_until": "07-01",
    "closed_periods": [{"first": "01-15", "last": "02-15"}],
    "board": BOARD,
    "letters_per_file": 2,
}
HOSTILE = '=HYPERLINK("x") *bold* #panic() $x$ <b> \u05d9\u05e2\u05dc \u05db\u05d4\u05df'


def next_day_of(month: int, day: int) -> date:
    """The next such day from tomorrow on."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    coming = tomorrow.replace(month=month, day=day)
    return coming if coming >= tomorrow else coming.replace(year=coming.year + 1)


MAILED = next_day_of(3, 2)


def add_noticed_county(settings: dict[str, Any] | None = None) -> None:
    """The county, with Washington's rules or other settings of notices."""
    add_county()
    configuration = {
        "timezone": "America/Los_Angeles",
        "contact": {"name": "Ada", "email": "ada@example.org"},
        "plugin_settings": {"notices": WASHINGTON if settings is None else settings},
    }
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(County).values(configuration=configuration))


def add_property(
    property_id: str,
    values: dict[int, tuple[int, int]],
    owners: Sequence[dict[str, Any]] = ({},),
    **columns: Any,
) -> None:
    """A parcel with its land and improvement value by roll year, and its owners."""
    parcel = {
        "county_id": COUNTY,
        "property_id": property_id,
        "parcel_number": f"N-{property_id}",
        "situs_address": f"{property_id} Situs Road",
        "legal_description": f"LOT {property_id}",
        "neighborhood": "north",
        **columns,
    }
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(PropertyOperational), [parcel | PROVENANCE])
        for year, (land, improvements) in values.items():
            assessment = {"assessment_id": f"A{year}-{property_id}", "property_id": property_id, "roll_year": year}
            money = {
                "land_value": Decimal(land),
                "improvement_value": Decimal(improvements),
                "total_value": Decimal(land + improvements),
                "assessed_value": Decimal(land + improvements),
            }
            connection.execute(insert(Assessment), [{"county_id": COUNTY, **assessment, **money, **PROVENANCE}])
        for number, owner in enumerate(owners):
            address = {
                "name": f"Owner of {property_id}",
                "mailing_address": "12 Oak Street",
                "mailing_city": "Seattle",
                "mailing_state": "WA",
                "mailing_zip": "98101",
                "owner_id": f"O{number}-{property_id}",
            }
            connection.execute(
                insert(Owner), [{"county_id": COUNTY, "property_id": property_id, **address, **owner, **PROVENANCE}]
            )


def set_value(property_id: str, land: int, improvements: int) -> None:
    """Another value of a property on the roll."""
    money = {"land_value": land, "improvement_value": improvements, "total_value": land + improvements}
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            update(Assessment).where(Assessment.property_id == property_id, Assessment.roll_year == YEAR).values(money)
        )


def request(**body: Any) -> Answer:
    sent = {"roll_year": YEAR, "mailed_on": MAILED.isoformat()} | body
    return call(handler, "POST", BATCHES, path={"county_id": COUNTY}, body=sent)


def look(batch_id: str, what: str = "", **ids: str) -> Answer:
    return call(handler, "GET", BATCH + what, path={"county_id": COUNTY, "batch_id": batch_id, **ids})


def submitted(**body: Any) -> str:
    answer = request(**body)
    assert answer.status == 202, answer.body
    batch_id: str = answer.body["id"]
    return batch_id


def made(**body: Any) -> tuple[str, dict[str, Any]]:
    """A batch run to its end: its id and its results."""
    batch_id = submitted(**body)
    run_partitioned(STEPS, COUNTY, batch_id)
    answer = look(batch_id, "/results")
    assert answer.status == 200, look(batch_id).body
    results: dict[str, Any] = answer.body
    return batch_id, results


def notices(**query: str) -> list[dict[str, Any]]:
    answer = call(handler, "GET", NOTICES, path={"county_id": COUNTY}, query=query)
    assert answer.status == 200, answer.body
    items: list[dict[str, Any]] = answer.body["items"]
    return items
