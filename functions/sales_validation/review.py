"""A person looks at flagged sales and decides."""

from dataclasses import asdict, dataclass

from functions.sales_validation.repository import review as repository
from functions.sales_validation.schemas import DecisionRequest, FlaggedSale, Rule, SaleDecision, SaleReview
from shared import audit
from shared.access import Caller
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.paging import Page, decode_token, encode_token
from shared.problems import NotFound

_KIND = "sale_decision"


@dataclass(frozen=True)
class FlagFilter:
    """Which flagged sales are wanted; None asks for nothing. `decided`: whether a decision holds."""

    rule: Rule | None = None
    property_id: str | None = None
    decided: bool | None = None


def flagged(county_id: str, wanted: FlagFilter, *, page_size: int, page_token: str | None) -> Page[FlaggedSale]:
    """A page of the sales with standing flags, by id. Raises BadRequest for another query's token."""
    query = [county_id, asdict(wanted)]
    after = decode_token(query, page_token, str)
    with unit_of_work(county_id) as connection:
        found = repository.flagged(
            connection,
            county_id,
            rule=wanted.rule,
            property_id=wanted.property_id,
            decided=wanted.decided,
            after=after[0] if after else None,
            limit=page_size + 1,
        )
        if not found:
            require_onboarded(connection, county_id)
    items, more = found[:page_size], len(found) > page_size
    return Page(items=items, next_page_token=encode_token(query, [items[-1].sale_id]) if more else None)


def of_sale(county_id: str, sale_id: str) -> SaleReview:
    """A sale with its flags and decisions, those of the past too. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        found = repository.sale_review(connection, county_id, sale_id)
        if found is None:
            require_onboarded(connection, county_id)
            raise _no_sale(county_id, sale_id)
    return found


def decide(
    county_id: str, sale_id: str, request: DecisionRequest, *, caller: Caller, idempotency_key: str | None
) -> SaleDecision:
    """Put a decision in the place of the one that holds, and write it down in the audit trail.

    The same Idempotency-Key answers with the decision that was made the first time. Raises NotFound for a sale that
    is not among the county's current ones.
    """
    decision_id = deterministic_id(county_id, _KIND, caller, idempotency_key)
    request_digest = f"{sale_id}:{digest(request)}"
    with unit_of_work(county_id) as connection:
        sale = repository.lock_sale(connection, county_id, sale_id)
        if sale is None:
            require_onboarded(connection, county_id)
            raise _no_sale(county_id, sale_id)
        earlier = repository.find_decision(connection, county_id, decision_id)
        if earlier is not None:
            refuse_reused_key(earlier.request_digest, request_digest)
            return earlier.decision
        before = repository.supersede_decision(connection, county_id, sale_id)
        made = repository.add_decision(
            connection, county_id, decision_id, sale, request, request_digest=request_digest, actor=caller.username
        )
        audit.record(
            connection,
            county_id,
            caller.username,
            "sale.decided",
            f"sales/{sale_id}",
            {
                "decision": made.decision,
                "before": before,
                "validity_code": made.validity_code,
                "rules": list(made.rules),
                "note": made.note,
            },
        )
    return made


def _no_sale(county_id: str, sale_id: str) -> NotFound:
    return NotFound(f"{county_id} has no current sale {sale_id}.", slug="sale-not-found")
