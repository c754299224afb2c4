"""GDAL reads the OGC API as it is served: pages, filters, reference systems and tiles."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyproj import Transformer

from shared.access import Role
from tests.conftest import MigratedDatabase
from tests.integration.evidence_county import COUNTY
from tests.integration.features.conftest import COUNTRIES, items
from tests.served_api import access_token, served_api

_READ = """
import json, sys
import numpy, pyogrio, shapely
from pyogrio.raw import read
address, layer, options, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
if "bbox" in arguments:
    arguments["bbox"] = tuple(arguments["bbox"])
if not layer:
    print(json.dumps(sorted(name for name, _ in pyogrio.list_layers(address))))
else:
    meta, _, shapes, values = read(address, layer=layer, **arguments, **options)
    bounds = shapely.total_bounds(shapely.from_wkb(shapes)).tolist()
    names = meta["fields"].tolist()
    ids = [str(value) for value in values[names.index(names[0])]]
    print(json.dumps({"count": len(shapes), "bounds": bounds, "fields": names, "ids": ids, "crs": meta["crs"]}))
"""
"""In a process of its own: GDAL holds the interpreter's lock while it waits for the API."""


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
    environment = {**os.environ, "GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token}
    command = [sys.executable, "-c", _READ, address, layer, json.dumps(options or {}), json.dumps(arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


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
