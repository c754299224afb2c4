"""SQL of counties."""

from typing import Any

from sqlalchemy import Connection, Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from functions.counties.schemas import Changed, County, CountySummary, CountyVersion, Part
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


def keep_version(connection: Connection, county_id: str, changed: Changed, actor: str | None) -> None:
    """Keep the county as it stands as a version of it; one that is kept already stays as it is.

    `changed` is what has made it a version of its own, `actor` who did that.
    """
    connection.execute(
        text(
            "INSERT INTO county_versions"
            " (county_id, version, changed, configuration, mapping, changed_by, changed_at)"
            " SELECT county_id, version, :changed, configuration, mapping, :actor, updated_at FROM counties"
            " WHERE county_id = :county_id ON CONFLICT DO NOTHING"
        ),
        {"county_id": county_id, "changed": changed, "actor": actor},
    )


_VERSIONS = (
    "SELECT version, changed, changed_by, changed_at{more} FROM county_versions WHERE county_id = :county_id"
    " UNION ALL SELECT version, 'both', NULL, updated_at{more} FROM counties c WHERE county_id = :county_id"
    " AND NOT EXISTS (SELECT FROM county_versions v WHERE v.county_id = c.county_id AND v.version = c.version)"
)
"""The county's versions; that of now too where it stood before versions were kept."""


def versions(
    connection: Connection, county_id: str, part: Part, *, before: int | None, limit: int
) -> list[CountyVersion]:
    """The versions in which a part of the county was changed, the newest first, those before a version."""
    rows = connection.execute(
        text(
            f"SELECT * FROM ({_VERSIONS.format(more='')}) AS versions"  # noqa: S608 - SQL of ours
            " WHERE changed IN ('both', :part) AND version < coalesce(CAST(:before AS integer), version + 1)"
            " ORDER BY version DESC LIMIT :limit"
        ),
        {"county_id": county_id, "part": part, "before": before, "limit": limit},
    )
    return [CountyVersion(**row._mapping) for row in rows]


def find_version(connection: Connection, county_id: str, version: int) -> tuple[dict[str, Any], str] | None:
    """The configuration and the mapping as they stood in a version."""
    row = connection.execute(
        text(
            f"SELECT configuration, mapping FROM ({_VERSIONS.format(more=', configuration, mapping')}) AS versions"  # noqa: S608 - SQL of ours
            " WHERE version = :version"
        ),
        {"county_id": county_id, "version": version},
    ).one_or_none()
    return None if row is None else (row.configuration, row.mapping)


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
