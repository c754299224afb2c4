"""A county's configuration: the JSON document that its IT administrator writes, checked."""

from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.access import COUNTY_ROLES, PLATFORM_PERMISSIONS, ROLE_PERMISSIONS, Permission, Role
from shared.contracts.export_formats import EXPORT_CRS, ExportFormat
from shared.counties.exemption_settings import ExemptionSettings
from shared.counties.notice_settings import NoticeSettings
from shared.counties.roll_settings import RollSettings
from shared.counties.schedule_expression import CronExpression, ScheduleExpressionError
from shared.counties.source_description import (
    FileFormat,
    SecretName,
    SourceDescription,
    SqlDescription,
    is_secret_of,
    secret_prefix,
)
from shared.counties.submission_settings import WashingtonSettings
from shared.schemas import CountyId, RequestSchema

SyncMode = Literal["full", "incremental", "snapshot"]
Share = Annotated[Decimal, Field(ge=0, le=1)]


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: of a name that is no file's
        raise ValueError(f"{name[:80]} is no time zone of the IANA database") from error
    return name


class Contact(RequestSchema):
    """The person to ask about the county's data."""

    name: str
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    phone: str | None = None


class ColumnLimits(RequestSchema):
    """Limits of one column, or of one attribute; a limit that is left out is the general one."""

    max_emptied_share: Share | None = None
    max_changed_share: Share | None = None


class FieldLimits(NamedTuple):
    """The limits that hold for one column or attribute."""

    max_emptied_share: Decimal
    max_changed_share: Decimal


ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.\S+$", max_length=200)]
"""A target's column or attribute, as `properties_operational.year_built`."""


class Guards(RequestSchema):
    """Limits above which a run waits for approval instead of being applied; shares are of the rows known before.

    `max_emptied_share`: of the rows with a value in a column, those that would have none any more; also when a column
    would have one value throughout. `max_changed_share`: those in which a column would have another value; values of
    land, improvements and totals are not judged by that, because a revaluation changes all of them, but by
    `max_value_change`, the change of their total in a property class. `columns` has limits of its own for a
    `table.column` or `table.attributes.name`; 1 lets everything pass.
    """

    # Choices, not results of an experiment. A false alarm costs an approval, a missed one a table to restore; so a
    # twentieth of a county's rows, or half of a column, is more than a day's work changes and less than a broken
    # extract does. A quarter of a class's total is more than an ordinary revaluation. Counties set their own.
    max_removed_share: Share = Decimal("0.05")
    max_rejected_share: Share = Decimal("0.05")
    max_emptied_share: Share = Decimal("0.05")
    max_changed_share: Share = Decimal("0.5")
    max_value_change: Annotated[Decimal, Field(ge=0, le=100)] = Decimal("0.25")
    columns: dict[ColumnName, ColumnLimits] = Field(default_factory=dict)

    def of(self, table: str, field: str) -> FieldLimits:
        """The limits of a column or attribute."""
        own = self.columns.get(f"{table}.{field}", ColumnLimits())
        return FieldLimits(
            self.max_emptied_share if own.max_emptied_share is None else own.max_emptied_share,
            self.max_changed_share if own.max_changed_share is None else own.max_changed_share,
        )


def _known_cron(cron: str) -> str:
    try:
        CronExpression.parse(cron)
    except ScheduleExpressionError as error:
        raise ValueError(str(error)) from error
    return cron


Cron = Annotated[str, StringConstraints(pattern=r"^\S+( \S+){5}$"), AfterValidator(_known_cron)]
"""An EventBridge cron expression: minutes hours day-of-month month day-of-week year."""


class IncrementalSettings(RequestSchema):
    """Settings of incremental runs: how they find new and changed rows.

    `by`: the mapping's `watermark_field`, or SQL Server's change tracking. `overlap_seconds`: how far before the last
    watermark the reading begins, so that rows which were committed late are read too. `removals`: a watermark says
    nothing of removed rows, so they stay until a full or snapshot run; `compare_keys` reads all of the source's keys
    and retires what it no longer has. `when_expired`: change tracking that no longer remembers far enough back
    fails the run, or makes it read the whole table.
    """

    by: Literal["watermark", "change_tracking"] = "watermark"
    # A choice: a transaction of the source that stays open for longer than five minutes after its timestamp is missed
    # until the next full run. Rows read twice cost nothing but the reading.
    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = 300
    removals: Literal["ignore", "compare_keys"] = "ignore"
    when_expired: Literal["fail", "read_all"] = "fail"


class DataIngestionSettings(RequestSchema):
    """The county's source, and when and how it is synchronized.

    `source` describes it. For a SQL database `connection_secret_name` alone will do: the secret that says
    where it is and how to sign in. Secrets belong to the county, so their names begin with
    `terrafusion/<county_id>/`. `sync_schedule_cron` is an EventBridge cron expression of six fields (minutes hours
    day-of-month month day-of-week year) in the county's time zone: when a run of the county's `mode` begins.
    `mode_schedules` are further ones, each for a mode of its own: every night incremental, say, and on Sundays a
    snapshot. Without any nothing is scheduled.
    """

    connection_secret_name: SecretName | None = None
    source: SourceDescription | None = None
    sync_schedule_cron: Cron | None = None
    mode: SyncMode = "full"
    mode_schedules: dict[SyncMode, Cron] = Field(default_factory=dict)
    incremental: IncrementalSettings = IncrementalSettings()
    guards: Guards = Guards()

    @model_validator(mode="after")
    def _one_source(self) -> "DataIngestionSettings":
        if (self.connection_secret_name is None) == (self.source is None):
            raise ValueError("give either connection_secret_name or source")
        return self

    @property
    def source_description(self) -> SourceDescription:
        """The description of the source, also of one that only its secret names."""
        if self.source is not None:
            return self.source
        return SqlDescription(secret_name=self.connection_secret_name or "")


def _county_permission(permission: Permission) -> Permission:
    if permission in PLATFORM_PERMISSIONS:
        raise ValueError(f"{permission} is a permission of the platform, which no county grants or revokes")
    return permission


def _county_role(role: Role) -> Role:
    if role not in COUNTY_ROLES:
        raise ValueError(f"{role} is a role of the platform, which no county refines")
    return role


CountyPermission = Annotated[Permission, AfterValidator(_county_permission)]
CountyRole = Annotated[Role, AfterValidator(_county_role)]


class RoleRefinement(RequestSchema):
    """Permissions that a role has in this county beyond its usual ones (`grant`), or has not (`revoke`)."""

    grant: frozenset[CountyPermission] = frozenset()
    revoke: frozenset[CountyPermission] = frozenset()


class RbacSettings(RequestSchema):
    """Refinements of the platform's roles."""

    roles: dict[CountyRole, RoleRefinement] = Field(default_factory=dict)

    def permissions_of(self, role: Role) -> frozenset[Permission]:
        """The permissions of a role in this county: the platform's table, refined."""
        own, refined = ROLE_PERMISSIONS[role], self.roles.get(role)
        return own if refined is None else (own | refined.grant) - refined.revoke


class ValuationSettings(RequestSchema):
    """Settings of valuation.

    `minimum_sales` is the least number of valid sales that a model is trained on (50 in any case); a value of a
    confidence below `review_below_confidence` is to be looked at, and one further than `flag_change_above` (a share)
    from the current value is flagged. `assessment_ratio` is the share of market value at which the county assesses. A
    model values days up to `carry_days` after its own: the farther, the wider its intervals; never more than a year
    after the last sale that it knows.
    """

    # `review_below_confidence`: in the demo counties one value in ten is below it. `carry_days`: half a year (see
    # the decisions: values carried four months were off by 1.2 % with a season). The others are choices.
    minimum_sales: Annotated[int, Field(ge=10)] = 50
    review_below_confidence: Share = Decimal("0.4")
    flag_change_above: Annotated[Decimal, Field(gt=0, le=10)] = Decimal("0.25")
    assessment_ratio: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)
    carry_days: Annotated[int, Field(ge=0, le=366)] = 183


class SalesValidationSettings(RequestSchema):
    """Limits by which a sale is flagged as unfit for use.

    A price up to `nominal_price` is none; a resale within `flip_months` at a price that differs by `flip_change` (a
    share) or more is a flip; `outlier_deviations` are robust standard deviations from the value by comparable sales.
    `deed_types_not_market` and `sale_types_not_market` are the county's codes or words for transfers that are no
    open-market sales.
    """

    # Choices: flags exclude no sale, somebody reviews them, so that they only decide how much is looked at.
    nominal_price: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal(1000)
    flip_months: Annotated[int, Field(ge=1, le=60)] = 12
    flip_change: Annotated[float, Field(gt=0, le=10)] = 0.25
    outlier_deviations: Annotated[float, Field(ge=2, le=20)] = 4.0
    deed_types_not_market: tuple[str, ...] = (
        *(
            "QC",
            "QCD",
            "QUITCLAIM",
            "QUIT CLAIM",
            "SHERIFF",
            "TRUSTEE",
            "FORECLOSURE",
            "TAX DEED",
            "GIFT",
            "CORRECTION",
        ),
        *("EXECUTOR", "ADMINISTRATOR", "PERSONAL REPRESENTATIVE", "EASEMENT"),
    )
    sale_types_not_market: tuple[str, ...] = (
        *("FAMILY", "RELATED", "GIFT", "ESTATE", "FORECLOSURE", "AUCTION", "TRADE", "CORPORATE", "GOVERNMENT"),
    )


class FileIngestionSettings(RequestSchema):
    """Limits of the files that people upload: their size, their rows, and the formats that are taken."""

    # Choices: 1 GB is a county's roll with geometry as text, and one PUT takes 5 GB at most (Amazon S3's limit).
    max_megabytes: Annotated[int, Field(ge=1, le=1024)] = 1024
    max_rows: Annotated[int, Field(ge=1, le=5_000_000)] = 1_000_000
    formats: Annotated[tuple[FileFormat, ...], Field(min_length=1)] = get_args(FileFormat)


class FeaturesSettings(RequestSchema):
    """Settings of the OGC API. Everybody may read `open_collections`, without signing in."""

    open_collections: frozenset[str] = frozenset()


class GisExportSettings(RequestSchema):
    """Limits of GIS exports, and what the county has said with each.

    `formats` and `crs` are those that are taken (any reference system where `crs` is left out), `max_sq_km` is the area
    of an export's bounding box or area, `max_rows` bounds each layer. `disclaimer` is in every metadata sheet.
    """

    # A choice: a million parcels as GeoJSON are 800 MB, and a function has 10 GB of room for temporary files.
    max_rows: Annotated[int, Field(ge=1, le=5_000_000)] = 2_000_000
    formats: Annotated[tuple[ExportFormat, ...], Field(min_length=1)] = get_args(ExportFormat)
    crs: tuple[Annotated[str, StringConstraints(pattern=EXPORT_CRS)], ...] | None = None
    max_sq_km: Annotated[float, Field(gt=0)] | None = None
    disclaimer: Annotated[str, StringConstraints(min_length=1, max_length=4000)] | None = None


class PluginSettings(RequestSchema):
    """Settings of the modules."""

    features: FeaturesSettings = FeaturesSettings()
    valuation: ValuationSettings = ValuationSettings()
    sales_validation: SalesValidationSettings = SalesValidationSettings()
    file_ingestion: FileIngestionSettings = FileIngestionSettings()
    gis_export: GisExportSettings = GisExportSettings()
    exemptions: ExemptionSettings = ExemptionSettings()
    state_submission: WashingtonSettings | None = None
    notices: NoticeSettings = NoticeSettings()
    roll: RollSettings = RollSettings()


class MapExtent(RequestSchema):
    """The initial extent of a map of the county, in degrees (WGS 84)."""

    min_longitude: Annotated[float, Field(ge=-180, le=180)]
    min_latitude: Annotated[float, Field(ge=-90, le=90)]
    max_longitude: Annotated[float, Field(ge=-180, le=180)]
    max_latitude: Annotated[float, Field(ge=-90, le=90)]

    @model_validator(mode="after")
    def _corners_in_order(self) -> "MapExtent":
        if self.min_longitude >= self.max_longitude or self.min_latitude >= self.max_latitude:
            raise ValueError("the extent's minimum corner must lie south-west of its maximum corner")
        return self


class CountyConfiguration(RequestSchema):
    """The configuration of a county: all that distinguishes it from others but its mapping."""

    county_id: CountyId
    county_friendly_name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    legacy_system_type: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    timezone: Annotated[str, AfterValidator(_known_timezone)]
    contact: Contact
    data_ingestion_settings: DataIngestionSettings
    rbac_settings: RbacSettings = RbacSettings()
    plugin_settings: PluginSettings = PluginSettings()
    default_map_extent: MapExtent | None = None

    @model_validator(mode="after")
    def _secret_of_its_own(self) -> "CountyConfiguration":
        name = getattr(self.data_ingestion_settings.source_description, "secret_name", None)
        if name is not None and not is_secret_of(self.county_id, name):
            raise ValueError(
                f"the name of the source's secret must begin with {secret_prefix(self.county_id)}, and no part of it"
                " may be empty, `.` or `..`"
            )
        return self
