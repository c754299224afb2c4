"""The review of flagged sales, and a person's decisions on them."""

from collections.abc import Container, Sequence
from dataclasses import asdict
from uuid import UUID, uuid5

from sqlalchemy import Connection

from functions.sales_validation.domain.sale_records import FlagFilter, LockedSale
from functions.sales_validation.repository import review as repository
from functions.sales_validation.schemas import (
    DecisionRequest,
    DecisionsRequest,
    FlaggedSale,
    SaleDecision,
    SaleReview,
)
from shared import audit
from shared.access import Caller
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.paging import Page, decode_token, encode_token
from shared.problems import Fault, NotFound, Unprocessable

_KIND = "sale_decision"


def flagged_sales(
    county_id: str, flag_filter: FlagFilter, *, page_size: int, page_token: str | None
) -> Page[FlaggedSale]:
    """A page of the sales with standing flags, by id. Raises BadRequest for another query's token."""
    query = [county_id, asdict(flag_filter)]
    last = decode_token(query, page_token, str)
    with unit_of_work(county_id) as connection:
        sales = repository.flagged_sales(
            connection, county_id, flag_filter, after=last[0] if last else None, limit=page_size + 1
        )
        if not sales:
            require_onboarded(connection, county_id)
    items, more = sales[:page_size], len(sales) > page_size
    return Page(items=items, next_page_token=encode_token(query, [items[-1].sale_id]) if more else None)


def sale_review(county_id: str, sale_id: str) -> SaleReview:
    """A sale with its flags and decisions, those of the past too. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        sale = repository.sale_review(connection, county_id, sale_id)
        if sale is None:
            require_onboarded(connection, county_id)
            raise _no_sale(county_id, sale_id)
    return sale


def decide(
    county_id: str, sale_id: str, request: DecisionRequest, *, caller: Caller, idempotency_key: str | None
) -> SaleDecision:
    """Replace the standing decision on a sale, and record it in the audit trail.

    The same Idempotency-Key answers with the decision that was made the first time. Raises NotFound for a sale that
    is not among the county's current ones.
    """
    decision_id = deterministic_id(county_id, _KIND, caller, idempotency_key)
    request_digest = f"{sale_id}:{digest(request)}"
    with unit_of_work(county_id) as connection:
        sales = repository.lock_sales(connection, county_id, [sale_id])
        if not sales:
            require_onboarded(connection, county_id)
            raise _no_sale(county_id, sale_id)
        [decision] = _decide(connection, county_id, {decision_id: sales[0]}, request, request_digest, caller)
    return decision


def decide_on_several(
    county_id: str, request: DecisionsRequest, *, caller: Caller, idempotency_key: str | None
) -> list[SaleDecision]:
    """The same decision on several sales, in one transaction.

    Raises Unprocessable naming each sale that is not there.
    """
    batch = deterministic_id(county_id, f"{_KIND}s", caller, idempotency_key)
    with unit_of_work(county_id) as connection:
        sales = repository.lock_sales(connection, county_id, request.sale_ids)
        if len(sales) < len(request.sale_ids):
            require_onboarded(connection, county_id)
            raise _no_sales(county_id, request.sale_ids, {sale.sale_id for sale in sales})
        # the first has the batch's own id, so that another request with the same key is known for what it is
        ids = [batch, *(uuid5(batch, sale.sale_id) for sale in sales[1:])]
        return _decide(connection, county_id, dict(zip(ids, sales, strict=True)), request, digest(request), caller)


def _decide(
    connection: Connection,
    county_id: str,
    sales: dict[UUID, LockedSale],
    request: DecisionRequest,
    request_digest: str,
    caller: Caller,
) -> list[SaleDecision]:
    """Decide on locked sales, which are given by the ids of their decisions.

    `request_digest` identifies the request; one that comes again finds its decisions by their ids.
    """
    earlier = repository.find_decisions(connection, county_id, list(sales))
    for stored in earlier:
        refuse_reused_key(stored.request_digest, request_digest)
    if earlier:
        return [stored.decision for stored in earlier]
    before = repository.supersede_decisions(connection, county_id, [sale.sale_id for sale in sales.values()])
    decisions = repository.add_decisions(
        connection, county_id, sales, request, request_digest=request_digest, actor=caller.username
    )
    for decision in decisions:
        audit.record(
            connection,
            county_id,
            caller.username,
            "sale.decided",
            f"sales/{decision.sale_id}",
            {
                "validity_code": decision.validity_code,
                "rules": list(decision.rules),
                "note": decision.note,
            },
            old={"decision": before.get(decision.sale_id)},
            new={"decision": decision.decision},
        )
    return decisions


def _no_sale(county_id: str, sale_id: str) -> NotFound:
    return NotFound(f"{county_id} has no current sale {sale_id}.", slug="sale-not-found")


def _no_sales(county_id: str, requested: Sequence[str], current: Container[str]) -> Unprocessable:
    faults = tuple(
        Fault(f"/sale_ids/{number}", f"{county_id} has no current sale {sale_id}.")
        for number, sale_id in enumerate(requested)
        if sale_id not in current
    )
    return Unprocessable("Some of the sales are not there; none was decided on.", slug="sale-not-found", faults=faults)
