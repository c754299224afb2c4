"""SQL of the review of flagged sales: reading them, and recording decisions."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, text, update

from functions.sales_validation.domain.sale_records import FlagFilter, LockedSale, StoredDecision
from functions.sales_validation.schemas import DecisionRequest, Flag, FlaggedSale, SaleDecision, SaleReview
from shared.db.models import SaleDecision as DecisionRow

_DECISION_COLUMNS = tuple(getattr(DecisionRow, name) for name in SaleDecision.model_fields)
_STANDING_FLAGS = (
    "SELECT jsonb_agg(jsonb_build_object('rule', f.rule, 'reason', f.reason, 'validation_id', f.validation_id,"
    " 'flagged_at', f.flagged_at, 'cleared_at', f.cleared_at) ORDER BY f.cleared_at DESC NULLS FIRST, f.rule)"
    " FROM sale_flags f WHERE f.county_id = s.county_id AND f.sale_id = s.sale_id"
)
_SALE = (
    "SELECT s.sale_id, s.property_id, p.situs_address AS address, s.sale_date, s.sale_price, s.validity_code,"
    " p.property_id IS NOT NULL AND coalesce(nullif(d.decision, 'as_coded'), s.validity_code) = 'valid'"
    " AS used_as_evidence, to_jsonb(d) AS decision"
)
_FROM = (
    " LEFT JOIN properties_operational p"
    " ON p.county_id = s.county_id AND p.property_id = s.property_id AND p.retired_at IS NULL"
    " LEFT JOIN sale_decisions d ON d.county_id = s.county_id AND d.sale_id = s.sale_id AND d.superseded_at IS NULL"
    " WHERE s.county_id = :county_id AND s.retired_at IS NULL"
)


def flagged_sales(
    connection: Connection, county_id: str, flag_filter: FlagFilter, *, after: str | None, limit: int
) -> list[FlaggedSale]:
    """Sales with standing flags that meet the filter, by id, from the one after the id `after`."""
    rule, property_id, decided = flag_filter.rule, flag_filter.property_id, flag_filter.decided
    conditions = ["EXISTS (SELECT FROM sale_flags f WHERE f.county_id = s.county_id AND f.sale_id = s.sale_id"]
    conditions[0] += " AND f.cleared_at IS NULL" + (" AND f.rule = :rule)" if rule else ")")
    values: dict[str, Any] = {"county_id": county_id, "limit": limit}
    if rule is not None:
        values["rule"] = rule
    if property_id is not None:
        conditions.append("s.property_id = :property_id")
        values["property_id"] = property_id
    if decided is not None:
        holds = "coalesce(d.decision, 'as_coded') <> 'as_coded'"
        conditions.append(holds if decided else f"NOT {holds}")
    if after is not None:
        conditions.append("s.sale_id > :after")
        values["after"] = after
    rows = connection.execute(
        text(
            f"{_SALE}, ({_STANDING_FLAGS} AND f.cleared_at IS NULL) AS flags FROM sales s{_FROM}"
            f" AND {' AND '.join(conditions)} ORDER BY s.sale_id LIMIT :limit"
        ),
        values,
    )
    return [FlaggedSale(**_sale(row), flags=_flags(row.flags)) for row in rows]


def sale_review(connection: Connection, county_id: str, sale_id: str) -> SaleReview | None:
    """One current sale with all its flags and decisions, or None."""
    row = connection.execute(
        text(f"{_SALE}, ({_STANDING_FLAGS}) AS flags FROM sales s{_FROM} AND s.sale_id = :sale_id"),
        {"county_id": county_id, "sale_id": sale_id},
    ).one_or_none()
    if row is None:
        return None
    decisions = connection.execute(
        select(*_DECISION_COLUMNS)
        .where(DecisionRow.county_id == county_id, DecisionRow.sale_id == sale_id)
        .order_by(DecisionRow.decided_at.desc())
    )
    flags = _flags(row.flags)
    return SaleReview(
        **_sale(row),
        flags=tuple(flag for flag in flags if flag.cleared_at is None),
        cleared_flags=tuple(flag for flag in flags if flag.cleared_at is not None),
        decisions=tuple(_decision(decision._asdict()) for decision in decisions),
    )


def _sale(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    values = {name: value for name, value in row._asdict().items() if name != "flags"}
    decision = values["decision"]
    return values | {"decision": None if decision is None else _decision(decision)}


def _decision(values: Mapping[str, Any]) -> SaleDecision:
    return SaleDecision.model_validate({name: values[name] for name in SaleDecision.model_fields})


def _flags(documents: Sequence[dict[str, Any]] | None) -> tuple[Flag, ...]:
    return tuple(Flag.model_validate(document) for document in documents or ())


def lock_sales(connection: Connection, county_id: str, sale_ids: Sequence[str]) -> list[LockedSale]:
    """Lock current sales until the transaction ends, by id, so that decisions on them follow one another."""
    rows = connection.execute(
        text(
            "SELECT sale_id, validity_code, row_hash FROM sales WHERE county_id = :county_id"
            " AND sale_id = ANY (:sale_ids) AND retired_at IS NULL ORDER BY sale_id FOR UPDATE"
        ),
        {"county_id": county_id, "sale_ids": list(sale_ids)},
    )
    return [LockedSale(*row) for row in rows]


def find_decisions(connection: Connection, county_id: str, decision_ids: Sequence[UUID]) -> list[StoredDecision]:
    """The decisions with these ids, by sale; fewer where some were not made."""
    rows = connection.execute(
        select(*_DECISION_COLUMNS, DecisionRow.request_digest)
        .where(DecisionRow.county_id == county_id, DecisionRow.decision_id.in_(decision_ids))
        .order_by(DecisionRow.sale_id)
    )
    return [StoredDecision(row.request_digest, _decision(row._asdict())) for row in rows]


def supersede_decisions(connection: Connection, county_id: str, sale_ids: Sequence[str]) -> dict[str, str]:
    """End the standing decisions of the sales; returns them by sale."""
    rows = connection.execute(
        update(DecisionRow)
        .where(
            DecisionRow.county_id == county_id,
            DecisionRow.sale_id.in_(sale_ids),
            DecisionRow.superseded_at.is_(None),
        )
        .values(superseded_at=text("clock_timestamp()"))
        .returning(DecisionRow.sale_id, DecisionRow.decision)
    )
    return {row.sale_id: row.decision for row in rows}


def add_decisions(
    connection: Connection,
    county_id: str,
    sales: Mapping[UUID, LockedSale],
    request: DecisionRequest,
    *,
    request_digest: str,
    actor: str,
) -> list[SaleDecision]:
    """Record a decision on each sale, with the rules that the sale breaks at this moment.

    `sales` are the locked sales by the ids of their decisions; `request_digest` identifies the request that is sent
    again with the same Idempotency-Key; `actor` is who decides.
    """
    standing = connection.execute(
        text(
            "SELECT sale_id, array_agg(rule ORDER BY rule) AS rules FROM sale_flags WHERE county_id = :county_id"
            " AND sale_id = ANY (:sale_ids) AND cleared_at IS NULL GROUP BY 1"
        ),
        {"county_id": county_id, "sale_ids": [sale.sale_id for sale in sales.values()]},
    )
    rules = {row.sale_id: row.rules for row in standing}
    rows = connection.execute(
        insert(DecisionRow).returning(*_DECISION_COLUMNS, sort_by_parameter_order=True),
        [
            {
                "county_id": county_id,
                "decision_id": decision_id,
                "sale_id": sale.sale_id,
                "decision": request.decision,
                "note": request.note,
                "validity_code": sale.validity_code,
                "row_hash": sale.row_hash,
                "rules": rules.get(sale.sale_id, []),
                "request_digest": request_digest,
                "decided_by": actor,
            }
            for decision_id, sale in sales.items()
        ],
    )
    return [_decision(row._asdict()) for row in rows]
