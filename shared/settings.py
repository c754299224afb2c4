"""The environment of a Lambda function: read once, and required when the function starts."""

import os
from functools import cache
from ipaddress import IPv4Network, IPv6Network

from pydantic import BaseModel, ConfigDict, Field, field_validator

REQUIRED_SETTINGS = "REQUIRED_SETTINGS"
"""The variable that lists the others that a function's grants name, separated by commas; the template derives it."""


class MissingSettingsError(RuntimeError):
    """Variables that a function needs and its environment lacks; the message names them."""


class Settings(BaseModel):
    """Names of the resources that the stacks made; each field is the environment variable of the same name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: str = Field(alias="STAGE", default="local")
    database_secret_arn: str = Field(alias="DATABASE_SECRET_ARN", default="")
    data_bucket: str = Field(alias="DATA_BUCKET", default="")
    user_pool_id: str = Field(alias="USER_POOL_ID", default="")
    user_pool_client_id: str = Field(alias="USER_POOL_CLIENT_ID", default="")
    jobs_state_machine_arn: str = Field(alias="JOBS_STATE_MACHINE_ARN", default="")
    sync_state_machine_arn: str = Field(alias="SYNC_STATE_MACHINE_ARN", default="")
    convert_function_name: str = Field(alias="CONVERT_FUNCTION_NAME", default="")
    event_bus_name: str = Field(alias="EVENT_BUS_NAME", default="")
    schedule_group_name: str = Field(alias="SCHEDULE_GROUP_NAME", default="")
    schedule_role_arn: str = Field(alias="SCHEDULE_ROLE_ARN", default="")
    schedule_dead_letters_arn: str = Field(alias="SCHEDULE_DEAD_LETTERS_ARN", default="")
    job_schedule_group_name: str = Field(alias="JOB_SCHEDULE_GROUP_NAME", default="")
    job_schedule_role_arn: str = Field(alias="JOB_SCHEDULE_ROLE_ARN", default="")
    job_schedule_dead_letters_arn: str = Field(alias="JOB_SCHEDULE_DEAD_LETTERS_ARN", default="")
    job_schedule_target_arn: str = Field(alias="JOB_SCHEDULE_TARGET_ARN", default="")
    county_requests_per_second: int = Field(alias="COUNTY_REQUESTS_PER_SECOND", default=50, ge=0)
    """Of one county, in all functions together; 0: any number. A quarter of what the gateway lets through for all
    (`infra.stacks.api.REQUESTS_PER_SECOND`): the largest counties have some 200 users, who ask for less than one a
    second each when all of them work at once."""
    key_requests_per_second: int = Field(alias="KEY_REQUESTS_PER_SECOND", default=20, ge=0)
    """With one access key in one of its counties, in all functions together; 0: any number. A choice: a map in QGIS or
    a workbook that refreshes sends dozens at once and then pauses, and a county's own fifty have room for two of them.
    """
    county_active_jobs: int = Field(alias="COUNTY_ACTIVE_JOBS", default=20, ge=0)
    """Of one county, pending or running; 0: any number. A choice: more than its people start by hand, and with the
    twenty partitions that each may work on at a time, less than half of an account's 1,000 executions."""
    webhook_signing_key_arn: str = Field(alias="WEBHOOK_SIGNING_KEY_ARN", default="")
    webhook_state_machine_arn: str = Field(alias="WEBHOOK_STATE_MACHINE_ARN", default="")
    source_secret_prefix: str = Field(alias="SOURCE_SECRET_PREFIX", default="terrafusion/")
    source_networks: tuple[IPv4Network | IPv6Network, ...] = Field(alias="SOURCE_NETWORKS", default=())

    @field_validator("source_networks", mode="before")
    @classmethod
    def _listed(cls, networks: object) -> object:
        """CIDR blocks, separated by commas."""
        return tuple(filter(None, networks.split(","))) if isinstance(networks, str) else networks


@cache
def settings() -> Settings:
    """The settings of this process. `settings.cache_clear()` forgets them (tests)."""
    return Settings.model_validate(dict(os.environ))


def require_settings() -> None:
    """Raise MissingSettingsError for variables that `REQUIRED_SETTINGS` lists and that are absent or empty."""
    required = filter(None, os.environ.get(REQUIRED_SETTINGS, "").split(","))
    missing = [name for name in required if not os.environ.get(name)]
    if missing:
        function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "the function")
        raise MissingSettingsError(f"{function} is deployed without {', '.join(missing)}, which its grants name")
