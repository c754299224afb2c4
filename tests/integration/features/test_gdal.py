"""GDAL reads the OGC API as it is served: pages, filters and reference systems."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyproj import Transformer

from shared.access import Role
from tests.conftest import MigratedDatabase
from tests.integration.evidence_county import COUNTY
from tests.integration.features import gdal
from tests.integration.features.conftest import COUNTRIES, items
from tests.served_api import access_token, served_api


@pytest.fixture(scope="module")
def served(county: MigratedDatabase, assemblies: Path) -> Iterator[tuple[str, str]]:
    """The address that GDAL opens, and a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USER_POOL_ID", "pool")
        patch.setenv("USER_POOL_CLIENT_ID", "client")
        from shared.settings import settings

        settings.cache_clear()
        with served_api(assemblies, patch) as (address, _):
            yield f"OAPIF:{address}/ogc/{COUNTY}", access_token(Role.ASSESSOR, COUNTY)
        settings.cache_clear()


def read(served: tuple[str, str], layer: str, options: dict[str, str] | None = None, **arguments: Any) -> Any:
    address, token = served
    return gdal.read(address, gdal.with_token(token), layer, options, **arguments)


def test_gdal_lists_the_collections(served: tuple[str, str]) -> None:
    assert {"parcels", "sales", "values", "districts", COUNTRIES} <= set(read(served, ""))


def test_gdal_reads_all_pages_of_a_layer_with_its_extent(served: tuple[str, str]) -> None:
    parcels = read(served, "parcels", {"PAGE_SIZE": "70"})
    assert (parcels["count"], len(set(parcels["ids"]))) == (500, 500)
    assert -123 < parcels["bounds"][0] < parcels["bounds"][2] < -121
    assert "total_value" in parcels["fields"]


def test_gdal_pushes_an_attribute_filter_and_a_window_to_the_server(served: tuple[str, str]) -> None:
    expected = items("parcels", filter="total_value > 500000").body["features"]
    assert 0 < len(expected) < 500
    assert read(served, "parcels", where="total_value > 500000")["count"] == len(expected)
    assert read(served, COUNTRIES, bbox=(0, 40, 10, 50))["count"] == 8


def test_gdal_reads_a_layer_in_another_reference_system(served: tuple[str, str]) -> None:
    west, south, east, north = read(served, "parcels")["bounds"]
    mercator = read(served, "parcels", {"CRS": "EPSG:3857"})
    to_mercator = Transformer.from_crs(4326, 3857, always_xy=True)
    expected = [*to_mercator.transform(west, south), *to_mercator.transform(east, north)]
    assert mercator["bounds"] == pytest.approx(expected, abs=0.01)
