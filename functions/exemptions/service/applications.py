"""Applications for exemptions, the decisions on them, and their renewals."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from functions.exemptions import repository
from functions.exemptions.schemas import ApplicationRequest, DecisionRequest, Exemption, Status, WithdrawalRequest
from shared import audit
from shared.access import Caller
from shared.counties.exemption_settings import ExemptionSettings, ExemptionTypeSettings
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, Forbidden, NotFound, Unprocessable
from shared.rolls.closing import closed_rolls

_KIND = "exemption"


def apply(county_id: str, request: ApplicationRequest, *, caller: Caller, idempotency_key: str | None) -> Exemption:
    """Record an application. The same request with the same key finds the one that it made.

    Raises Unprocessable for an unknown property or type, Conflict where the property has one of the type in a year of
    the period.
    """
    exemption_id = deterministic_id(county_id, _KIND, caller, idempotency_key)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        known = repository.request_digest(connection, county_id, exemption_id)
        if known is not None:
            refuse_reused_key(known, digest(request))
            return require(connection, county_id, exemption_id)
        type_ = _type(connection, county_id, request.exemption_type)
        if not repository.lock_property(connection, county_id, request.property_id):
            raise Unprocessable(
                f"{county_id} has no current property {request.property_id}.",
                pointer="/property_id",
                slug="property-not-found",
            )
        last_year = request.last_year or request.first_year + type_.period_years - 1
        _require_free(connection, county_id, request, last_year)
        values: dict[str, Any] = {
            "request_digest": digest(request),
            "property_id": request.property_id,
            "exemption_type": request.exemption_type,
            "rule": type_.rule.model_dump(mode="json"),
            "applicant": request.applicant,
            "note": request.note,
            "owners": repository.owners(connection, county_id, request.property_id),
            "first_year": request.first_year,
            "last_year": last_year,
            "renewal_year": None if type_.renewal_years is None else request.first_year + type_.renewal_years,
            "applied_by": caller.username,
        }
        repository.add(connection, county_id, exemption_id, values)
        details = request.model_dump(mode="json") | {"last_year": last_year}
        _record(connection, county_id, caller, "exemption.applied", exemption_id, details)
        return require(connection, county_id, exemption_id)


def decide(county_id: str, exemption_id: UUID, request: DecisionRequest, *, caller: Caller) -> Exemption:
    """Decide on an application, or on what was granted; asked for what it is already, it stays as it is.

    Raises Forbidden for who filed the application, Conflict where there is nothing to decide so, or where the roll of
    a year that it would change is closed.
    """
    with unit_of_work(county_id) as connection:
        exemption = require(connection, county_id, exemption_id, for_update=True)
        if caller.username == exemption.applied_by:
            raise Forbidden(
                "Who filed an application does not decide on it: a second person does.", slug="own-application"
            )
        expected: Status = "applied" if request.decision in ("grant", "deny") else "granted"
        outcomes: dict[str, Status] = {"grant": "granted", "deny": "denied", "renew": "granted", "end": "ended"}
        if exemption.status == outcomes[request.decision] and request.decision != "renew":
            return exemption
        if exemption.status != expected:
            raise Conflict(
                f"The exemption is {exemption.status}: there is nothing to {request.decision}.",
                slug="exemption-not-decidable",
            )
        changed = _changed(connection, county_id, exemption, request)
        decided = {"decided_by": caller.username, "decided_at": datetime.now(UTC), "reason": request.reason}
        repository.change(
            connection, county_id, exemption_id, {"status": outcomes[request.decision], **decided, **changed}
        )
        actions: dict[str, audit.ResourceAction] = {
            "grant": "exemption.granted",
            "deny": "exemption.denied",
            "renew": "exemption.renewed",
            "end": "exemption.ended",
        }
        details = request.model_dump(mode="json", exclude_none=True)
        new = {"status": outcomes[request.decision], **changed}
        old = {name: getattr(exemption, name) for name in new}
        _record(connection, county_id, caller, actions[request.decision], exemption_id, details, old=old, new=new)
        return require(connection, county_id, exemption_id)


def withdraw(county_id: str, exemption_id: UUID, request: WithdrawalRequest, *, caller: Caller) -> Exemption:
    """Withdraw an application that nobody has decided on. Raises Conflict for one that is decided."""
    with unit_of_work(county_id) as connection:
        exemption = require(connection, county_id, exemption_id, for_update=True)
        if exemption.status == "withdrawn":
            return exemption
        if exemption.status != "applied":
            raise Conflict(f"The exemption is {exemption.status}: it was decided.", slug="exemption-not-decidable")
        repository.change(connection, county_id, exemption_id, {"status": "withdrawn", "reason": request.reason})
        details = {"reason": request.reason}
        old, new = {"status": exemption.status}, {"status": "withdrawn"}
        _record(connection, county_id, caller, "exemption.withdrawn", exemption_id, details, old=old, new=new)
        return require(connection, county_id, exemption_id)


def one(county_id: str, exemption_id: UUID) -> Exemption:
    """An exemption. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        return require(connection, county_id, exemption_id)


def page(
    county_id: str,
    *,
    status: Status | None,
    exemption_type: str | None,
    property_id: str | None,
    renewal_due_by: int | None,
    page_size: int,
    page_token: str | None,
) -> Page[Exemption]:
    """A page of the county's exemptions. Raises NotFound, BadRequest for a token of another query."""
    query = [county_id, status, exemption_type, property_id, renewal_due_by]
    after = decode_token(query, page_token, UUID)
    with unit_of_work(county_id) as connection:
        found = repository.page(
            connection,
            county_id,
            status=status,
            exemption_type=exemption_type,
            property_id=property_id,
            renewal_due_by=renewal_due_by,
            after=after[0] if after else None,
            limit=page_size + 1,
        )
        if not found:
            require_onboarded(connection, county_id)
    items, more = found[:page_size], len(found) > page_size
    return Page(items=items, next_page_token=encode_token(query, [str(items[-1].exemption_id)]) if more else None)


def require(connection: Connection, county_id: str, exemption_id: UUID, *, for_update: bool = False) -> Exemption:
    """An exemption. Raises NotFound."""
    exemption = repository.find(connection, county_id, exemption_id, for_update=for_update)
    if exemption is None:
        require_onboarded(connection, county_id)
        raise NotFound(f"{county_id} has no exemption {exemption_id}.", slug="exemption-not-found")
    return exemption


def types_of(connection: Connection, county_id: str) -> dict[str, ExemptionTypeSettings]:
    """The county's types of exemptions, by their names."""
    return ExemptionSettings.model_validate(repository.settings(connection, county_id)).types


def _type(connection: Connection, county_id: str, name: str) -> ExemptionTypeSettings:
    types = types_of(connection, county_id)
    if name not in types:
        known = ", ".join(sorted(types)) or "none"
        raise Unprocessable(
            f"The county grants no {name}; its configuration has: {known}.",
            pointer="/exemption_type",
            slug="exemption-type-unknown",
        )
    return types[name]


def _require_free(connection: Connection, county_id: str, request: ApplicationRequest, last_year: int) -> None:
    other = repository.overlapping(
        connection, county_id, request.property_id, request.exemption_type, request.first_year, last_year
    )
    if other is not None:
        raise Conflict(
            f"{request.property_id} has a {request.exemption_type} from {other.first_year} to {other.last_year}"
            f" ({other.status}): the periods overlap.",
            slug="exemption-overlaps",
        )


def _changed(connection: Connection, county_id: str, exemption: Exemption, request: DecisionRequest) -> dict[str, Any]:
    """The columns that a decision changes beside its own."""
    match request.decision:
        case "grant":
            _require_open(connection, county_id, range(exemption.first_year, exemption.last_year + 1))
            return {"frozen_value": _frozen(connection, county_id, exemption, request)}
        case "renew":
            type_ = types_of(connection, county_id).get(exemption.exemption_type)
            if exemption.renewal_year is None or type_ is None or type_.renewal_years is None:
                raise Conflict("An exemption of this type needs no renewal.", slug="exemption-not-renewable")
            return {"renewal_year": exemption.renewal_year + type_.renewal_years}
        case "end":
            last_year = request.last_year or 0
            if not exemption.first_year <= last_year <= exemption.last_year:
                raise Unprocessable(
                    f"It was granted from {exemption.first_year} to {exemption.last_year}.",
                    pointer="/last_year",
                    slug="year-outside-period",
                )
            _require_open(connection, county_id, range(last_year + 1, exemption.last_year + 1))
            return {"last_year": last_year}
        case _:
            return {}


def _frozen(connection: Connection, county_id: str, exemption: Exemption, request: DecisionRequest) -> Any:
    """The value at which a freeze is granted; None for another rule."""
    if exemption.rule.kind != "freeze":
        if request.frozen_value is not None:
            raise Unprocessable("This type freezes no value.", pointer="/frozen_value", slug="no-freeze")
        return None
    if request.frozen_value is not None:
        return request.frozen_value
    value = repository.first_year_value(connection, county_id, exemption.property_id, exemption.first_year)
    if value is None:
        raise Unprocessable(
            f"{exemption.property_id} has no value of {exemption.first_year}: say at what it is frozen.",
            pointer="/frozen_value",
            slug="no-value-to-freeze",
        )
    return value


def _require_open(connection: Connection, county_id: str, years: range) -> None:
    """Raise Conflict where the roll of one of these years is closed."""
    for closed in closed_rolls(connection, county_id, list(years)):
        raise Conflict(f"This would change {closed}.", slug="roll-closed")


def _record(
    connection: Connection,
    county_id: str,
    caller: Caller,
    action: audit.ResourceAction,
    exemption_id: UUID,
    details: dict[str, Any],
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    subject = f"exemptions/{exemption_id}"
    audit.record(connection, county_id, caller.username, action, subject, details, old=old, new=new)
