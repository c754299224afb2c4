"""The OGC API as people's tools open it: with an access key, and what a county has opened without any."""

import base64
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import duckdb
import httpx
import pytest
from owslib.ogcapi.features import Features
from owslib.util import Authentication
from sqlalchemy import update

from functions.keys.service import open_collections
from infra.local.postgres import LocalPostgres
from infra.settings import ROOT
from shared.db import unit_of_work
from shared.db.models import County
from tests.conftest import database_like
from tests.integration.evidence_county import COUNTY, add_evidence
from tests.integration.features import gdal
from tests.integration.keys.world import OTHER, Clock, world
from tests.served_api import served_api

PARCELS = 500
PAGE = (ROOT / "shared/api/README.md").read_text()


@pytest.fixture(scope="module")
def served(postgres_server: LocalPostgres, migrated_template: str, assemblies: Path) -> Iterator[tuple[str, str]]:
    """The API's address, and a key for a county that has opened its parcels to everybody."""
    with (
        pytest.MonkeyPatch.context() as patch,
        database_like(migrated_template, postgres_server, patch),
        world(patch, Clock()) as keys,
    ):
        patch.setattr(open_collections, "_remembered", {})
        add_evidence()
        opened = {"plugin_settings": {"features": {"open_collections": ["parcels"]}}}
        with unit_of_work(COUNTY) as connection:
            connection.execute(update(County).values(configuration=opened))
        secret, _ = keys.add_key(permissions="view_properties")
        with served_api(assemblies, patch) as (address, _):
            yield address, secret


@pytest.fixture(scope="module")
def collections(served: tuple[str, str]) -> str:
    return f"{served[0]}/ogc/{COUNTY}/collections"


@pytest.mark.parametrize("resource", ["", "/items?limit=2", "/items/P0001", "/schema", "/queryables", "/tiles"])
def test_an_open_collection_is_read_without_credentials_and_another_is_not(collections: str, resource: str) -> None:
    assert httpx.get(f"{collections}/parcels{resource}").status_code == 200
    assert httpx.get(f"{collections}/sales{resource.replace('P0001', 'S0001')}").status_code == 401


def test_without_credentials_the_open_collections_alone_are_listed(served: tuple[str, str], collections: str) -> None:
    address, secret = served
    assert [one["id"] for one in httpx.get(collections).json()["collections"]] == ["parcels"]
    described = httpx.get(f"{address}/ogc/{COUNTY}/api").json()["paths"]
    assert not [path for path in described if "sales" in path]
    with_key = httpx.get(collections, auth=("key", secret)).json()["collections"]
    assert {"parcels", "sales"} <= {one["id"] for one in with_key}


def test_without_credentials_another_county_and_the_rest_of_the_api_are_closed(served: tuple[str, str]) -> None:
    address, _ = served
    for path in (f"/ogc/{OTHER}", f"/ogc/{OTHER}/collections/parcels/items", f"/v1/counties/{COUNTY}/properties"):
        assert httpx.get(address + path).status_code == 401


def test_a_key_that_is_wrong_opens_nothing_that_is_open_without_one(collections: str, served: tuple[str, str]) -> None:
    wrong = served[1][:-1] + ("0" if served[1][-1] != "0" else "1")
    assert httpx.get(f"{collections}/parcels/items", auth=("key", wrong)).status_code == 401


def test_gdal_reads_all_pages_with_a_key(served: tuple[str, str]) -> None:
    address, secret = served
    source, login = f"OAPIF:{address}/ogc/{COUNTY}", gdal.with_key(secret)
    sales = gdal.read(source, login, "sales", {"PAGE_SIZE": "120"})
    assert sales["count"] == len(set(sales["ids"])) >= PARCELS
    chosen = gdal.read(source, login, "sales", where="property_id = 'P0007'")
    assert "S0007" in chosen["ids"]
    assert chosen["count"] < 5


@pytest.mark.parametrize("resource", ["", "/collections", "/collections/parcels", "/collections/parcels/items/P0001"])
def test_a_slash_at_the_end_of_an_address_changes_nothing(served: tuple[str, str], resource: str) -> None:
    address, secret = served
    without, with_slash = (
        httpx.get(f"{address}/ogc/{COUNTY}{resource}{end}", auth=("key", secret)) for end in ("", "/")
    )
    assert (without.status_code, with_slash.status_code) == (200, 200)
    assert with_slash.json()["links"] == without.json()["links"]


def test_owslib_follows_pages_with_a_key(served: tuple[str, str]) -> None:
    address, secret = served
    features = Features(f"{address}/ogc/{COUNTY}", auth=Authentication(username="key", password=secret))
    assert {"parcels", "sales"} <= set(features.feature_collections())
    assert "sale_price" in features.collection_queryables("sales")["properties"]
    assert "/collections/sales/items" in features.api()["paths"]

    page = features.collection_items("parcels", limit=130, filter="year_built > 0")
    sizes, ids = [], []
    while True:
        sizes.append(page["numberReturned"])
        ids += [feature["id"] for feature in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        login = base64.b64encode(f"key:{secret}".encode()).decode()
        page = httpx.get(following[0], headers={"Authorization": f"Basic {login}"}).json()
    assert (sizes, len(set(ids))) == ([130, 130, 130, 110], PARCELS)
    assert features.collection_item("parcels", "P0007")["properties"]["property_id"] == "P0007"


def test_duckdb_reads_a_list_by_its_url_with_a_key(served: tuple[str, str]) -> None:
    """By the statements of the API's page."""
    address, key = served
    statements = PAGE.partition("```sql\n")[2].partition("```")[0]
    statements = statements.replace("'...'", f"'{key}'").replace("https://...", address)
    statements = statements.replace("SELECT *", "SELECT property_id")  # times in Python want another package
    (extension,) = Path(str(files("duckdb_extension_httpfs"))).rglob("httpfs.duckdb_extension")
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{extension}'")
        parcels = connection.execute(statements).fetchall()
    assert (len(parcels), len(set(parcels))) == (PARCELS, PARCELS)
