"""The third lock: row-level security, on every table that holds a county's rows."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from shared.db import reading, unit_of_work
from shared.db.driver import PreparingConnection
from shared.db.engine import make_engine
from shared.db.migrate import configuration
from shared.db.models import Model
from tests.conftest import MigratedDatabase

ADD_JOB = text(
    "INSERT INTO jobs (county_id, job_id, kind, status, parameters, request_digest, submitted_by)"
    " VALUES (:county, gen_random_uuid(), 'report', 'pending', '{}', '', 'somebody')"
)
COUNT_JOBS = text("SELECT count(*) FROM jobs")


@pytest.fixture
def owner(database: MigratedDatabase) -> Iterator[Connection]:
    engine = make_engine(database.owner_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_every_table_with_a_county_forces_row_level_security(owner: Connection) -> None:
    tables = owner.execute(
        text(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,"
            " (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*') AS policies"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'county_id'"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
        )
    ).all()

    assert {row.relname for row in tables} == set(Model.metadata.tables)
    unprotected = [r.relname for r in tables if not (r.relrowsecurity and r.relforcerowsecurity and r.policies == 1)]
    assert unprotected == []


def test_the_models_and_the_migrations_describe_the_same_tables(owner: Connection) -> None:
    from alembic import command

    command.check(configuration(owner))


def test_the_application_owns_no_table_and_cannot_bypass_row_level_security(owner: Connection) -> None:
    role = owner.execute(
        text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = 'terrafusion_app'")
    ).one()
    owned = owner.scalar(text("SELECT count(*) FROM pg_tables WHERE tableowner = 'terrafusion_app'"))

    assert tuple(role) == (False, False, False)
    assert owned == 0


def test_a_county_sees_its_own_rows_only(database: MigratedDatabase) -> None:
    with unit_of_work("king_wa") as connection:
        connection.execute(ADD_JOB, {"county": "king_wa"})

    with unit_of_work("king_wa") as connection:
        assert connection.scalar(COUNT_JOBS) == 1
    with unit_of_work("lucas_oh") as connection:
        assert connection.scalar(COUNT_JOBS) == 0


def test_a_county_cannot_write_a_row_of_another(database: MigratedDatabase) -> None:
    with (
        pytest.raises(DBAPIError, match="row-level security"),
        unit_of_work("lucas_oh") as connection,
    ):
        connection.execute(ADD_JOB, {"county": "king_wa"})


def test_without_a_tenant_there_are_no_rows_whoever_used_the_connection_before(database: MigratedDatabase) -> None:
    with unit_of_work("king_wa") as connection:
        connection.execute(ADD_JOB, {"county": "king_wa"})
    from shared.db.engine import engine

    for _ in range(3):
        with engine().connect() as connection:
            assert connection.scalar(COUNT_JOBS) == 0


def test_a_list_of_counties_opens_no_tenant_table(database: MigratedDatabase) -> None:
    with unit_of_work("king_wa") as connection:
        connection.execute(ADD_JOB, {"county": "king_wa"})

    with unit_of_work("king_wa", "lucas_oh") as connection:
        assert connection.scalar(COUNT_JOBS) == 0


def test_a_county_id_that_is_sql_is_only_a_name(database: MigratedDatabase) -> None:
    with unit_of_work("x', true); DROP TABLE jobs; --") as connection:
        assert connection.scalar(COUNT_JOBS) == 0


def test_an_exception_leaves_nothing_behind(database: MigratedDatabase) -> None:
    def adds_and_fails() -> None:
        with unit_of_work("king_wa") as connection:
            connection.execute(ADD_JOB, {"county": "king_wa"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        adds_and_fails()

    with unit_of_work("king_wa") as connection:
        assert connection.scalar(COUNT_JOBS) == 0


def test_a_commit_that_fails_on_its_way_leaves_no_transaction_behind(
    database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: PreparingConnection) -> None:
        raise MemoryError

    def add() -> None:
        with monkeypatch.context() as patch, unit_of_work("king-wa") as connection:
            connection.execute(ADD_JOB, {"county": "king-wa"})
            patch.setattr(PreparingConnection, "commit", fail)

    with pytest.raises(MemoryError):
        add()

    with make_engine(database.owner_url).connect() as owner:
        owner.exec_driver_sql("SET lock_timeout = '5s'")
        owner.exec_driver_sql("LOCK TABLE jobs")  # nobody holds a row of it
    with unit_of_work("king-wa") as connection:
        assert connection.scalar(COUNT_JOBS) == 0


def test_a_connection_that_died_idle_is_replaced_before_anything_is_done(database: MigratedDatabase) -> None:
    with unit_of_work("king_wa") as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    killer = make_engine(database.application_url)
    with killer.connect() as connection:
        ended = connection.scalar(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})  # and waits for it
    killer.dispose()
    assert ended

    with unit_of_work("king_wa") as connection:
        assert connection.scalar(COUNT_JOBS) == 0


_JOBS_OF = text("SELECT count(*) FROM jobs WHERE kind = :kind")
_DIVIDE = text("SELECT 1 / CAST(:by AS integer)")


def test_reads_see_the_county_only_and_leave_no_tenant_behind(database: MigratedDatabase) -> None:
    from shared.db.engine import engine

    with unit_of_work("king_wa") as connection:
        connection.execute(ADD_JOB, {"county": "king_wa"})
    for _ in range(2):  # the second time the statement is prepared
        with reading("lucas_oh") as connection:
            assert connection.scalar(_JOBS_OF, {"kind": "report"}) == 0
        with reading("king_wa") as connection:
            assert [connection.scalar(_JOBS_OF, {"kind": "report"}) for _ in range(2)] == [1, 1]
            assert connection.scalar(COUNT_JOBS) == 1
        with engine().connect() as connection:
            assert connection.scalar(_JOBS_OF, {"kind": "report"}) == 0


def test_reads_see_what_was_committed_between_them(database: MigratedDatabase) -> None:
    with reading("king_wa") as connection:
        before = connection.scalar(_JOBS_OF, {"kind": "report"})
        with unit_of_work("king_wa") as other:
            other.execute(ADD_JOB, {"county": "king_wa"})
        assert (before, connection.scalar(_JOBS_OF, {"kind": "report"})) == (0, 1)


def test_reads_cannot_write(database: MigratedDatabase) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"), reading("king_wa") as connection:
        connection.execute(ADD_JOB, {"county": "king_wa"})


def test_a_read_that_fails_says_why_and_the_next_one_answers(database: MigratedDatabase) -> None:
    for _ in range(2):
        with reading("king_wa") as connection:
            with pytest.raises(DBAPIError, match="division by zero"):
                connection.execute(_DIVIDE, {"by": 0})
            assert connection.scalar(_DIVIDE, {"by": 1}) == 1


def test_a_prepared_statement_that_fails_fails_its_unit_of_work_alone(database: MigratedDatabase) -> None:
    for _ in range(2):
        with pytest.raises(DBAPIError, match="division by zero"), unit_of_work("king_wa") as connection:
            connection.execute(_DIVIDE, {"by": 0})
        with unit_of_work("king_wa") as connection:
            assert connection.scalar(_DIVIDE, {"by": 1}) == 1


def test_audit_events_can_be_added_but_neither_changed_nor_removed(database: MigratedDatabase) -> None:
    from shared import audit

    with unit_of_work("king_wa") as connection:
        audit.record(connection, "king_wa", "somebody", "roll.closed", "rolls/2026", {})

    for statement in ("UPDATE audit_events SET actor = 'nobody'", "DELETE FROM audit_events"):
        with pytest.raises(DBAPIError, match="permission denied"), unit_of_work("king_wa") as connection:
            connection.execute(text(statement))
