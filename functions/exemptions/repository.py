"""SQL of exemptions that are applied for and decided here, and of those that the county's system has."""
# ruff: noqa: S608 - names of ours, values as parameters

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from functions.exemptions.domain.taxable_value import GrantedExemption, SystemExemption
from functions.exemptions.schemas import Exemption, ExemptionFinding, Status
from functions.exemptions.schemas import ExemptionDocument as Document
from shared.counties.exemption_settings import ExemptionRule
from shared.db.models import ExemptionDocument, ExemptionGrant

_RULE: TypeAdapter[ExemptionRule] = TypeAdapter(ExemptionRule)
_EFFECTIVE = "g.status IN ('granted', 'ended')"
"""SQL of the grants `g` that count in the years of their period; one that has ended counts until its last year."""


@dataclass(frozen=True)
class TaxedProperty:
    """A property with exemptions in a roll year, and its values of that year."""

    property_id: str
    area: str
    market_value: Decimal | None
    assessed_value: Decimal
    granted: list[GrantedExemption]
    of_system: list[SystemExemption]


def settings(connection: Connection, county_id: str) -> dict[str, Any]:
    """The county's settings of exemptions, as they are configured."""
    row = connection.scalar(
        text("SELECT configuration #> '{plugin_settings,exemptions}' FROM counties WHERE county_id = :county_id"),
        {"county_id": county_id},
    )
    return dict(row or {})


def lock_property(connection: Connection, county_id: str, property_id: str) -> bool:
    """Lock a current property, so that applications for it come one after the other; False where there is none."""
    row = connection.execute(
        text(
            "SELECT property_id FROM properties_operational WHERE county_id = :county_id"
            " AND property_id = :property_id AND retired_at IS NULL FOR UPDATE"
        ),
        {"county_id": county_id, "property_id": property_id},
    ).one_or_none()
    return row is not None


def owners(connection: Connection, county_id: str, property_id: str) -> list[dict[str, Any]]:
    """The present owners of a property: name, mailing address, and whether the name is confidential."""
    rows = connection.execute(
        text(
            "SELECT name, nullif(concat_ws(', ', mailing_address, mailing_city, mailing_state, mailing_zip), '')"
            " AS mailing_address, coalesce(confidential, false) AS confidential FROM owners"
            " WHERE county_id = :county_id AND property_id = :property_id"
            " AND retired_at IS NULL ORDER BY owner_id LIMIT 100"
        ),
        {"county_id": county_id, "property_id": property_id},
    )
    return [dict(row._mapping) for row in rows]


def overlapping(
    connection: Connection, county_id: str, property_id: str, exemption_type: str, first_year: int, last_year: int
) -> Exemption | None:
    """An exemption of this type of a property that has a year in common with a period, applied for or granted."""
    row = connection.execute(
        _select()
        .where(
            ExemptionGrant.county_id == county_id,
            ExemptionGrant.property_id == property_id,
            ExemptionGrant.exemption_type == exemption_type,
            ExemptionGrant.status.in_(("applied", "granted", "ended")),
            ExemptionGrant.first_year <= last_year,
            ExemptionGrant.last_year >= first_year,
        )
        .limit(1)
    ).one_or_none()
    return None if row is None else Exemption.model_validate(dict(row._mapping))


def add(connection: Connection, county_id: str, exemption_id: UUID, values: dict[str, Any]) -> bool:
    """Add an application; False where it is there."""
    added = connection.execute(
        insert(ExemptionGrant)
        .values(county_id=county_id, grant_id=exemption_id, status="applied", version=1, **values)
        .on_conflict_do_nothing(index_elements=["county_id", "grant_id"])
    )
    return bool(added.rowcount)


def find(connection: Connection, county_id: str, exemption_id: UUID, *, for_update: bool = False) -> Exemption | None:
    """An exemption."""
    statement = _select().where(ExemptionGrant.county_id == county_id, ExemptionGrant.grant_id == exemption_id)
    row = connection.execute(statement.with_for_update() if for_update else statement).one_or_none()
    return None if row is None else Exemption.model_validate(dict(row._mapping))


def request_digest(connection: Connection, county_id: str, exemption_id: UUID) -> str | None:
    """The digest of the request that made an application."""
    digest: str | None = connection.scalar(
        select(ExemptionGrant.request_digest).where(
            ExemptionGrant.county_id == county_id, ExemptionGrant.grant_id == exemption_id
        )
    )
    return digest


def change(connection: Connection, county_id: str, exemption_id: UUID, values: dict[str, Any]) -> None:
    """Change an exemption; its version grows by one."""
    connection.execute(
        update(ExemptionGrant)
        .where(ExemptionGrant.county_id == county_id, ExemptionGrant.grant_id == exemption_id)
        .values(version=ExemptionGrant.version + 1, **values)
    )


def page(
    connection: Connection,
    county_id: str,
    *,
    status: Status | None,
    exemption_type: str | None,
    property_id: str | None,
    renewal_due_by: int | None,
    after: UUID | None,
    limit: int,
) -> list[Exemption]:
    """Exemptions by id, from the one after `after`."""
    grant = ExemptionGrant
    statement = _select().where(grant.county_id == county_id).order_by(grant.grant_id).limit(limit)
    if status is not None:
        statement = statement.where(grant.status == status)
    if exemption_type is not None:
        statement = statement.where(grant.exemption_type == exemption_type)
    if property_id is not None:
        statement = statement.where(grant.property_id == property_id)
    if renewal_due_by is not None:
        statement = statement.where(
            grant.status == "granted", grant.renewal_year <= renewal_due_by, grant.last_year >= grant.renewal_year
        )
    if after is not None:
        statement = statement.where(grant.grant_id > after)
    return [Exemption.model_validate(dict(row._mapping)) for row in connection.execute(statement)]


def first_year_value(connection: Connection, county_id: str, property_id: str, roll_year: int) -> Decimal | None:
    """The assessed value of a property in a roll year, or its market value where it has none; None without either."""
    value: Decimal | None = connection.scalar(
        text(
            "SELECT sum(coalesce(assessed_value, total_value)) FROM assessments WHERE county_id = :county_id"
            " AND property_id = :property_id AND roll_year = :roll_year AND retired_at IS NULL"
        ),
        {"county_id": county_id, "property_id": property_id, "roll_year": roll_year},
    )
    return value


_TAXED = (
    "WITH exempt AS (SELECT g.property_id, jsonb_build_object('exemption_id', g.grant_id, 'exemption_type',"
    "  g.exemption_type, 'rule', g.rule, 'frozen_value', CAST(g.frozen_value AS text)) AS granted, NULL AS of_system"
    f"  FROM exemption_grants AS g WHERE g.county_id = :county_id AND {_EFFECTIVE}"
    "  AND :roll_year BETWEEN g.first_year AND g.last_year{of_grant}"
    " UNION ALL SELECT e.property_id, NULL, jsonb_build_object('exemption_id', e.exemption_id, 'exemption_type',"
    "  e.exemption_type, 'amount', CAST(e.amount AS text)) FROM exemptions AS e WHERE e.county_id = :county_id"
    "  AND e.roll_year = :roll_year AND e.retired_at IS NULL{of_exemption}),"
    " listed AS (SELECT property_id, jsonb_agg(granted) FILTER (WHERE granted IS NOT NULL) AS granted,"
    "  jsonb_agg(of_system) FILTER (WHERE of_system IS NOT NULL) AS of_system FROM exempt GROUP BY property_id),"
    " valued AS (SELECT property_id, sum(total_value) AS market_value,"
    "  sum(coalesce(assessed_value, total_value)) AS assessed_value FROM assessments WHERE county_id = :county_id"
    "  AND roll_year = :roll_year AND retired_at IS NULL{of_assessment} GROUP BY property_id)"
)


def taxed_property(connection: Connection, county_id: str, property_id: str, roll_year: int) -> TaxedProperty | None:
    """A property's values and exemptions of a roll year; None where it has no assessment of the year."""
    own = " AND {}.property_id = :property_id"
    query = _TAXED.format(
        of_grant=own.format("g"), of_exemption=own.format("e"), of_assessment=own.format("assessments")
    )
    row = connection.execute(
        text(
            f"{query} SELECT v.*, '' AS area, l.granted, l.of_system FROM valued AS v"
            " LEFT JOIN listed AS l USING (property_id)"
        ),
        {"county_id": county_id, "property_id": property_id, "roll_year": roll_year},
    ).one_or_none()
    return None if row is None or row.assessed_value is None else _taxed(row)


def taxed_properties(connection: Connection, county_id: str, roll_year: int, area: str) -> Iterator[TaxedProperty]:
    """Every property with exemptions in a roll year and an assessment of it; `area` is a column of properties."""
    query = _TAXED.format(of_grant="", of_exemption="", of_assessment="")
    rows = connection.execute(
        text(
            f"{query} SELECT v.*, coalesce(p.{area}, 'none') AS area, l.granted, l.of_system"
            " FROM listed AS l JOIN valued AS v USING (property_id) LEFT JOIN properties_operational AS p"
            " ON p.county_id = :county_id AND p.property_id = v.property_id WHERE v.assessed_value IS NOT NULL"
        ),
        {"county_id": county_id, "roll_year": roll_year},
    )
    return (_taxed(row) for row in rows)


_NAME = (
    "(SELECT string_agg(word, ' ' ORDER BY word) FROM regexp_split_to_table(upper({}), '[^[:alnum:]]+') AS word"
    " WHERE word <> '')"
)
"""SQL of a name without punctuation, capitals and order of words: SMITH, JOHN and John Smith are one."""
_SHOWN = "CASE WHEN o.confidential THEN 'an owner whose name is confidential' ELSE coalesce(o.name, 'somebody') END"
"""SQL of the name of an owner `o` in a reason."""
_FINDINGS = (
    "WITH active AS (SELECT 'granted' AS source, CAST(g.grant_id AS text) AS exemption_id, g.property_id,"
    f"  g.exemption_type FROM exemption_grants AS g WHERE g.county_id = :county_id AND {_EFFECTIVE}"
    "  AND :roll_year BETWEEN g.first_year AND g.last_year"
    " UNION ALL SELECT 'county_system', e.exemption_id, e.property_id, coalesce(e.exemption_type, 'untyped')"
    "  FROM exemptions AS e WHERE e.county_id = :county_id AND e.roll_year = :roll_year AND e.retired_at IS NULL),"
    f" named AS (SELECT a.*, {_SHOWN} AS name, {_NAME.format('o.name')} AS owner,"
    f"  {_NAME.format('concat_ws($$ $$, o.mailing_address, o.mailing_zip)')} AS address FROM active AS a"
    "  JOIN owners AS o ON o.county_id = :county_id AND o.property_id = a.property_id AND o.retired_at IS NULL"
    "  WHERE a.exemption_type = ANY(CAST(:one_per_owner AS text[]))),"
    " found AS (SELECT 'second_of_one_owner' AS finding, n.property_id, n.exemption_type, n.source, n.exemption_id,"
    "  min(n.name || ' has one on ' || other.property_id || ' too'"
    "  || CASE WHEN n.address = other.address THEN ', at the same mailing address' ELSE '' END) AS reason"
    "  FROM named AS n JOIN named AS other ON other.owner = n.owner AND other.exemption_type = n.exemption_type"
    "  AND other.property_id <> n.property_id GROUP BY 2, 3, 4, 5"
    " UNION ALL SELECT 'owner_changed', g.property_id, g.exemption_type, 'granted', CAST(g.grant_id AS text),"
    "  'granted to ' || coalesce((SELECT string_agg(w ->> 'name', ', ') FROM jsonb_array_elements(g.owners) AS w"
    "  WHERE (w ->> 'confidential') IS DISTINCT FROM 'true'),"
    f"  'nobody known') || ', and owned by ' || string_agg({_SHOWN}, ', ' ORDER BY o.owner_id)"
    "  FROM exemption_grants AS g JOIN owners AS o ON o.county_id = g.county_id AND o.property_id = g.property_id"
    "  AND o.retired_at IS NULL WHERE g.county_id = :county_id AND g.status = 'granted'"
    "  AND :roll_year BETWEEN g.first_year AND g.last_year GROUP BY g.county_id, g.grant_id"
    "  HAVING NOT bool_or(EXISTS (SELECT FROM jsonb_array_elements(g.owners) AS w"
    f"  WHERE {_NAME.format('w ->> $$name$$')} = {_NAME.format('o.name')}))"
    " UNION ALL SELECT 'expired', a.property_id, a.exemption_type, a.source, a.exemption_id,"
    "  'granted here until ' || max(g.last_year) || ', and the county''s system has it in ' || :roll_year"
    "  FROM active AS a JOIN exemption_grants AS g ON g.county_id = :county_id AND g.property_id = a.property_id"
    f"  AND g.exemption_type = a.exemption_type AND {_EFFECTIVE} WHERE a.source = 'county_system' GROUP BY 2, 3, 4, 5"
    "  HAVING max(g.last_year) < :roll_year"
    " UNION ALL SELECT 'renewal_overdue', g.property_id, g.exemption_type, 'granted', CAST(g.grant_id AS text),"
    "  'to be renewed for ' || g.renewal_year FROM exemption_grants AS g WHERE g.county_id = :county_id"
    "  AND g.status = 'granted' AND g.renewal_year <= :roll_year AND :roll_year BETWEEN g.first_year AND g.last_year)"
    ' SELECT finding AS "check", property_id, exemption_type, source, exemption_id, reason FROM found'
)


def findings(
    connection: Connection,
    county_id: str,
    roll_year: int,
    one_per_owner: Sequence[str],
    *,
    check: str | None,
    after: tuple[str, ...] | None,
    limit: int,
) -> list[ExemptionFinding]:
    """Findings of a roll year, by property, check and exemption, from the one after `after`."""
    conditions = ["true"]
    values: dict[str, Any] = {
        "county_id": county_id,
        "roll_year": roll_year,
        "one_per_owner": list(one_per_owner),
        "limit": limit,
    }
    if check is not None:
        conditions.append("finding = :check")
        values["check"] = check
    if after is not None:
        conditions.append("(property_id, finding, exemption_id) > (:property_id, :finding, :exemption_id)")
        values |= dict(zip(("property_id", "finding", "exemption_id"), after, strict=True))
    rows = connection.execute(
        text(f"{_FINDINGS} WHERE {' AND '.join(conditions)} ORDER BY property_id, finding, exemption_id LIMIT :limit"),
        values,
    )
    return [ExemptionFinding.model_validate(dict(row._mapping)) for row in rows]


def add_document(
    connection: Connection, county_id: str, exemption_id: UUID, document_id: UUID, values: dict[str, Any]
) -> bool:
    """Add a document to an application; False where it is there."""
    added = connection.execute(
        insert(ExemptionDocument)
        .values(county_id=county_id, grant_id=exemption_id, document_id=document_id, **values)
        .on_conflict_do_nothing()
    )
    return bool(added.rowcount)


def documents(connection: Connection, county_id: str, exemption_id: UUID) -> list[Document]:
    """The documents of an application, in the order in which they came."""
    stored = ExemptionDocument
    rows = connection.execute(
        select(*(getattr(stored, name) for name in Document.model_fields))
        .where(stored.county_id == county_id, stored.grant_id == exemption_id)
        .order_by(stored.added_at, stored.document_id)
    )
    return [Document.model_validate(dict(row._mapping)) for row in rows]


def count_documents(connection: Connection, county_id: str, exemption_id: UUID) -> int:
    """The number of documents of an application."""
    stored = ExemptionDocument
    counted = select(func.count()).where(stored.county_id == county_id, stored.grant_id == exemption_id)
    return int(connection.scalar(counted) or 0)


def document_digest(connection: Connection, county_id: str, exemption_id: UUID, document_id: UUID) -> str | None:
    """The digest of the request that announced a document."""
    stored = ExemptionDocument
    digest: str | None = connection.scalar(
        select(stored.request_digest).where(
            stored.county_id == county_id, stored.grant_id == exemption_id, stored.document_id == document_id
        )
    )
    return digest


def _select() -> Any:
    own = [name for name in Exemption.model_fields if name != "exemption_id"]
    return select(ExemptionGrant.grant_id.label("exemption_id"), *(getattr(ExemptionGrant, name) for name in own))


def _taxed(row: Any) -> TaxedProperty:
    granted = [
        GrantedExemption(
            one["exemption_id"],
            one["exemption_type"],
            _RULE.validate_python(one["rule"]),
            None if one["frozen_value"] is None else Decimal(one["frozen_value"]),
        )
        for one in row.granted or ()
    ]
    of_system = [
        SystemExemption(
            one["exemption_id"],
            one["exemption_type"],
            None if one["amount"] is None else Decimal(one["amount"]),
        )
        for one in row.of_system or ()
    ]
    return TaxedProperty(row.property_id, row.area, row.market_value, row.assessed_value, granted, of_system)
