"""Make a legacy database, and fill it."""
# ruff: noqa: S608 - names and literals are quoted

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pg8000.native import identifier, literal
from sqlalchemy.engine import URL

from shared.db.driver import ClosingConnection

_HERE = Path(__file__).parent
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class LegacyCounty:
    """A legacy system: the database's name, and the file whose rows fill it."""

    county_id: str
    data: str

    @property
    def database(self) -> str:
        """The name of its database."""
        return f"legacy_{self.county_id}"

    @property
    def script(self) -> str:
        """The SQL that makes its tables from `raw`."""
        return (_HERE / f"{self.county_id}.sql").read_text()


COUNTIES: dict[str, LegacyCounty] = {
    county.county_id: county
    for county in (
        LegacyCounty("king_wa", "king_county_wa_sales.csv.gz"),
        LegacyCounty("lucas_oh", "lucas_county_oh_sales.csv.gz"),
    )
}


def build(server: URL) -> dict[str, URL]:
    """Make every legacy database that the server does not have yet; their addresses by county.

    `server` signs in as a role that may create databases, to any database of the server.
    """
    return {county_id: build_county(server, county_id) for county_id in COUNTIES}


def build_county(server: URL, county_id: str, database: str | None = None) -> URL:
    """Make one legacy database (named `legacy_<county_id>` unless told) where it is not there yet; its address.

    It appears under its name only when it is whole: one that was cut short is made anew.
    """
    county = COUNTIES[county_id]
    name = database or county.database
    unfinished = f"{name}_unfinished"
    with connected(server) as connection:
        if _exists(connection, name):
            return server.set(database=name)
        connection.run_alone(f"DROP DATABASE IF EXISTS {identifier(unfinished)} WITH (FORCE)")
        connection.run_alone(f"CREATE DATABASE {identifier(unfinished)}")
    with connected(server.set(database=unfinished)) as connection:
        _fill(connection, county)
    with connected(server) as connection:
        connection.run_alone(f"ALTER DATABASE {identifier(unfinished)} RENAME TO {identifier(name)}")
    return server.set(database=name)


class Session(ClosingConnection):
    def run_alone(self, statement: str) -> Any:
        """A statement, or several, outside of the driver's own transactions."""
        return self.execute_simple(statement)


@contextmanager
def connected(url: URL) -> Iterator[Session]:
    """A session on a database of this machine."""
    connection = Session(
        url.username, password=url.password, host=url.host, port=url.port, database=url.database, ssl_context=False
    )
    try:
        yield connection
    finally:
        connection.close()


def _exists(connection: Session, database: str) -> bool:
    rows = connection.run_alone(f"SELECT 1 FROM pg_database WHERE datname = {literal(database)}")
    return bool(rows.rows)


def _fill(connection: Session, county: LegacyCounty) -> None:
    with gzip.open(_HERE / "data" / county.data) as file:
        header = file.readline().decode().strip().split(",")
        columns = ", ".join(f"{identifier(name.lower())} text" for name in header)
        connection.run_alone("BEGIN")
        connection.run_alone(f"CREATE TABLE raw ({columns})")
        cursor = connection.cursor()
        cursor.execute("COPY raw FROM STDIN (FORMAT csv)", stream=iter(lambda: file.read(_CHUNK), b""))
    connection.run_alone(county.script)
    connection.run_alone("COMMIT")
