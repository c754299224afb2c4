"""A county as notices and appeals need it: its name, its calendar, its office, and its settings for both."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from shared.counties.notice_settings import NoticeSettings
from shared.db.models import County
from shared.problems import NotFound


@dataclass(frozen=True)
class NoticeCounty:
    """A county's name, time zone, the lines that name its office, and its settings of notices."""

    name: str
    zone: tzinfo
    office: tuple[str, ...]
    settings: NoticeSettings

    def today(self) -> date:
        """The present day in the county."""
        return datetime.now(self.zone).date()


def notice_county(connection: Connection, county_id: str) -> NoticeCounty:
    """The county, with the defaults of what its configuration does not name. Raises NotFound."""
    statement = select(County.friendly_name, County.configuration).where(County.county_id == county_id)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
    contact = row.configuration.get("contact") or {}
    zone = row.configuration.get("timezone")
    return NoticeCounty(
        name=row.friendly_name,
        zone=ZoneInfo(zone) if zone else UTC,
        office=tuple(contact[part] for part in ("name", "phone", "email") if contact.get(part)),
        settings=NoticeSettings.model_validate(row.configuration.get("plugin_settings", {}).get("notices") or {}),
    )
