"""Statements of the application's role that try to reach another county's rows without changing their tenant.

The tenant is a setting of the transaction, which whoever can run SQL can change: so no text of a request may become
SQL, which `test_foreign_counties` attacks. What is attacked here is a statement that forgets its county.
"""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from infra.local.postgres import LocalPostgres
from shared.db import engine, reading, unit_of_work
from shared.db.copying import copy_out_rows
from shared.db.engine import make_engine
from shared.db.models import Model
from tests.conftest import MigratedDatabase, database_like
from tests.foreign_county import CANARY, OTHER, add_foreign_rows
from tests.integration.evidence_county import COUNTY, add_county

TABLES = sorted(Model.metadata.tables)
OF_SEVERAL_COUNTIES = ("access_keys", "counties", "county_members")
"""Tables that a unit of work of several counties sees the rows of all of them in."""
DENIED = "permission denied|must be owner|row-level security|must be superuser|does not exist|cannot execute"


@pytest.fixture(scope="module")
def counties(postgres_server: LocalPostgres, migrated_template: str) -> Iterator[MigratedDatabase]:
    """A county that attacks, and one with rows in every table."""
    with (
        pytest.MonkeyPatch.context() as patch,
        database_like(migrated_template, postgres_server, patch) as database,
    ):
        add_county()
        add_foreign_rows()
        yield database


def _foreign_rows(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {table} WHERE county_id = :other"), {"other": OTHER}))


@pytest.mark.parametrize("table", TABLES)
def test_no_statement_reads_or_writes_rows_of_another_county(counties: MigratedDatabase, table: str) -> None:
    with unit_of_work(OTHER) as connection:
        own = _foreign_rows(connection, table)
        assert own > 0
    as_xml = f"query_to_xml('SELECT * FROM {table} WHERE county_id = ''{OTHER}''', false, true, '')::text"
    readings = [
        f"SELECT * FROM {table} AS t WHERE t::text LIKE '%{CANARY}%'",
        f"WITH rows AS MATERIALIZED (SELECT * FROM {table}) SELECT * FROM rows WHERE county_id = '{OTHER}'",
        f"SELECT * FROM {table} TABLESAMPLE SYSTEM (100) WHERE county_id = '{OTHER}'",
        f"SELECT 1 FROM counties RIGHT JOIN {table} AS t ON true WHERE t.county_id = '{OTHER}'",
        f"SELECT * FROM ONLY {table} WHERE county_id <> '{COUNTY}'",
        f"SELECT {as_xml} WHERE {as_xml} LIKE '%<row>%'",
    ]
    with unit_of_work(COUNTY) as connection:
        for statement in readings:
            assert connection.exec_driver_sql(statement).all() == [], statement
            assert copy_out_rows(connection, statement) == []
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN (ANALYZE, VERBOSE) {readings[0]}"))
        assert CANARY not in plan.replace(f"'%{CANARY}%'", "")
        for statement in (
            f"UPDATE {table} SET county_id = '{COUNTY}' WHERE county_id = '{OTHER}'",
            f"DELETE FROM {table} WHERE county_id = '{OTHER}'",
            f"WITH gone AS (DELETE FROM {table} WHERE county_id = '{OTHER}' RETURNING 1) SELECT * FROM gone",
            f"SELECT * FROM {table} WHERE county_id = '{OTHER}' FOR UPDATE",
        ):
            _refused_or_empty(connection, statement)
    with unit_of_work(OTHER) as connection:
        assert _foreign_rows(connection, table) == own


def _refused_or_empty(connection: Connection, statement: str) -> None:
    savepoint = connection.begin_nested()
    try:
        result = connection.exec_driver_sql(statement)
        touched = len(result.all()) if result.returns_rows else result.rowcount
    except DBAPIError as error:
        touched = 0 if "permission denied" in str(error) else -1
    savepoint.rollback()
    assert touched == 0, statement


@pytest.mark.parametrize("table", TABLES)
def test_a_function_in_a_condition_sees_no_row_of_another_county(counties: MigratedDatabase, table: str) -> None:
    """A condition that is cheaper than the policy, and raises for each row that it sees."""
    with unit_of_work(COUNTY) as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION pg_temp.seen(county text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$"
            f" BEGIN IF county = '{OTHER}' THEN RAISE 'seen'; END IF; RETURN true; END $$"
        )
        connection.exec_driver_sql(f"SELECT * FROM {table} WHERE pg_temp.seen(county_id)").all()
        connection.exec_driver_sql(f"SELECT * FROM {table} WHERE 1 / (county_id <> '{OTHER}')::integer = 1").all()
        connection.exec_driver_sql("DROP FUNCTION pg_temp.seen")


@pytest.mark.parametrize("place", ["indexes", "foreign keys"])
def test_no_constraint_tells_of_another_countys_row(counties: MigratedDatabase, place: str) -> None:
    """A unique index or a foreign key across counties would refuse what another county has."""
    columns, which = {
        "indexes": ("i.indkey", "pg_index i WHERE i.indisunique AND i.indrelid"),
        "foreign keys": ("i.conkey", "pg_constraint i WHERE i.contype = 'f' AND i.conrelid"),
    }[place]
    relation = {"indexes": "i.indrelid", "foreign keys": "i.conrelid"}[place]
    with unit_of_work(COUNTY) as connection:
        across = connection.exec_driver_sql(
            f"SELECT {relation}::regclass::text FROM {which} IN (SELECT oid FROM pg_class WHERE relnamespace ="
            " 'public'::regnamespace AND relname <> 'alembic_version') AND NOT EXISTS (SELECT FROM pg_attribute a"
            f" WHERE a.attrelid = {relation} AND a.attname = 'county_id' AND a.attnum = ANY ({columns}))"
        ).all()
    assert across == []


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE terrafusion_owner",
        "SET ROLE postgres",
        "SET ROLE pg_read_all_data",
        "SET SESSION AUTHORIZATION terrafusion_owner",
        "GRANT terrafusion_owner TO terrafusion_app",
        "ALTER ROLE terrafusion_app BYPASSRLS",
        "ALTER TABLE jobs DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON jobs",
        "CREATE POLICY mine ON jobs USING (true)",
        "ALTER TABLE jobs OWNER TO terrafusion_app",
        "CREATE TRIGGER mine BEFORE INSERT ON jobs EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE mine AS ON SELECT TO jobs DO INSTEAD SELECT * FROM jobs",
        "CREATE TABLE public.mine AS SELECT * FROM jobs",
        "CREATE FUNCTION public.mine() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "CREATE EXTENSION dblink",
        "TRUNCATE jobs",
        "SET LOCAL row_security = off; SELECT * FROM jobs",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_largeobject",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT lo_import('PG_VERSION')",
        "COPY jobs TO '/tmp/jobs'",
        "COPY jobs FROM PROGRAM 'true'",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SET session_replication_role = replica",
        "SELECT * FROM pg_stat_get_activity(NULL) WHERE query LIKE '%nothing%' AND pg_read_server_files() IS NULL",
        "CREATE SUBSCRIPTION mine CONNECTION 'host=localhost' PUBLICATION p WITH (connect = false)",
    ],
)
def test_the_applications_role_cannot_leave(counties: MigratedDatabase, statement: str) -> None:
    with pytest.raises(DBAPIError, match=DENIED), unit_of_work(COUNTY) as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "RESET app.county_id",
        "SET LOCAL app.county_id TO DEFAULT",
        "RESET ALL",
        "SET LOCAL app.county_id = ''",
        "SET LOCAL app.county_id = '%'",
        f"SET LOCAL app.county_id = '{COUNTY} {OTHER}'",
        f"SET LOCAL app.county_id = '{OTHER} '",
        f"SET LOCAL app.county_id = '{OTHER.upper()}'",
    ],
)
def test_a_tenant_that_is_none_opens_no_tenant_table(counties: MigratedDatabase, statement: str) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.exec_driver_sql(statement)
        closed = [table for table in TABLES if table not in OF_SEVERAL_COUNTIES]
        assert {table: _foreign_rows(connection, table) for table in closed} == dict.fromkeys(closed, 0)


def test_statistics_of_other_counties_rows_are_not_shown(counties: MigratedDatabase) -> None:
    owner = make_engine(counties.owner_url)
    with owner.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    owner.dispose()
    with unit_of_work(COUNTY) as connection:
        for view in ("pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"):
            shown = connection.exec_driver_sql(f"SELECT * FROM {view} WHERE schemaname = 'public'").all()
            assert [row for row in shown if row.tablename != "alembic_version"] == []
    with pytest.raises(DBAPIError, match="permission denied"), unit_of_work(COUNTY) as connection:
        connection.exec_driver_sql("SELECT * FROM pg_statistic")


def test_a_connection_carries_nothing_to_the_next_county(counties: MigratedDatabase) -> None:
    """Neither after an error, nor by a prepared statement that was planned for the other county."""
    counting = text("SELECT count(*) FROM valuations WHERE method LIKE :pattern")
    broken = ("SELECT 1 / 0", "SELEC", "SELECT * FROM nothing", "SAVEPOINT s")
    for statement in broken * 2:
        with suppress(DBAPIError), unit_of_work(OTHER) as connection:
            connection.exec_driver_sql(statement)
        for opened in (unit_of_work, reading):
            with opened(COUNTY) as connection:
                assert connection.scalar(counting, {"pattern": "%"}) == 0
            with opened(OTHER) as connection:
                assert connection.scalar(counting, {"pattern": "%"}) > 0
        with engine.engine().connect() as connection:
            assert connection.scalar(counting, {"pattern": "%"}) == 0


def test_no_temporary_table_outlives_its_transaction(counties: MigratedDatabase) -> None:
    """One that did would be found in place of the county's own by the next one's statements."""
    with engine.engine().connect() as connection:
        left = connection.exec_driver_sql("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()").all()
    assert left == []
