"""A county with parcels, sales and the layers of the CQL2 standard's test data; nothing changes it."""

from collections.abc import Iterator
from typing import Any

import pytest

from functions.features.handler import handler
from infra.local.postgres import LocalPostgres
from shared.db import unit_of_work
from tests.conftest import MigratedDatabase, database_like
from tests.cql2_layers import add_standard_layers
from tests.gateway import Answer, call
from tests.integration.evidence_county import COUNTY, add_county, add_evidence

ROOT = "/ogc/{county_id}"
COLLECTION = f"{ROOT}/collections/{{collection_id}}"
ITEMS = f"{COLLECTION}/items"
COUNTRIES, PLACES = "ne_110m_admin_0_countries", "ne_110m_populated_places_simple"


@pytest.fixture(scope="module")
def county(postgres_server: LocalPostgres, migrated_template: str) -> Iterator[MigratedDatabase]:
    with (
        pytest.MonkeyPatch.context() as patch,
        database_like(migrated_template, postgres_server, patch) as database,
    ):
        add_county()
        add_evidence()
        with unit_of_work(COUNTY) as connection:
            add_standard_layers(connection, COUNTY)
        yield database


def get(
    resource: str,
    collection_id: str = "",
    headers: dict[str, str] | None = None,
    path: dict[str, str] | None = None,
    **query: Any,
) -> Answer:
    """The answer to a GET of a resource, of a collection or not. Names of systems and languages are written with _."""
    names = {name: name.replace("_", "-") for name in ("bbox_crs", "filter_lang", "filter_crs")}
    parameters = {names.get(name, name): str(value) for name, value in query.items()}
    named = {"county_id": COUNTY, **({"collection_id": collection_id} if collection_id else {}), **(path or {})}
    if "feature_id" in parameters:
        named["feature_id"] = parameters.pop("feature_id")
    return call(handler, "GET", resource, path=named, query=parameters, headers=headers)


def items(collection_id: str, **query: Any) -> Answer:
    """A page of features."""
    return get(ITEMS, collection_id, **query)
