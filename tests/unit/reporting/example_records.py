"""A sync run, a county's data quality and counties side by side, all of whose names are one."""

from datetime import UTC, date, datetime
from decimal import Decimal

from functions.reporting.domain.county_comparison import ComparedCounties, ComparedCounty, compared_study
from functions.reporting.domain.data_quality import DataQuality, RuleCount, RuleTotal
from functions.reporting.domain.sync_audit import FindingCount, RejectCount, SyncAuditRecord, totals_of
from functions.reporting.reports.county_comparison import comparison_report
from functions.reporting.reports.data_quality import quality_report
from functions.reporting.reports.finished_study import results_model
from functions.reporting.reports.report_type import Report
from functions.reporting.reports.sync_audit import audit_report
from shared.contracts.sync_run import GuardFinding, TableCounts
from tests.unit.reporting.example_study import STUDY_ID, results


def sync_audit_of(name: str) -> Report:
    """The audit of a run that waits for approval."""
    tables = {
        "properties_operational": TableCounts(
            known=900, read=940, rejected=4, added=40, changed=120, removed=3, changed_fields={"total_value": 118}
        ),
        "sales": TableCounts(known=80, read=95, added=15, changed_fields={name or "x": 2}),
    }
    time = datetime(2026, 3, 1, 4, 5, tzinfo=UTC)
    return audit_report(
        SyncAuditRecord(
            run_id=STUDY_ID,
            status="awaiting_approval",
            mode="full",
            trigger=name,
            validate_only=False,
            submitted_by=name,
            created_at=time,
            started_at=time,
            finished_at=None,
            planned_at=time,
            reconciled_at=time,
            applied_at=None,
            published_at=None,
            approved_by=name,
            approval_reason=name,
            mapping_digest="0" * 64,
            error=name,
            partitions=12,
            partitions_unchanged=7,
            tables=tables,
            totals=totals_of(tables),
            guards=(GuardFinding(guard="removed_share", table="sales", detail=name, share=0.0625, limit=0.05),),
            rejects=(RejectCount(table="sales", rule=name, field=name, rows=4, open_rows=3),),
            findings=(FindingCount(kind="override_conflict", table=name, findings=2),),
        )
    )


def data_quality_of(name: str) -> Report:
    """The quality of 900 parcels."""
    totals = (
        RuleTotal(field="year_built", problem="missing", text="has no value", parcels=45, percent=5.0),
        RuleTotal(field="year_built", problem="impossible", text=name, parcels=2, percent=0.22),
    )
    by_class = tuple(
        RuleCount(field=rule.field, problem=rule.problem, text=rule.text, property_class=name, parcels=rule.parcels)
        for rule in totals
    )
    quality = DataQuality(
        parcels=900, parcels_with_problems=46, rules=27, rules_with_problems=2, totals=totals, by_class=by_class
    )
    return quality_report(quality, [["P1", name, name, name, "year_built", "missing", "has no value"]])


def county_comparison_of(name: str) -> Report:
    """Two counties, one of which has neither roll nor study."""
    known = ComparedCounty(
        county_id="king_wa",
        county_name=name,
        roll_year=2025,
        parcels=900,
        total_value=Decimal("225000000.50"),
        assessed_value=Decimal(200_000_000),
        median_value=Decimal(240_000),
        study=compared_study(STUDY_ID, results_model(results())),
    )
    empty = dict.fromkeys(("roll_year", "parcels", "total_value", "assessed_value", "median_value", "study"))
    other = ComparedCounty.model_validate({"county_id": "other_wa", "county_name": f"{name}2", **empty})
    assert known.study is not None
    assert known.study.sale_from == date(2025, 1, 1)
    return comparison_report(name, ComparedCounties(counties=(known, other)))
