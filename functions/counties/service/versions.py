"""A county's configuration and mapping as they stand, and as they stood."""

from pydantic import ValidationError

from functions.counties import repository
from functions.counties.schemas import CountyMapping, CountyVersion, Part
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.paging import MAX_NUMBER, Page, decode_token, encode_token
from shared.problems import Gone, NotFound


def configuration(county_id: str, version: int | None) -> tuple[CountyConfiguration, int]:
    """The configuration of a version of the county, or of now, and that version.

    Raises NotFound for a version that there is not, Gone for one that this release cannot read.
    """
    document, _, found = _version(county_id, version)
    try:
        return CountyConfiguration.model_validate(document), found
    except ValidationError as error:
        raise Gone(
            f"Version {found} of {county_id} is of an earlier release, whose configurations are not understood now.",
            slug="configuration-of-an-earlier-release",
        ) from error


def mapping(county_id: str, version: int | None) -> CountyMapping:
    """The mapping of a version of the county, or of now. Raises NotFound for a version that there is not."""
    _, text, found = _version(county_id, version)
    return CountyMapping(mapping=text, version=found)


def page(county_id: str, part: Part, *, page_size: int, page_token: str | None) -> Page[CountyVersion]:
    """A page of the versions in which the configuration, or the mapping, was changed, the newest first."""
    query = ["county-versions", county_id, part]
    before = decode_token(query, page_token, int)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        rows = repository.versions(
            connection, county_id, part, before=before[0] if before else None, limit=page_size + 1
        )
    items = rows[:page_size]
    more = len(rows) > page_size
    return Page[CountyVersion](
        items=items, next_page_token=encode_token(query, [str(items[-1].version)]) if more else None
    )


def _version(county_id: str, version: int | None) -> tuple[dict[str, object], str, int]:
    with unit_of_work(county_id) as connection:
        county = repository.find(connection, county_id) if version is None else None
        if county is not None:
            return county.configuration.model_dump(mode="json"), county.mapping, county.version
        require_onboarded(connection, county_id)
        kept = None
        if version is not None and version <= MAX_NUMBER:
            kept = repository.find_version(connection, county_id, version)
    if kept is None or version is None:
        raise NotFound(f"{county_id} has no version {version}.", slug="county-version-not-found")
    return *kept, version
