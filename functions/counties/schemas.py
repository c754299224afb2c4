"""Counties as the API shows them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.counties.configuration import CountyConfiguration, SyncMode
from shared.counties.source_description import INCOMING, FileName, Prefix
from shared.schemas import CountyId, RequestSchema, Schema

MappingText = Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]


class OnboardRequest(RequestSchema):
    """A new county: its configuration, and its mapping as the text of a YAML file."""

    configuration: CountyConfiguration
    mapping: MappingText


class MappingRequest(RequestSchema):
    """A mapping, as the text of a YAML file."""

    mapping: MappingText


Part = Literal["configuration", "mapping"]
Changed = Literal["both", "configuration", "mapping"]


class CountyMapping(Schema):
    """A county's mapping, as the text of a YAML file, and the county's version in which it stood."""

    mapping: str
    version: int


class CountyVersion(Schema):
    """A version of a county: what was changed in it, by whom and when.

    Both parts are of its onboarding, or of the version that stood when versions were first kept; then nobody knows who
    made it.
    """

    version: int
    changed: Changed
    changed_by: str | None
    changed_at: datetime


class CountySummary(Schema):
    """A county in a list."""

    county_id: CountyId
    friendly_name: str
    legacy_system_type: str
    timezone: str


class ScheduledSync(Schema):
    """The next start of a sync by a schedule; None where there is none any more."""

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


MAX_FILE_BYTES = 5 << 30
"""S3's limit for an object that is put in one request."""


class FileDelivery(RequestSchema):
    """A file that is to be delivered: its name and folder, as the configuration's `source` says them, and its size."""

    name: FileName
    size_bytes: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]
    prefix: Prefix = INCOMING


class FileAddress(Schema):
    """The address that a file is sent to: PUT its bytes to `url`, without a token, until `expires_at`.

    A file of that name is replaced.
    """

    name: str
    prefix: str
    method: Literal["PUT"] = "PUT"
    url: str
    expires_at: datetime


class DeliveredFile(Schema):
    """A file where the county's syncs read it."""

    name: str
    prefix: str
    size_bytes: int
    delivered_at: datetime
