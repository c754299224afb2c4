"""The tables, typed. Keys of tenant tables begin with the county."""

from shared.db.models.base import Model, Synced, Tenant
from shared.db.models.history import PROVENANCE, SYNC_TARGETS, SyncedModel, history_table, key_column
from shared.db.models.operations import (
    AuditEvent,
    County,
    District,
    DistrictLayer,
    Job,
    RejectedRow,
    SyncPartition,
    SyncRun,
    SyncWatermark,
    Upload,
    Valuation,
    ValuationModel,
)
from shared.db.models.property import Assessment, Exemption, Improvement, Owner, PropertyOperational, Sale
from shared.db.models.sales_validation import SaleDecision, SaleFlag

__all__ = [
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
    "Model",
    "Owner",
    "PropertyOperational",
    "RejectedRow",
    "Sale",
    "SaleDecision",
    "SaleFlag",
    "SyncPartition",
    "SyncRun",
    "SyncWatermark",
    "Synced",
    "SyncedModel",
    "Tenant",
    "Upload",
    "Valuation",
    "ValuationModel",
    "history_table",
    "key_column",
]
