"""SQL of counties."""

from typing import Any

from sqlalchemy import Connection, Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from functions.counties.schemas import County, CountySummary
from shared.counties.configuration import CountyConfiguration
from shared.db.models import County as CountyRow

_COLUMNS = (
    CountyRow.county_id,
    CountyRow.friendly_name,
    CountyRow.configuration,
    CountyRow.mapping,
    CountyRow.version,
    CountyRow.created_at,
    CountyRow.updated_at,
)


def visible(connection: Connection) -> list[CountySummary]:
    """The counties that the transaction may see, by id."""
    rows = connection.execute(
        select(CountyRow.county_id, CountyRow.friendly_name, CountyRow.configuration).order_by(CountyRow.county_id)
    )
    return [
        CountySummary(
            county_id=row.county_id,
            friendly_name=row.friendly_name,
            legacy_system_type=row.configuration["legacy_system_type"],
            timezone=row.configuration["timezone"],
        )
        for row in rows
    ]


def find(connection: Connection, county_id: str, *, for_update: bool = False) -> County | None:
    """A county, held until the transaction ends where it is to be changed."""
    statement = select(*_COLUMNS).where(CountyRow.county_id == county_id)
    row = connection.execute(statement.with_for_update() if for_update else statement).one_or_none()
    return None if row is None else _county(row)


def add(connection: Connection, configuration: CountyConfiguration, mapping: str) -> bool:
    """Insert a county; False where there is one of that id."""
    statement = (
        insert(CountyRow)
        .values(
            county_id=configuration.county_id,
            friendly_name=configuration.county_friendly_name,
            configuration=configuration.model_dump(mode="json"),
            mapping=mapping,
            version=1,
        )
        .on_conflict_do_nothing()
    )
    return connection.execute(statement).rowcount == 1


def replace(connection: Connection, county_id: str, **values: Any) -> None:
    """Change a county, and count its version up."""
    connection.execute(
        update(CountyRow)
        .where(CountyRow.county_id == county_id)
        .values(**values, version=CountyRow.version + 1, updated_at=func.now())
    )


def lock_member(connection: Connection, username: str) -> None:
    """Let nobody else change which counties a user works for until the transaction ends: the pool cannot add one."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"members/{username}"}
    )


def _county(row: Row[*tuple[Any, ...]]) -> County:
    configuration = CountyConfiguration.model_validate(row.configuration)
    return County(
        county_id=row.county_id,
        friendly_name=row.friendly_name,
        legacy_system_type=configuration.legacy_system_type,
        timezone=configuration.timezone,
        version=row.version,
        configuration=configuration,
        mapping=row.mapping,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
