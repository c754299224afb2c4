"""What differs between stages, and the paths that the app is made from."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

ROOT = Path(__file__).resolve().parent.parent
"""The repository: what the assets are cut from."""


@dataclass(frozen=True)
class StageSettings:
    """One deployment of the whole platform. A production stage protects its data and runs a standby."""

    name: str
    production: bool = False

    def physical_name(self, name: str) -> str:
        """The name of a resource in the account: `terrafusion-<stage>-<name>`."""
        return f"terrafusion-{self.name}-{name}"

    @property
    def database_removal(self) -> RemovalPolicy:
        return RemovalPolicy.RETAIN if self.production else RemovalPolicy.SNAPSHOT

    @property
    def database_backup_days(self) -> int:
        return 35 if self.production else 7

    @property
    def database_capacity(self) -> tuple[float, float]:
        """Aurora capacity units, least and most (one unit is about 2 GiB of memory)."""
        return (1, 32) if self.production else (0.5, 8)

    @property
    def raw_retention_days(self) -> int:
        """How long the rows of the counties' systems are kept as they were read: through seven roll years."""
        return 7 * 365 + 2 if self.production else 90

    @property
    def log_retention(self) -> RetentionDays:
        return RetentionDays.ONE_YEAR if self.production else RetentionDays.ONE_MONTH


DEVELOPMENT = StageSettings("dev")
PRODUCTION = StageSettings("prod", production=True)
