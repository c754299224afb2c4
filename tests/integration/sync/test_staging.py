"""Staged rows are their county's alone, as every row of a county is."""

from uuid import UUID

import polars as pl
import pytest
from pg8000.exceptions import DatabaseError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from functions.sync.repository import staging
from shared.db import unit_of_work
from tests.integration.sync.county import COUNTY, County


@pytest.fixture
def relation(county: County) -> str:
    """The staging table of a run whose partitions are done."""
    planned = county.plan()
    for item in county.items(planned):
        county.partition(planned["run_id"], item)
    ((relation,),) = county.query(
        "SELECT relname FROM pg_class WHERE relname LIKE '%properties_operational'"
        " AND relnamespace = 'staging'::regnamespace"
    )
    return str(relation)


def run_of(relation: str) -> UUID:
    return UUID(relation[1:33])


def test_staged_rows_show_to_their_own_county_only(county: County, relation: str) -> None:
    count = text(f"SELECT count(*) FROM staging.{relation}")

    with unit_of_work(COUNTY) as connection:
        assert connection.scalar(count) == 299
    for others in (["king_wa"], [""], [COUNTY, "king_wa"]):
        with unit_of_work(*others) as connection:
            assert connection.scalar(count) == 0
            assert connection.execute(text(f"UPDATE staging.{relation} SET action = 'D'")).rowcount == 0
            assert connection.execute(text(f"DELETE FROM staging.{relation}")).rowcount == 0


@pytest.mark.parametrize("statement", ["ALTER TABLE {} DISABLE ROW LEVEL SECURITY", "DROP TABLE {}", "TRUNCATE {}"])
def test_the_application_cannot_open_a_staging_table(county: County, relation: str, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"must be owner|permission denied"), unit_of_work(COUNTY) as connection:
        connection.exec_driver_sql(statement.format(f"staging.{relation}"))


def test_the_role_that_loads_reads_nothing(county: County, relation: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), unit_of_work("king_wa") as connection:
        connection.exec_driver_sql(f"SET LOCAL ROLE terrafusion_staging; SELECT * FROM staging.{relation}")


def test_no_county_loads_into_the_staging_table_of_another(county: County, relation: str) -> None:
    rows = pl.DataFrame({"partition_no": ["0"], "action": ["A"], "property_id": ["foreign"]})

    with pytest.raises(DatabaseError, match="of another county"), unit_of_work("king_wa") as connection:
        staging.load(connection, run_of(relation), "properties_operational", rows)

    with unit_of_work(COUNTY) as connection:
        staging.load(connection, run_of(relation), "properties_operational", rows)
        assert connection.scalar(text("SELECT current_user")) == "terrafusion_app"


def test_what_an_older_version_has_staged_is_dropped_too(county: County, relation: str) -> None:
    run = run_of(relation)
    with unit_of_work(COUNTY) as connection:
        connection.exec_driver_sql(f"CREATE UNLOGGED TABLE staging.r{run.hex}_sales_of_old (a integer)")

    with unit_of_work(COUNTY) as connection:
        staging.drop(connection, run)

    assert county.state()["staging"] == []
