"""Bringing a database to the newest schema."""

import subprocess
import sys

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from infra.local.postgres import LocalPostgres
from infra.settings import ROOT
from shared.db.engine import make_engine
from shared.db.migrate import _make_application_role, configuration, upgrade
from tests.conftest import APPLICATION_PASSWORD

MIGRATE = """
import sys
from sqlalchemy.engine import make_url
from shared.db.migrate import upgrade
upgrade(make_url(sys.argv[1]), sys.argv[2])
"""


def test_an_older_schema_is_brought_to_the_newest(postgres_server: LocalPostgres) -> None:
    postgres_server.create_database("of_an_older_version")
    url = postgres_server.owner_url("of_an_older_version")
    engine = make_engine(url)
    with engine.begin() as connection:
        _make_application_role(connection, APPLICATION_PASSWORD)
        first = ScriptDirectory.from_config(configuration(connection)).get_bases()[0]
        command.upgrade(configuration(connection), first)

    upgrade(url, APPLICATION_PASSWORD)

    with engine.connect() as connection:
        heads = ScriptDirectory.from_config(configuration(connection)).get_heads()
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == heads
    engine.dispose()
    postgres_server.drop_database("of_an_older_version")


def test_migrations_at_the_same_time_wait_for_each_other(postgres_server: LocalPostgres) -> None:
    postgres_server.create_database("migrated_by_two")
    url = postgres_server.owner_url("migrated_by_two")
    migrate = [sys.executable, "-c", MIGRATE, url.render_as_string(hide_password=False), APPLICATION_PASSWORD]

    both = [subprocess.Popen(migrate, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [item.communicate()[1] for item in both]

    assert [item.returncode for item in both] == [0, 0], errors
    engine = make_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()
    postgres_server.drop_database("migrated_by_two")
