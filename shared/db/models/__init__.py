"""The tables, typed. Keys of tenant tables begin with the county."""

from shared.db.models.access_keys import AccessKey
from shared.db.models.appeals import Appeal, AppealDocument
from shared.db.models.audit import AuditEvent, AuditSeal
from shared.db.models.base import PLATFORM_SOURCE, Model, Synced, Tenant
from shared.db.models.county_members import CountyMember
from shared.db.models.county_versions import CountyVersion
from shared.db.models.districts import District, DistrictLayer, DistrictLayerVersion
from shared.db.models.exemption_grants import ExemptionDocument, ExemptionGrant
from shared.db.models.history import (
    BEGINS,
    PROVENANCE,
    SYNC_TARGETS,
    VERSION_ENDS,
    SyncedModel,
    history_table,
    keep_versions,
    key_column,
    versioned_columns,
)
from shared.db.models.job_schedules import JobSchedule
from shared.db.models.notices import Notice, NoticeTemplate
from shared.db.models.operations import (
    County,
    CountyRequestBudget,
    Job,
    JobPartition,
    RejectedRow,
    SyncFinding,
    SyncPartition,
    SyncRun,
    SyncWarning,
    SyncWatermark,
    Upload,
)
from shared.db.models.overrides import FieldOverride
from shared.db.models.property import Assessment, Exemption, Improvement, Owner, PropertyOperational, Sale
from shared.db.models.ratio_study import NeighborhoodRatio
from shared.db.models.rolls import RollCertificate, RollCheckResult, RollCheckRow, RollCorrectedRow, RollWaiver
from shared.db.models.sales_validation import SaleDecision, SaleFlag
from shared.db.models.situs import SitusAddress, SitusIndex, SitusStreet
from shared.db.models.valuation import (
    Roll,
    RollCorrection,
    Valuation,
    ValuationApproval,
    ValuationChampion,
    ValuationComparablesModel,
    ValuationModel,
    ValuationRun,
    ValuationRunResult,
)
from shared.db.models.webhooks import Webhook, WebhookDelivery
from shared.db.models.write_backs import WriteBackRow

__all__ = [
    "BEGINS",
    "PLATFORM_SOURCE",
    "PROVENANCE",
    "SYNC_TARGETS",
    "VERSION_ENDS",
    "AccessKey",
    "Appeal",
    "AppealDocument",
    "Assessment",
    "AuditEvent",
    "AuditSeal",
    "County",
    "CountyMember",
    "CountyRequestBudget",
    "CountyVersion",
    "District",
    "DistrictLayer",
    "DistrictLayerVersion",
    "Exemption",
    "ExemptionDocument",
    "ExemptionGrant",
    "FieldOverride",
    "Improvement",
    "Job",
    "JobPartition",
    "JobSchedule",
    "Model",
    "NeighborhoodRatio",
    "Notice",
    "NoticeTemplate",
    "Owner",
    "PropertyOperational",
    "RejectedRow",
    "Roll",
    "RollCertificate",
    "RollCheckResult",
    "RollCheckRow",
    "RollCorrectedRow",
    "RollCorrection",
    "RollWaiver",
    "Sale",
    "SaleDecision",
    "SaleFlag",
    "SitusAddress",
    "SitusIndex",
    "SitusStreet",
    "SyncFinding",
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
    "ValuationComparablesModel",
    "ValuationModel",
    "ValuationRun",
    "ValuationRunResult",
    "Webhook",
    "WebhookDelivery",
    "WriteBackRow",
    "history_table",
    "keep_versions",
    "key_column",
    "versioned_columns",
]
