"""Appeals as the API shows them, from their records."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from functions.appeals.repository import appeals
from functions.appeals.repository.appeals import AppealRow
from functions.appeals.schemas import Appeal, AppealSummary, PacketRequest, Values
from shared.access import Caller, Permission
from shared.counties.notice_county import NoticeCounty, notice_county
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.problems import NotFound

_SHOWN_AS_STORED = set(AppealSummary.model_fields) - {"id", "reference"}
_MORE = set(Appeal.model_fields) - set(AppealSummary.model_fields) - {"before", "decided", "packet", "links"}


def get(county_id: str, appeal_id: UUID, caller: Caller) -> Appeal:
    """An appeal. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        row = require_appeal(connection, county_id, appeal_id)
        return to_appeal(county_id, row, notice_county(connection, county_id), caller)


def require_appeal(connection: Connection, county_id: str, appeal_id: UUID, *, for_update: bool = False) -> AppealRow:
    """The record of an appeal; with `for_update` locked until the transaction ends. Raises NotFound."""
    row = appeals.find(connection, county_id, appeal_id, for_update=for_update)
    if row is None:
        require_onboarded(connection, county_id)
        raise NotFound(f"{county_id} has no appeal {appeal_id}.", slug="appeal-not-found")
    return row


def reference_of(row: AppealRow) -> str:
    """The number of an appeal as people write it: `2026-00042`."""
    return f"{row.roll_year}-{row.appeal_no:05}"


def to_summary(county_id: str, row: AppealRow, caller: Caller) -> AppealSummary:
    """The record of an appeal as lists show it to a caller."""
    return AppealSummary.model_validate(_summary(row) | _withheld(county_id, row, caller, "petitioner"))


def to_appeal(county_id: str, row: AppealRow, county: NoticeCounty, caller: Caller) -> Appeal:
    """The record of an appeal as a whole, as it is shown to a caller."""
    own = f"/v1/counties/{county_id}/appeals/{row.appeal_id}"
    links = {"self": own, "documents": f"{own}/documents"}
    if row.hearing_at is not None:
        links["hearing"] = f"{own}/hearing.ics"
    more = {name: getattr(row, name) for name in _MORE}
    values = {name: _values(row, name) if row.outcome is not None else None for name in ("before", "decided")}
    packet = to_packet_request(county_id, row, county)
    withheld = _withheld(county_id, row, caller, "petitioner", "petitioner_contact")
    return Appeal.model_validate(_summary(row) | more | values | withheld | {"packet": packet, "links": links})


def to_packet_request(county_id: str, row: AppealRow, county: NoticeCounty) -> PacketRequest:
    """The request that makes the evidence packet of an appeal; `county` has the calendar of its hearing."""
    parameters: dict[str, Any] = {"property_id": row.property_id, "reference": f"Appeal {reference_of(row)}"}
    if row.hearing_at is not None:
        parameters["hearing_date"] = row.hearing_at.astimezone(county.zone).date().isoformat()
    return PacketRequest(
        appeal_id=row.appeal_id,
        reference=reference_of(row),
        property_id=row.property_id,
        hearing_at=row.hearing_at,
        href=f"/v1/counties/{county_id}/reports",
        body={"report_type": "evidence_packet", "format": "pdf", "parameters": parameters},
    )


def _withheld(county_id: str, row: AppealRow, caller: Caller, *names: str) -> dict[str, None]:
    """Who petitions for a confidential owner, taken away for a caller who may not edit properties."""
    hides = row.confidential and not caller.may(county_id, Permission.EDIT_PROPERTY)
    return dict.fromkeys(names) if hides else {}


def _summary(row: AppealRow) -> dict[str, Any]:
    stored = {name: getattr(row, name) for name in _SHOWN_AS_STORED}
    return stored | {"id": row.appeal_id, "reference": reference_of(row)}


def _values(row: AppealRow, name: str) -> Values:
    return Values.model_validate({part: getattr(row, f"{name}_{part}") for part in Values.model_fields})
