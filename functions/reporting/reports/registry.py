"""The registry of report types: the API's schema, requests and titles derive from it."""

from importlib import import_module
from typing import Any

from functions.reporting.reports.report_type import ReportType

_NAMES = (
    "sales_ratio_study",
    "assessment_roll",
    "assessment_roll_summary",
    "change_of_value",
    "valuation_summary",
    "mass_appraisal_report",
    "sync_audit",
    "data_quality",
    "county_comparison",
    "property_record_card",
    "evidence_packet",
)
"""Every type by the name that requests use, which is that of its module here."""

REPORT_TYPES: dict[str, ReportType[Any]] = {
    name: import_module(f"functions.reporting.reports.{name}").REPORT_TYPE for name in _NAMES
}
