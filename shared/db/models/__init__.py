"""The tables, typed. Keys of tenant tables begin with the county."""

from shared.db.models.base import PLATFORM_SOURCE, Model, Synced, Tenant
from shared.db.models.history import PROVENANCE, SYNC_TARGETS, SyncedModel, history_table, key_column
from shared.db.models.operations import (
    AuditEvent,
    County,
    District,
    DistrictLayer,
    Job,
    JobPartition,
    RejectedRow,
    SyncPartition,
    SyncRun,
    SyncWarning,
    SyncWatermark,
    Upload,
)
from shared.db.models.property import Assessment, Exemption, Improvement, Owner, PropertyOperational, Sale
from shared.db.models.sales_validation import SaleDecision, SaleFlag
from shared.db.models.valuation import (
    Roll,
    Valuation,
    ValuationApproval,
    ValuationChampion,
    ValuationModel,
    ValuationRun,
    ValuationRunResult,
)

__all__ = [
    "PLATFORM_SOURCE",
    "PROVENANCE",
    "SYNC_TARGETS",
    "Assessment",
    "AuditEvent",
    "County",
    "District",
    "DistrictLayer",
    "Exemption",
    "Improvement",
    "Job",
    "JobPartition",
    "Model",
    "Owner",
    "PropertyOperational",
    "RejectedRow",
    "Roll",
    "Sale",
    "SaleDecision",
    "SaleFlag",
    "SyncPartition",
    "SyncRun",
    "SyncWarning",
    "SyncWatermark",
    "Synced",
    "SyncedModel",
    "Tenant",
    "Upload",
    "Valuation",
    "ValuationApproval",
    "ValuationChampion",
    "ValuationModel",
    "ValuationRun",
    "ValuationRunResult",
    "history_table",
    "key_column",
]
