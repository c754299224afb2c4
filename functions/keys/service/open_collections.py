"""Collections that a county has opened to everybody."""

import time
from collections.abc import Mapping
from urllib.parse import unquote

from shared.counties.open_collections import open_collections
from shared.db import retry_read, unit_of_work

_REMEMBERED_S = 30.0
"""As for keys: what a county closes is closed within a minute."""
_MAX_REMEMBERED = 10_000
_remembered: dict[str, tuple[float, frozenset[str]]] = {}


def is_open(parameters: Mapping[str, str]) -> bool:
    """True where the county of a path is one that has opened the path's collection, or any where it names none."""
    collections = _open_collections(unquote(parameters.get("county_id", "")))
    named = parameters.get("collection_id")
    return bool(collections) if named is None else unquote(named) in collections


def _open_collections(county_id: str) -> frozenset[str]:
    now = time.monotonic()
    until, collections = _remembered.get(county_id, (now, frozenset[str]()))
    if now < until:
        return collections
    if len(_remembered) >= _MAX_REMEMBERED:
        _remembered.clear()
    collections = retry_read(lambda: _read(county_id))
    _remembered[county_id] = (now + _REMEMBERED_S, collections)
    return collections


def _read(county_id: str) -> frozenset[str]:
    with unit_of_work(county_id) as connection:
        return open_collections(connection, county_id)
