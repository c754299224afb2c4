"""Files that a county delivers over HTTP: to a signed address of S3, so that no function holds them."""

from datetime import UTC, datetime, timedelta

from functions.counties.schemas import DeliveredFile, FileAddress, FileDelivery
from shared import audit, storage
from shared.access import Caller
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded

MAX_LISTED = 1000


def address(county_id: str, delivery: FileDelivery, caller: Caller) -> FileAddress:
    """The signed address for a file. Raises NotFound for a county that is not onboarded."""
    key = storage.county_key(county_id, delivery.prefix, delivery.name)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        details = {"size_bytes": delivery.size_bytes}
        audit.record(connection, county_id, caller.username, "county.file_announced", key, details)
    expires_at = datetime.now(UTC) + timedelta(seconds=storage.SIGNED_URL_SECONDS)
    url = storage.signed_put_url(key, delivery.size_bytes)
    return FileAddress(name=delivery.name, prefix=delivery.prefix, url=url, expires_at=expires_at)


def delivered(county_id: str, prefix: str) -> list[DeliveredFile]:
    """The files that are there, by name, up to a thousand. Raises NotFound for a county that is not onboarded."""
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
    objects = storage.listed(storage.county_key(county_id, prefix, ""), MAX_LISTED)
    return [
        DeliveredFile(name=name, prefix=prefix, size_bytes=size, delivered_at=stored)
        for name, size, stored in objects
        if "/" not in name
    ]
