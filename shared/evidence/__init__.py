"""The market evidence of a county: its sales with what is known of the properties, read column by column."""

from shared.evidence.attributes import AttributeKinds
from shared.evidence.reader import (
    Evidence,
    evidence_version,
    excluded_sales,
    excluded_sales_of_period,
    read_evidence,
    sales_version,
)
from shared.evidence.subjects import Subject, describe, read_subject, read_subjects

__all__ = [
    "AttributeKinds",
    "Evidence",
    "Subject",
    "describe",
    "evidence_version",
    "excluded_sales",
    "excluded_sales_of_period",
    "read_evidence",
    "read_subject",
    "read_subjects",
    "sales_version",
]
