"""The custom resource's handler, on a real database."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from functions.migrations.handler import handler
from infra.local.postgres import LocalPostgres
from shared.db.engine import make_engine
from shared.settings import settings

PASSWORD = "the application's own"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """A server of its own: the application's role, and so its password, is the whole server's."""
    with LocalPostgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        server.create_owner("terrafusion_owner", "terrafusion")
        yield server


@pytest.fixture
def owner(server: LocalPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """A connection to an empty database that the two secrets of the migration lead to."""
    from functions.migrations import service

    server.create_database("to_migrate")
    url = server.owner_url("to_migrate")
    urls = {
        "owner": url.set(database="postgres"),  # as RDS's own secret, whose cluster is made without a database
        "application": url.set(username="terrafusion_app", password=PASSWORD),
    }
    monkeypatch.setenv("DATABASE_OWNER_SECRET_ARN", "owner")
    monkeypatch.setenv("DATABASE_SECRET_ARN", "application")
    settings.cache_clear()
    monkeypatch.setattr(service, "database_url", urls.__getitem__)
    engine = make_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()
    settings.cache_clear()
    server.drop_database("to_migrate")


def _tables(connection: Connection) -> set[str]:
    tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    names = set(tables)
    connection.rollback()
    return names


def test_create_and_update_bring_the_schema_and_are_idempotent(owner: Connection) -> None:
    answers = [handler({"RequestType": kind}, None) for kind in ("Create", "Update", "Update")]

    assert {"counties", "properties_operational", "sync_runs"} <= _tables(owner)
    assert len({json.dumps(answer) for answer in answers}) == 1  # a new physical id would delete the old one


def test_a_new_cluster_gets_a_database_that_orders_texts_as_every_other_does(
    owner: Connection, server: LocalPostgres
) -> None:
    owner.close()
    owner.engine.dispose()
    server.drop_database("to_migrate")

    for _ in range(2):
        handler({"RequestType": "Create"}, None)

    described = text(
        "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'to_migrate'"
    )
    with owner.engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(described)] == [("b", "C.UTF-8", "UTF8")]


def test_a_running_function_takes_a_rotated_password_from_the_secret(owner: Connection, server: LocalPostgres) -> None:
    handler({"RequestType": "Create"}, None)
    secret = server.owner_url("to_migrate").set(username="terrafusion_app", password=PASSWORD)
    engine = make_engine(secret, renewed=lambda: secret.set(password="rotated"))
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    owner.execute(text("ALTER ROLE terrafusion_app PASSWORD 'rotated'"))
    owner.commit()

    for _ in range(2):
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        engine.dispose()

    with pytest.raises(DBAPIError, match="28P01"):
        make_engine(secret).connect()


def test_delete_leaves_the_data_alone(owner: Connection) -> None:
    handler({"RequestType": "Create"}, None)
    before = _tables(owner)

    handler({"RequestType": "Delete", "PhysicalResourceId": "terrafusion-schema"}, None)

    assert _tables(owner) == before


def test_a_release_finds_its_database_migrated_by_a_later_one_and_leaves_it(
    owner: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    handler({"RequestType": "Create"}, None)
    owner.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    owner.commit()
    before = _tables(owner)

    handler({"RequestType": "Update"}, None)

    assert _tables(owner) == before
    assert owner.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    assert vars(caplog.records[-1])["revision"] == "9999"


def test_a_migration_that_fails_fails_the_deployment(owner: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_OWNER_SECRET_ARN")

    with pytest.raises(KeyError, match="DATABASE_OWNER_SECRET_ARN"):
        handler({"RequestType": "Create"}, None)
