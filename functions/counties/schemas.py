"""Counties as the API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.county_configuration import CountyConfiguration, SyncMode
from shared.schemas import CountyId, RequestSchema, Schema

MappingText = Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]


class OnboardRequest(RequestSchema):
    """A new county: its configuration, and its mapping as the text of a YAML file."""

    configuration: CountyConfiguration
    mapping: MappingText


class MappingRequest(RequestSchema):
    """A mapping, as the text of a YAML file."""

    mapping: MappingText


class CountySummary(Schema):
    """A county in a list."""

    county_id: CountyId
    friendly_name: str
    legacy_system_type: str
    timezone: str


class ScheduledSync(Schema):
    """When a schedule starts a sync of this mode next; None where it never does again."""

    mode: SyncMode
    cron: str
    next_run_at: datetime | None


class County(CountySummary):
    """A county with its configuration and mapping; `version` is its ETag.

    `next_run_at` is when the first of its schedules starts a sync.
    """

    version: int
    configuration: CountyConfiguration
    mapping: str
    created_at: datetime
    updated_at: datetime
    next_run_at: datetime | None = None
    schedules: list[ScheduledSync] = Field(default_factory=list)
