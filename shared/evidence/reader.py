"""Sales and the properties sold, read from the database column by column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import orjson
from pg8000.native import literal
from sqlalchemy import Connection, text

from shared.appraisal.arrays import FloatArray, IntArray, TextArray
from shared.appraisal.columns import NUMBERS, TEXTS, Characteristics, Sales
from shared.db.copying import copy_out_rows, ordinal_sql
from shared.evidence.attributes import (
    AttributeKinds,
    Attributes,
    categorical_column,
    infer_attribute_kinds,
    numeric_column,
)
from shared.sale_validity import DECISION_JOIN, SALE_VALIDITY

PROPERTY_COLUMNS = ", ".join(
    f"p.{name}"
    for name in ("property_id", "situs_address", "situs_city", "property_class", *NUMBERS, *TEXTS, "attributes")
)
PROPERTY_CLASS = "property_class"
MAX_SALES = 250_000
"""Choice that bounds memory; of more sales the oldest are excluded."""

_DESCRIPTION = 4
_FIRST_NUMBER = _DESCRIPTION
_FIRST_TEXT = _FIRST_NUMBER + len(NUMBERS)
_ATTRIBUTES = _FIRST_TEXT + len(TEXTS)


@dataclass(frozen=True)
class Evidence:
    """The valid sales of a county, oldest first; every column has one entry a sale.

    `assessed_value` is the property's current total value, NaN where it is unknown (or 0, which legacy systems
    write for unknown).
    """

    sale_ids: list[str]
    property_ids: list[str]
    addresses: list[str]
    city: TextArray
    property_class: TextArray
    assessed_value: FloatArray
    sales: Sales
    kinds: AttributeKinds

    def __len__(self) -> int:
        return len(self.sale_ids)

    def take(self, rows: IntArray) -> Evidence:
        """The sales at these positions."""
        return Evidence(
            sale_ids=[self.sale_ids[row] for row in rows],
            property_ids=[self.property_ids[row] for row in rows],
            addresses=[self.addresses[row] for row in rows],
            city=self.city[rows],
            property_class=self.property_class[rows],
            assessed_value=self.assessed_value[rows],
            sales=self.sales.take(rows),
            kinds=self.kinds,
        )

    def with_property_class(self) -> Evidence:
        """The same with the property's class among its characteristics, for a model of several classes."""
        known = self.sales.characteristics
        described = replace(known, categorical={**known.categorical, PROPERTY_CLASS: self.property_class})
        kinds = replace(self.kinds, property_class=True)
        return replace(self, sales=replace(self.sales, characteristics=described), kinds=kinds)


def read_evidence(connection: Connection, county_id: str, before: date | None = None) -> Evidence:
    """Every current valid sale whose property is on the current roll, or those before a day.

    A sale is valid where a person decided so, and by the county's code where nobody decided. Of very many sales the
    latest are read, so that memory has a bound.
    """
    earlier = f" AND s.sale_date < {literal(before)}" if before else ""
    rows = copy_out_rows(
        connection,
        f"SELECT {PROPERTY_COLUMNS}, s.sale_id, {ordinal_sql('s.sale_date')}, s.sale_price, p.total_value"  # noqa: S608 - names of ours
        f" FROM sales s JOIN properties_operational p USING (county_id, property_id){DECISION_JOIN}"
        f" WHERE s.county_id = {literal(county_id)} AND {SALE_VALIDITY} = 'valid'"
        f" AND s.retired_at IS NULL AND p.retired_at IS NULL{earlier}"
        f" ORDER BY s.sale_date DESC, s.sale_id DESC LIMIT {MAX_SALES}",
    )
    rows.reverse()
    kinds = infer_attribute_kinds([_attributes(row) for row in rows])
    sale_id, day, price, total = range(_ATTRIBUTES + 1, _ATTRIBUTES + 5)
    assessed = _numbers(rows, total)
    return Evidence(
        sale_ids=[row[sale_id] for row in rows],
        property_ids=[row[0] for row in rows],
        addresses=[row[1] for row in rows],
        city=_texts(rows, 2),
        property_class=_texts(rows, 3),
        assessed_value=np.where(assessed > 0, assessed, np.nan),
        sales=Sales(
            characteristics(rows, kinds),
            np.array([int(row[day]) for row in rows], dtype=np.int64),
            _numbers(rows, price),
        ),
        kinds=kinds,
    )


_REASON = (
    f"CASE WHEN {SALE_VALIDITY} = 'invalid' THEN 'invalid_by_decision'"
    f" WHEN {SALE_VALIDITY} <> 'valid' THEN {SALE_VALIDITY}"
    " WHEN p.property_id IS NULL THEN 'property_not_on_roll'"
)
"""SQL of the reason for which a sale (`s`) is no evidence, up to the end of its CASE."""
_CURRENT_SALES = (
    "FROM sales s LEFT JOIN properties_operational p ON p.county_id = s.county_id AND p.property_id = s.property_id"
    f" AND p.retired_at IS NULL{DECISION_JOIN}"
)


def excluded_sales_of_period(connection: Connection, county_id: str, first: date, last: date) -> list[dict[str, Any]]:
    """The current sales of a period that `read_evidence` excludes, each with the reason."""
    rows = connection.execute(
        text(
            f"SELECT * FROM (SELECT s.sale_id, s.property_id, s.sale_date, s.sale_price, {_REASON} END AS reason,"  # noqa: S608 - names of ours
            " coalesce(p.neighborhood, '') AS neighborhood, coalesce(p.property_class, '') AS property_class"
            f" {_CURRENT_SALES} WHERE s.county_id = :county_id AND s.retired_at IS NULL"
            " AND s.sale_date BETWEEN :first AND :last) e WHERE reason IS NOT NULL ORDER BY sale_date, sale_id"
        ),
        {"county_id": county_id, "first": first, "last": last},
    )
    return [dict(row) for row in rows.mappings()]


def excluded_sales(connection: Connection, county_id: str, before: date | None = None) -> dict[str, int]:
    """Counts of the current sales that `read_evidence` excludes, by reason.

    A reason is a validity code, `invalid_by_decision` where a person decided so, `property_not_on_roll`,
    `on_or_after_valuation_date` where only those before a day are read, or `older_than_needed` for the oldest of very
    many.
    """
    rows = connection.execute(
        text(
            f"SELECT {_REASON} WHEN s.sale_date >= CAST(:before AS date) THEN 'on_or_after_valuation_date' END"
            f" AS reason, count(*) AS sales {_CURRENT_SALES}"
            " WHERE s.county_id = :county_id AND s.retired_at IS NULL GROUP BY 1 ORDER BY 1"
        ),
        {"county_id": county_id, "before": before},
    )
    counts = {row.reason: int(row.sales) for row in rows}
    read = counts.pop(None, 0)
    return counts | ({"older_than_needed": read - MAX_SALES} if read > MAX_SALES else {})


def evidence_version(connection: Connection, county_id: str) -> str:
    """A version of the evidence: it changes when sales, decisions on them or properties do."""
    row = connection.execute(
        text(
            "SELECT (SELECT max(applied_at) FROM sync_runs WHERE county_id = :county_id) AS applied,"
            " (SELECT max(valid_from) FROM properties_operational WHERE county_id = :county_id) AS edited,"
            " (SELECT max(retired_at) FROM properties_operational"
            "  WHERE county_id = :county_id AND retired_at IS NOT NULL) AS retired,"
            " (SELECT concat(count(*), '/', max(valid_from), '/', max(retired_at)) FROM sales"
            "  WHERE county_id = :county_id) AS sales,"
            " (SELECT concat(count(*), '/', max(decided_at)) FROM sale_decisions"
            "  WHERE county_id = :county_id) AS decisions"
        ),
        {"county_id": county_id},
    ).one()
    return "|".join(str(part) for part in row)


def sales_version(connection: Connection, county_id: str) -> str:
    """A version of the sales: it changes when sales or decisions on them do, and not when a parcel does."""
    row = connection.execute(_SALES_VERSION, {"county_id": county_id}).one()
    return "|".join(str(part) for part in row)


_SALES_VERSION = text(
    "SELECT (SELECT concat(count(*), '/', max(valid_from), '/', max(retired_at)) FROM sales"
    "  WHERE county_id = :county_id) AS sales,"
    " (SELECT concat(count(*), '/', max(decided_at)) FROM sale_decisions WHERE county_id = :county_id) AS decisions"
)


def characteristics(rows: list[tuple[str, ...]], kinds: AttributeKinds) -> Characteristics:
    """Rows that begin with PROPERTY_COLUMNS as columns, with the attributes that `kinds` names."""
    attributes = [_attributes(row) for row in rows]
    columns: dict[str, Any] = {name: _numbers(rows, _FIRST_NUMBER + offset) for offset, name in enumerate(NUMBERS)}
    columns |= {name: _texts(rows, _FIRST_TEXT + offset) for offset, name in enumerate(TEXTS)}
    return Characteristics(
        **columns,
        numeric={name: numeric_column(attributes, name) for name in kinds.numeric},
        categorical={
            **{name: categorical_column(attributes, name) for name in kinds.categorical},
            **({PROPERTY_CLASS: _texts(rows, 3)} if kinds.property_class else {}),
        },
    )


def _attributes(row: tuple[str, ...]) -> Attributes:
    parsed = orjson.loads(row[_ATTRIBUTES]) if row[_ATTRIBUTES] else {}
    return parsed if isinstance(parsed, dict) else {}


def _numbers(rows: list[tuple[str, ...]], column: int) -> FloatArray:
    return np.array([float(row[column]) if row[column] else np.nan for row in rows], dtype=np.float64)


def _texts(rows: list[tuple[str, ...]], column: int) -> TextArray:
    return np.array([row[column] for row in rows], dtype=np.str_)
