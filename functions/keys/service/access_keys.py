"""Making, listing and revoking access keys."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from functions.keys import repository
from functions.keys.repository import StoredKey
from functions.keys.schemas import AccessKey, KeyRequest, NewAccessKey
from shared import audit
from shared.access import Caller, Permission, key_secret
from shared.counties.request_budget import BURST_SECONDS
from shared.db import change_county, unit_of_work
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, Fault, NotFound, Unprocessable
from shared.settings import settings

MAX_DAYS = 366
"""Between making and expiry. A choice: a roll year; who leaves a key in a workbook renews it once a year."""
MAX_KEYS = 50
"""Of one owner at a time. A choice: more than a person has tools."""
_FORGOTTEN_DAYS = 90
_KIND = "access_key"


def make(request: KeyRequest, *, caller: Caller, idempotency_key: str | None) -> NewAccessKey:
    """Make a key, and record it in each of its counties.

    The same Idempotency-Key finds the key of the first request, without its secret. Raises Unprocessable for what the
    caller may not view, or for too long; Conflict for too many keys.
    """
    _require_grantable(request, caller)
    key_id = deterministic_id("", _KIND, caller, idempotency_key)
    secret = key_secret.new_secret()
    with unit_of_work(*sorted(caller.county_ids)) as connection:
        repository.lock_owner(connection, caller.subject)
        stored = repository.find(connection, key_id)
        if stored is not None:
            refuse_reused_key(stored.request_digest, digest(request))
            return NewAccessKey(**_described(stored), secret=None)
        repository.remove_old(connection, caller.subject, _FORGOTTEN_DAYS)
        if repository.count(connection, caller.subject) >= MAX_KEYS:
            raise Conflict(f"You have {MAX_KEYS} keys: revoke those that you no longer use.", slug="too-many-keys")
        values = _row(request, key_id, key_secret.digest(secret), caller)
        details = {"name": request.name, "permissions": sorted(request.permissions), "expires_at": request.expires_at}
        for county_id in sorted(request.counties):
            change_county(connection, county_id)
            repository.add(connection, county_id, values)
            audit.record(connection, county_id, caller.username, "key.made", f"keys/{key_id}", details)
    return NewAccessKey(**_described(_read(key_id, caller)), secret=secret)


def list_keys(caller: Caller, *, page_size: int, page_token: str | None) -> Page[AccessKey]:
    """A page of the caller's keys, and of all keys in the counties whose users the caller manages; the newest first."""
    managed = _managed_counties(caller)
    query = [caller.subject, managed]
    after = decode_token(query, page_token, datetime.fromisoformat, UUID)
    with unit_of_work(*sorted(caller.county_ids)) as connection:
        keys = repository.visible_keys(
            connection, caller.subject, managed, after=(after[0], after[1]) if after else None, limit=page_size + 1
        )
    items, more = keys[:page_size], len(keys) > page_size
    last = [items[-1].created_at.isoformat(), str(items[-1].key_id)] if items else []
    return Page(
        items=[AccessKey(**_described(key)) for key in items],
        next_page_token=encode_token(query, last) if more else None,
    )


def revoke(key_id: UUID, caller: Caller) -> None:
    """Revoke the caller's own key, or anybody's in the counties whose users the caller manages.

    Raises NotFound for a key that does not stand there.
    """
    with unit_of_work(*sorted(caller.county_ids)) as connection:
        key = repository.find(connection, key_id)
        if key is None:
            raise _no_key(key_id)
        counties = key.counties if key.owner == caller.subject else set(key.counties) & set(_managed_counties(caller))
        revoked = False
        for county_id in sorted(counties):
            change_county(connection, county_id)
            if repository.revoke(connection, key_id, county_id):
                revoked = True
                details = {"name": key.name, "owner": key.owner_name}
                audit.record(connection, county_id, caller.username, "key.revoked", f"keys/{key_id}", details)
    if not revoked:
        raise _no_key(key_id)


def _require_grantable(request: KeyRequest, caller: Caller) -> None:
    faults = [
        Fault("/body/counties", f"{county_id} is not one of your counties.", "county-not-permitted")
        for county_id in sorted(request.counties - caller.county_ids)
    ]
    for permission in sorted(request.permissions):
        withholding = [c for c in sorted(request.counties) if permission in caller.withheld.get(c, ())]
        if permission not in caller.permissions or withholding:
            where = f" in {', '.join(withholding)}" if withholding else ""
            faults.append(Fault("/body/permissions", f"You do not have {permission}{where}.", "permission-missing"))
    now = datetime.now(UTC)
    if not now < request.expires_at <= now + timedelta(days=MAX_DAYS):
        faults.append(Fault("/body/expires_at", f"A key lives from now on, for {MAX_DAYS} days at most.", "expiry"))
    if faults:
        raise Unprocessable("The key would open more than you may view, or for too long.", faults=tuple(faults))


def _managed_counties(caller: Caller) -> list[str]:
    if Permission.MANAGE_USERS not in caller.permissions:
        return []
    return sorted(c for c in caller.county_ids if Permission.MANAGE_USERS not in caller.withheld.get(c, ()))


def _row(request: KeyRequest, key_id: UUID, secret_digest: bytes, caller: Caller) -> dict[str, Any]:
    return {
        "key_id": key_id,
        "digest": secret_digest,
        "request_digest": digest(request),
        "name": request.name,
        "owner": caller.subject,
        "owner_name": caller.username,
        "permissions": " ".join(sorted(request.permissions)),
        "expires_at": request.expires_at,
        "tokens": settings().key_requests_per_second * BURST_SECONDS,
    }


def _read(key_id: UUID, caller: Caller) -> StoredKey:
    with unit_of_work(*sorted(caller.county_ids)) as connection:
        key = repository.find(connection, key_id)
    if key is None:
        raise _no_key(key_id)
    return key


def _described(key: StoredKey) -> dict[str, Any]:
    return {
        "id": key.key_id,
        "name": key.name,
        "owner": key.owner_name,
        "status": "revoked" if key.revoked else "expired" if key.expired else "active",
        "counties": list(key.counties),
        "permissions": sorted(repository.permissions_in(key.permissions)),
        "requests_per_second": settings().key_requests_per_second,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }


def _no_key(key_id: UUID) -> NotFound:
    return NotFound(f"There is no key {key_id} that you could revoke.", slug="key-not-found")
