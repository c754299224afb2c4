"""One statement for all that a page about a property shows. Each list of it is a subquery that answers in JSON."""
# ruff: noqa: S608 - definitions and names of ours; values are parameters

from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel
from sqlalchemy import Connection, text

from functions.properties.repository.neighborhoods import NEWEST_STUDY, RATIOS
from functions.properties.schemas.overview import (
    DecidedField,
    OpenFlag,
    OverviewSale,
    PropertyExemption,
    PropertyOwner,
    PropertyValue,
)
from functions.properties.schemas.parcels import Improvement, PropertyDetail
from shared.sale_validity import DECISION_JOIN, SALE_RATIO, SALE_VALIDITY

MAX_ROWS = 500
"""Rows of a list. A choice: a page shows no more, and all of it is one answer."""


def _object(schema: type[BaseModel], alias: str, **expressions: str) -> str:
    """SQL of a JSON object with the fields of a schema: columns of `alias`, or the expressions that are given.

    Decimals are texts: a number of JSON is not exact.
    """
    members = []
    for name, field in schema.model_fields.items():
        value = expressions.get(name, f"{alias}.{name}")
        is_decimal = Decimal in (field.annotation, *get_args(field.annotation))
        members.append(f"'{name}', {value}{'::text' if is_decimal else ''}")
    return f"jsonb_build_object({', '.join(members)})"


def _list(item: str, source: str, order: str) -> str:
    """SQL of a JSON list of items, of which `source` is FROM and WHERE."""
    rows = f"SELECT {item} AS item, row_number() OVER (ORDER BY {order}) AS place {source} ORDER BY {order}"
    return f"(SELECT coalesce(jsonb_agg(r.item ORDER BY r.place), '[]') FROM ({rows} LIMIT {MAX_ROWS}) AS r)"


def _author(run: str, source: str, editor: str) -> str:
    """SQL of the author of a version: an approval, its undoing, an appeal or a sync by its id (`run`), or an edit.

    `source` is SQL of the system that a sync has read, `editor` of whoever edited.
    """
    return (
        f"(SELECT CASE WHEN made.run IS NULL THEN jsonb_build_object('kind', 'edit', 'by', {editor})"
        " WHEN ap.approval_id = made.run THEN jsonb_build_object('kind', 'approval', 'by', ap.approved_by,"
        " 'valuation_run_id', ap.run_id, 'approval_id', ap.approval_id)"
        " WHEN ap.approval_id IS NOT NULL THEN jsonb_build_object('kind', 'approval_undone', 'by', ap.undone_by,"
        " 'valuation_run_id', ap.run_id, 'approval_id', ap.approval_id)"
        " WHEN appeal.appeal_id IS NOT NULL THEN jsonb_build_object('kind', 'appeal', 'by', appeal.decided_by,"
        " 'appeal_id', appeal.appeal_id)"
        " ELSE jsonb_build_object('kind', 'sync', 'by', coalesce(sr.approved_by, j.submitted_by),"
        f" 'sync_run_id', made.run, 'source', {source}) END FROM (SELECT {run} AS run) AS made"
        " LEFT JOIN valuation_approvals ap ON ap.county_id = p.county_id AND made.run IN (ap.approval_id, ap.undo_id)"
        " LEFT JOIN appeals appeal ON appeal.county_id = p.county_id AND appeal.appeal_id = made.run"
        " LEFT JOIN sync_runs sr ON sr.county_id = p.county_id AND sr.run_id = made.run"
        " LEFT JOIN jobs j ON j.county_id = p.county_id AND j.job_id = made.run LIMIT 1)"
    )


_HISTORY = "properties_operational_history h WHERE h.county_id = p.county_id AND h.property_id = p.property_id"
_MADE_BY = (
    f"CASE WHEN p.version = 1 THEN p.sync_run_id ELSE (SELECT h.superseded_by_run FROM {_HISTORY}"
    " ORDER BY h.version DESC LIMIT 1) END"
)
"""SQL of the run that has made a property's version: the one that superseded the version before."""
_EDITOR = (
    "(SELECT o.made_by FROM field_overrides o WHERE o.county_id = p.county_id"
    " AND o.table_name = 'properties_operational' AND o.row_key = p.property_id AND o.version = p.version LIMIT 1)"
)
_OWN = "county_id = p.county_id AND {0}.property_id = p.property_id AND {0}.retired_at IS NULL"
_FLAGS = _list(
    _object(OpenFlag, "f"),
    "FROM sale_flags f WHERE f.county_id = s.county_id AND f.sale_id = s.sale_id AND f.cleared_at IS NULL"
    " AND :view_valuation",
    "f.rule",
)
_VALUES = _list(
    _object(PropertyValue, "a", author=_author("a.sync_run_id", "a.source_system", "NULL")),
    f"FROM assessments a WHERE a.{_OWN.format('a')}",
    "a.roll_year DESC, a.assessment_id",
)
_IMPROVEMENTS = _list(_object(Improvement, "i"), f"FROM improvements i WHERE i.{_OWN.format('i')}", "i.improvement_id")
_SALES = _list(
    _object(
        OverviewSale,
        "s",
        decision="nullif(d.decision, 'as_coded')",
        validity=SALE_VALIDITY,
        ratio=f"CAST({SALE_RATIO} AS double precision)",
        flags=_FLAGS,
    ),
    f"FROM sales s{DECISION_JOIN} WHERE s.{_OWN.format('s')}",
    "s.sale_date DESC, s.sale_id",
)
_EXEMPTIONS = _list(
    _object(PropertyExemption, "e"),
    f"FROM exemptions e WHERE e.{_OWN.format('e')}",
    "e.roll_year DESC NULLS LAST, e.exemption_id",
)
_HIDDEN = {
    name: f"CASE WHEN :see_confidential OR o.confidential IS NOT TRUE THEN o.{name} END"
    for name in ("name", "mailing_address", "mailing_city", "mailing_state", "mailing_zip")
}
_OWNERS = _list(
    _object(PropertyOwner, "o", confidential="o.confidential IS TRUE", **_HIDDEN),
    f"FROM owners o WHERE o.{_OWN.format('o')}",
    "o.owner_id",
)
_OVERRIDDEN = (
    "FROM field_overrides o WHERE o.county_id = p.county_id AND o.table_name = 'properties_operational'"
    " AND o.row_key = p.property_id AND {}"
)
_OVERRIDES = _list(_object(DecidedField, "o"), _OVERRIDDEN.format("o.ended_at IS NULL"), "o.field")
_CONFLICTS = _list(
    _object(DecidedField, "o"), _OVERRIDDEN.format("o.ended_why = 'source_changed'"), "o.ended_at DESC, o.field"
)
_NEWEST_VALUE = """(
    SELECT to_jsonb(v) FROM (
        SELECT v.valuation_id, CAST(NULL AS uuid) AS valuation_run_id, v.valuation_date, v.created_at AS valued_at,
            v.estimate::text, v.lower::text AS low, v.upper::text AS high, v.confidence,
            coalesce(CAST(v.details ->> 'review' AS boolean), false) AS review,
            v.details -> 'contributions' ->> 'base' AS base,
            (SELECT jsonb_object_agg(c ->> 'name', c ->> 'amount')
                FROM jsonb_array_elements(v.details -> 'contributions' -> 'features') AS c) AS contributions
        FROM valuations v WHERE v.county_id = p.county_id AND v.property_id = p.property_id
        UNION ALL
        SELECT NULL, r.run_id, vr.valuation_date, j.finished_at, r.estimate::text, r.lower::text, r.upper::text,
            r.confidence, r.review, r.contributions ->> 'base', r.contributions - 'base'
        FROM valuation_run_results r
        JOIN valuation_runs vr ON vr.county_id = r.county_id AND vr.run_id = r.run_id
        JOIN jobs j ON j.county_id = r.county_id AND j.job_id = r.run_id AND j.status = 'succeeded'
        WHERE r.county_id = p.county_id AND r.property_id = p.property_id AND r.estimate IS NOT NULL
            AND r.run_id IN (SELECT job_id FROM jobs WHERE county_id = p.county_id AND kind = 'valuation_run'
                AND status = 'succeeded' ORDER BY created_at DESC LIMIT 10)
        ORDER BY valued_at DESC LIMIT 1) AS v WHERE :view_valuation)"""
"""Of the ten newest runs: a run values most of a county's properties."""
_RATIOS_OF_NEIGHBORHOOD = (
    f"(SELECT {RATIOS} FROM ({NEWEST_STUDY}) AS study JOIN neighborhood_ratios r ON r.county_id = p.county_id"
    " AND r.study_id = study.job_id AND r.neighborhood = p.neighborhood WHERE :view_valuation)"
)
_OVERVIEW = text(
    "SELECT jsonb_build_object("
    + ", ".join(
        f"'{name}', {expression}"
        for name, expression in {
            "property": _object(PropertyDetail, "p"),
            "author": _author(_MADE_BY, "p.source_system", _EDITOR),
            "versions": f"1 + (SELECT count(*) FROM {_HISTORY})",
            "values": _VALUES,
            "improvements": _IMPROVEMENTS,
            "sales": _SALES,
            "exemptions": _EXEMPTIONS,
            "owners": _OWNERS,
            "newest_value": _NEWEST_VALUE,
            "neighborhood_ratios": _RATIOS_OF_NEIGHBORHOOD,
            "overrides": _OVERRIDES,
            "conflicts": _CONFLICTS,
        }.items()
    )
    + ") AS document FROM properties_operational p WHERE p.county_id = :county_id AND p.property_id = :property_id"
)


def overview(
    connection: Connection, county_id: str, property_id: str, *, view_valuation: bool, see_confidential: bool
) -> dict[str, Any] | None:
    """A property with everything around it, as JSON; None where there is no such property."""
    document: dict[str, Any] | None = connection.scalar(
        _OVERVIEW,
        {
            "county_id": county_id,
            "property_id": property_id,
            "view_valuation": view_valuation,
            "see_confidential": see_confidential,
        },
    )
    return document
