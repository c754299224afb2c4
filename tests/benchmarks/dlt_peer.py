"""The peer of the syncs: dlt's merge, and the SQL that brings what it loaded to our table's types and indexes."""

import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pg8000.native import Connection
from sqlalchemy.engine import URL

from tests.benchmarks.peers.dlt_merge import DATASET, TABLE


@dataclass
class DltPeer:
    """A dlt pipeline from the synthetic county's source into a schema of its own beside our tables."""

    source: URL
    destination: URL
    _folder: str

    def merge(self) -> float:
        """Seconds of one merge of all rows, in a process of its own; starting it does not count."""
        command = [sys.executable, "-m", "tests.benchmarks.peers.dlt_merge"]
        addresses = [_address(self.source, "postgresql+psycopg2"), _address(self.destination, "postgresql")]
        ended = subprocess.run([*command, *addresses, self._folder], capture_output=True, text=True, check=True)
        return float(ended.stdout.split()[-1])

    def typed(self) -> float:
        """Seconds of the SQL that maps and types the merged rows into a table like `properties_operational`."""
        owner = self.destination
        with Connection(
            owner.username or "",
            password=owner.password,
            host=owner.host,
            port=owner.port,
            database=owner.database,
            ssl_context=False,
        ) as connection:
            connection.run("CREATE TABLE merged (LIKE properties_operational INCLUDING ALL)")
            started = time.monotonic()
            connection.run(f"INSERT INTO merged ({', '.join(_TYPED)}) SELECT {', '.join(_TYPED.values())} {_FROM}")
            return time.monotonic() - started


@contextmanager
def dlt_peer(source: URL, destination: URL) -> Iterator[DltPeer | None]:
    """The peer; None where the group `bench` is not installed."""
    if importlib.util.find_spec("dlt") is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        yield DltPeer(source, destination, folder)


def _address(url: URL, driver: str) -> str:
    return f"{driver}://{url.username}:{url.password}@{url.host}:{url.port}/{url.database}"


_FROM = f"FROM {DATASET}.{TABLE}"
_ADDRESS = "concat_ws(' ', situs_num, situs_prefix, situs_street, situs_suffix)"
_CLASS = "CASE class_cd WHEN 'R10' THEN 'residential' WHEN 'C20' THEN 'commercial' ELSE 'agricultural' END"
_TYPED = {
    "county_id": "'synthetic_wa'",
    "property_id": "parcel_id",
    "parcel_number": "btrim(geo_id)",
    "situs_number": "situs_num",
    "situs_prefix": "situs_prefix",
    "situs_street": "situs_street",
    "situs_suffix": "situs_suffix",
    "situs_city": "situs_city",
    "situs_state": "btrim(situs_state)",
    "situs_zip": "situs_zip",
    "situs_address": _ADDRESS,
    "legal_description": "legal_desc",
    "property_class": _CLASS,
    "neighborhood": "hood_cd",
    "longitude": "longitude::float8",
    "latitude": "latitude::float8",
    "land_area_sqft": "land_sqft",
    "living_area_sqft": "living_sqft",
    "year_built": "yr_built::integer",
    "effective_year": "eff_year::integer",
    "bedrooms": "bedrooms",
    "bathrooms": "baths",
    "stories": "CASE stories WHEN 'one' THEN 1 WHEN 'two' THEN 2 ELSE 1.5 END",
    "land_value": "land_val",
    "improvement_value": "imprv_val",
    "total_value": "land_val + imprv_val",
    "last_sale_date": "to_date(sale_dt, 'YYYYMMDD')",
    "last_sale_price": "sale_price::numeric",
    "source_system": "'DLT'",
    "row_hash": "md5(parcel_id)",
    "version": "1",
    "valid_from": "now()",
}
