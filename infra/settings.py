"""Settings of a stage, and the repository's root."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from infra.physical_names import physical_name
from infra.private_lines import PrivateLine, require_apart
from shared.counties.source_description import SECRET_PREFIX
from shared.db.engine import RDS_AUTHORITIES

ROOT = Path(__file__).resolve().parent.parent
"""The repository's folder."""
_VAULT_ARN = re.compile(r"arn:aws[\w-]*:backup:[\w-]+:\d{12}:backup-vault:[\w.-]+")

_MAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")


@dataclass(frozen=True)
class StageSettings:
    """One deployment of the whole platform. A production stage protects its data and runs a standby reader."""

    name: str
    production: bool = False
    account: str | None = None
    region: str | None = None
    """Account and region of the deployment, by default those of the caller's credentials. A stage that names both
    cannot land in another one's account."""
    availability_zones: tuple[str, ...] = ()
    """The two zones of `region`, where they are not its a and b."""
    alarm_email: str = ""
    """Subscriber of the alarms. A production stage is refused without."""
    mail_sender: str = ""
    """The address that mails to users are sent from, of a domain that SES has verified in the account. Without, Cognito
    sends them itself: 50 a day, from an address of Amazon's."""
    source_networks: tuple[str, ...] = ()
    """CIDR blocks within which counties' systems may be, beside public addresses: those of private lines (VPN, Direct
    Connect). Without any a county that names a private or local address is refused."""
    vpc_cidr: str = "10.40.0.0/16"
    """Addresses of the stage's own network, a /16: other ones than those of the counties behind its private lines."""
    private_lines: tuple[PrivateLine, ...] = ()
    """VPN connections and peerings to counties. Their networks are `source_networks` too."""
    egress_allocation_ids: tuple[str, ...] = ()
    """Elastic IPs that the account has already and that counties know, one a NAT gateway: those of a stage that was
    deleted, which outlive it. Without any the stage allocates its own."""
    backup_vault_arn: str = ""
    """A vault of AWS Backup in another region or account, to which a nightly backup is copied."""
    max_function_mb: int = 3008
    """The largest memory of a function. New accounts are refused more than 3,008 MB until AWS raises the quota; an
    account that may have more sets what it may have (10,240 at most)."""
    nat_gateways: int = 1
    """NAT gateways, each in a zone of its own and with an address of its own. With one, the loss of its zone takes the
    way out from all functions, and with it signing in."""
    reserved_concurrency: Mapping[str, int] = field(default_factory=dict)
    """Executions that are kept for a function of the registry, and its limit too: `{"pre-token": 20, "auth": 20}` so
    that no county's partitions starve signing in. AWS keeps 100 of an account's executions unreserved, so a new account
    with a quota of 10 can reserve none."""
    snap_start: tuple[str, ...] = ()
    """Functions of the API, and `pre-token`, that start from a snapshot of their initialized process. A snapshot costs
    some 4 dollars a month and GB of memory (`infra/prices.json`), so by default none does."""
    county_limits: Mapping[str, int] = field(default_factory=dict)
    """Limits of one county, where it is not the default of `shared.settings`: `requests_per_second` over all
    functions, `active_jobs` at a time, and `key_requests_per_second` with one access key; 0 is any number."""
    monthly_budget_usd: int = 0
    """Costs of the account, a month, of which `alarm_email` hears at 80 % and once they are forecast; 0: none."""

    def configured(self, options: Mapping[str, Any]) -> "StageSettings":
        """These settings under the options of the context (`stages` in cdk.json).

        Raises ValueError for an unknown option, a malformed network, a production stage or a budget without
        `alarm_email`, another number of NAT gateways than one or two, and a private line that cannot be.
        """
        unknown = sorted(options.keys() - _OPTIONS)
        if unknown:
            raise ValueError(
                f"cdk.json, stages.{self.name}: there is no option {', '.join(unknown)}; "
                f"there are {', '.join(_OPTIONS)}"
            )
        zones = tuple(options.get("availability_zones", self.availability_zones))
        lines = tuple(PrivateLine.of_options(n, o) for n, o in options.get("private_lines", {}).items())
        networks = tuple(str(ip_network(block)) for block in options.get("source_networks", self.source_networks))
        networks = tuple(dict.fromkeys((*networks, *(block for line in lines for block in line.networks))))
        snap_start = tuple(options.get("snap_start", self.snap_start))
        derived = {
            "availability_zones": zones,
            "source_networks": networks,
            "private_lines": lines,
            "snap_start": snap_start,
            "egress_allocation_ids": tuple(options.get("egress_allocation_ids", self.egress_allocation_ids)),
        }
        settings = replace(self, **{**options, **derived})
        settings._require_consistency()
        return settings

    def _require_consistency(self) -> None:
        options = f"cdk.json, stages.{self.name}"
        if not self.alarm_email and (self.production or self.monthly_budget_usd):
            raise ValueError(f"{options}: nobody would hear its alarms; set alarm_email")
        if self.mail_sender and not _MAIL_ADDRESS.fullmatch(self.mail_sender):
            raise ValueError(f"{options}: mail_sender is an address like no-reply@assessor.example.gov")
        if self.region and self.region not in _regions_with_authorities():
            raise ValueError(
                f"{options}: the database of a stage in {self.region} could not be verified: append the certificates of"
                f" Amazon's bundle for this region to {RDS_AUTHORITIES.relative_to(ROOT)}"
            )
        unknown = sorted(self.county_limits.keys() - COUNTY_LIMITS.keys())
        if unknown:
            raise ValueError(f"{options}: county_limits are {', '.join(COUNTY_LIMITS)}, and not {', '.join(unknown)}")
        if self.nat_gateways not in (1, 2):
            raise ValueError(f"{options}: nat_gateways is 1, or 2 for one a zone")
        if len(self.egress_allocation_ids) not in (0, self.nat_gateways):
            raise ValueError(f"{options}: egress_allocation_ids are {self.nat_gateways}, as many as nat_gateways")
        if ip_network(self.vpc_cidr).prefixlen != 16:
            raise ValueError(f"{options}: vpc_cidr is a /16")
        if self.backup_vault_arn and not _VAULT_ARN.fullmatch(self.backup_vault_arn):
            raise ValueError(f"{options}: backup_vault_arn is arn:aws:backup:REGION:ACCOUNT:backup-vault:NAME")
        try:
            require_apart(self.vpc_cidr, self.private_lines)
        except ValueError as error:
            raise ValueError(f"{options}.private_lines: {error}") from None

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones to build in; empty where the region is not known before the deployment."""
        if self.availability_zones or not self.region:
            return self.availability_zones
        return (f"{self.region}a", f"{self.region}b")

    def physical_name(self, name: str) -> str:
        """The name of a resource in the account: `terrafusion-<stage>-<name>`."""
        return physical_name(self.name, name)

    @property
    def source_secret_prefix(self) -> str:
        """Beginning of the names of the counties' secrets. Stages of one account read none of each other's: what a
        configuration calls `terrafusion/COUNTY/NAME` is `terrafusion-prod/COUNTY/NAME` in production."""
        return f"terrafusion-{self.name}/" if self.production else SECRET_PREFIX

    @property
    def database_removal(self) -> RemovalPolicy:
        return RemovalPolicy.RETAIN if self.production else RemovalPolicy.SNAPSHOT

    @property
    def database_backup_days(self) -> int:
        return 35 if self.production else 7

    @property
    def database_capacity(self) -> tuple[float, float]:
        """Minimum and maximum of Aurora's capacity units (one is about 2 GiB of memory). A stage for trying pauses:
        with a minimum of 0, Aurora stops after some minutes without a connection, and starts within 15 s or so at the
        next one."""
        return (1, 32) if self.production else (0, 8)

    @property
    def freshness_interval_minutes(self) -> int:
        """Minutes between two measurements of the age of the counties' data. A choice: a county is late after hours,
        and a call costs a second of a small function; but each wakes a database that pauses."""
        return 15 if self.production else 60

    @property
    def seal_interval_minutes(self) -> int:
        """Minutes between two sealings of the counties' audit events. A choice: until it is sealed, an event stands on
        the database's word alone; but each call wakes a database that pauses."""
        return 5 if self.production else 360

    @property
    def raw_retention_days(self) -> int:
        """Retention of the raw archive, the counties' rows as they were read: seven roll years in production."""
        return 7 * 365 + 2 if self.production else 90

    @property
    def log_retention(self) -> RetentionDays:
        return RetentionDays.ONE_YEAR if self.production else RetentionDays.ONE_MONTH


def _regions_with_authorities() -> set[str]:
    """Regions whose RDS certificates are at hand: each stands below a line that says whose it is."""
    return set(re.findall(r"^# Amazon RDS (\S+) Root CA ", RDS_AUTHORITIES.read_text(), re.MULTILINE))


COUNTY_LIMITS = {
    "requests_per_second": "COUNTY_REQUESTS_PER_SECOND",
    "active_jobs": "COUNTY_ACTIVE_JOBS",
    "key_requests_per_second": "KEY_REQUESTS_PER_SECOND",
}
"""The variable of a function for each of a county's limits."""
_OPTIONS = (
    "account",
    "alarm_email",
    "availability_zones",
    "backup_vault_arn",
    "county_limits",
    "egress_allocation_ids",
    "mail_sender",
    "max_function_mb",
    "monthly_budget_usd",
    "nat_gateways",
    "private_lines",
    "region",
    "reserved_concurrency",
    "snap_start",
    "source_networks",
    "vpc_cidr",
)
"""Options of a stage in the context; the rest is the same in every account."""

DEVELOPMENT = StageSettings("dev")
PRODUCTION = StageSettings("prod", production=True, nat_gateways=2)
STAGES = (DEVELOPMENT, PRODUCTION)


def configured_stages(options: Mapping[str, Mapping[str, Any]]) -> list[StageSettings]:
    """The stages that `options` (the context's `stages`) names, each with its own options.

    Raises ValueError for a stage that does not exist.
    """
    known = {stage.name: stage for stage in STAGES}
    unknown = sorted(options.keys() - known)
    if unknown:
        raise ValueError(f"cdk.json, stages: there is no stage {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name].configured(values) for name, values in options.items()]
