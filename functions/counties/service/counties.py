"""The rules of counties."""

from datetime import UTC, datetime

from functions.counties import repository
from functions.counties.schemas import County, CountySummary, OnboardRequest
from functions.counties.service.members import add_county_to_user
from functions.counties.service.schedules import apply_schedules, scheduled_syncs
from shared import audit
from shared.access import COUNTY_ROLES, Caller, Permission
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.mapping import MappingError, parse_mapping
from shared.precedence.field_changes import changed_fields
from shared.problems import Conflict, NotFound, PreconditionFailed, Unprocessable
from shared.user_pool import lock_user


def list_counties(caller: Caller) -> list[CountySummary]:
    """The caller's counties that are onboarded, by id."""
    with unit_of_work(*sorted(caller.county_ids)) as connection:
        return repository.visible(connection)


def get(county_id: str) -> County:
    """A county. Raises NotFound where it is not onboarded."""
    with unit_of_work(county_id) as connection:
        return _with_schedules(_found(repository.find(connection, county_id), county_id))


def onboard(request: OnboardRequest, caller: Caller) -> County:
    """Take a county in: its record, its schedule, and the platform's operator, where he does it, as its user.

    Anybody else onboards a county only whose id the operator has given to him. The same request again finds the county
    as it is. Raises Forbidden for an id of another's, before anything is looked up, Conflict where the county exists
    otherwise, and Unprocessable for a mapping with faults, each with its line.
    """
    configuration = request.configuration
    county_id = configuration.county_id
    by_operator = Permission.ONBOARD_COUNTY in caller.permissions
    if not by_operator:
        caller.require_county(county_id, Permission.MANAGE_COUNTY)
    _check_manageable(configuration, "/body/configuration")
    _check_mapping(request.mapping)
    with unit_of_work(county_id) as connection:
        added = repository.add(connection, configuration, request.mapping)
        county = _found(repository.find(connection, county_id), county_id)
        if not added and (county.configuration, county.mapping) != (configuration, request.mapping):
            raise Conflict(f"{county_id} is onboarded already.", slug="county-exists")
        if added:
            repository.keep_version(connection, county_id, "both", caller.username)
            audit.record(connection, county_id, caller.username, "county.onboarded", f"counties/{county_id}", {})
        # before the commit: where one of these fails nothing is left but what the next try replaces
        apply_schedules(configuration)
        if by_operator:
            lock_user(connection, caller.username)
            add_county_to_user(caller.username, county_id)
    return _with_schedules(county)


def configure(
    county_id: str, configuration: CountyConfiguration, *, expected_version: int | None, caller: Caller
) -> County:
    """Replace a county's configuration, and its schedule with it. Raises NotFound, PreconditionFailed."""
    if configuration.county_id != county_id:
        raise Unprocessable(
            f"The configuration is of {configuration.county_id}, not of {county_id}.",
            pointer="/body/county_id",
            slug="county-mismatch",
        )
    _check_manageable(configuration, "/body")
    with unit_of_work(county_id) as connection:
        before = _changeable(repository.find(connection, county_id, for_update=True), county_id, expected_version)
        repository.keep_version(connection, county_id, "both", None)
        repository.replace(
            connection,
            county_id,
            friendly_name=configuration.county_friendly_name,
            configuration=configuration.model_dump(mode="json"),
        )
        repository.keep_version(connection, county_id, "configuration", caller.username)
        changes = changed_fields(before.configuration.model_dump(mode="json"), configuration.model_dump(mode="json"))
        audit.record(
            connection,
            county_id,
            caller.username,
            "county.configured",
            f"counties/{county_id}",
            {},
            old={name: was for name, (was, _) in changes.items()},
            new={name: now for name, (_, now) in changes.items()},
        )
        county = _found(repository.find(connection, county_id), county_id)
        apply_schedules(configuration)
    return _with_schedules(county)


def replace_mapping(county_id: str, mapping: str, *, expected_version: int | None, caller: Caller) -> County:
    """Replace a county's mapping; the next run uses it. Raises NotFound, PreconditionFailed, Unprocessable."""
    _check_mapping(mapping)
    with unit_of_work(county_id) as connection:
        before = _changeable(repository.find(connection, county_id, for_update=True), county_id, expected_version)
        repository.keep_version(connection, county_id, "both", None)
        repository.replace(connection, county_id, mapping=mapping)
        repository.keep_version(connection, county_id, "mapping", caller.username)
        audit.record(
            connection,
            county_id,
            caller.username,
            "county.mapping_replaced",
            f"counties/{county_id}",
            {},
            old={"version": before.version},
            new={"version": before.version + 1},
        )
        return _with_schedules(_found(repository.find(connection, county_id), county_id))


def _check_manageable(configuration: CountyConfiguration, pointer: str) -> None:
    """Refuse a configuration that nobody of the county could change again."""
    if all(Permission.MANAGE_COUNTY not in configuration.rbac_settings.permissions_of(role) for role in COUNTY_ROLES):
        raise Unprocessable(
            "No role of the county would have manage_county, so nobody could change the configuration again.",
            pointer=f"{pointer}/rbac_settings/roles",
            slug="county-unmanageable",
        )


def _check_mapping(text: str) -> None:
    try:
        parse_mapping(text)
    except MappingError as error:
        raise error.as_problem("/body/mapping") from error


def _with_schedules(county: County) -> County:
    scheduled = scheduled_syncs(county.configuration, datetime.now(UTC))
    return county.model_copy(
        update={"schedules": scheduled, "next_run_at": scheduled[0].next_run_at if scheduled else None}
    )


def _found(county: County | None, county_id: str) -> County:
    if county is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
    return county


def _changeable(county: County | None, county_id: str, expected_version: int | None) -> County:
    stored = _found(county, county_id)
    if expected_version is not None and expected_version != stored.version:
        raise PreconditionFailed(f"{county_id} is at version {stored.version} by now; read it again, then decide.")
    return stored
