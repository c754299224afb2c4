"""An example of each type of report, with a name in every place for one."""

from collections.abc import Callable

from functions.reporting.reports.report_type import Report
from tests.unit.reporting.example_appraisal import mass_appraisal_of
from tests.unit.reporting.example_changes import changes_of, roll_of
from tests.unit.reporting.example_packet import packet_of
from tests.unit.reporting.example_property import record_card_of
from tests.unit.reporting.example_records import county_comparison_of, data_quality_of, sync_audit_of
from tests.unit.reporting.example_roll import roll_summary_of
from tests.unit.reporting.example_study import study_of
from tests.unit.reporting.example_valuations import valuation_summary_of

EXAMPLES: dict[str, Callable[[str], Report]] = {
    "sales_ratio_study": study_of,
    "assessment_roll": roll_of,
    "assessment_roll_summary": roll_summary_of,
    "change_of_value": changes_of,
    "valuation_summary": valuation_summary_of,
    "mass_appraisal_report": mass_appraisal_of,
    "sync_audit": sync_audit_of,
    "data_quality": data_quality_of,
    "county_comparison": county_comparison_of,
    "property_record_card": record_card_of,
    "evidence_packet": packet_of,
}
"""By type: its report, all of whose names are the one given."""
