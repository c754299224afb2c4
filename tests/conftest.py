"""Fixtures of all tests: one PostgreSQL server a session, a fresh migrated database a test, one synthesis."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy.engine import URL

from infra.local.postgres import LocalPostgres
from infra.local.synthesis import synthesized
from tests.figures import figure  # noqa: F401 - a fixture
from tests.xdist_groups import pytest_cmdline_main, pytest_collection_modifyitems, pytest_xdist_make_scheduler  # noqa: F401 - hooks

# A busy machine is no fault of the code: speed is measured by benchmarks, not by tests. Nor is a rare draw: some
# properties are statistical, and hold for nearly all. The same draws each time, other ones for a changed test.
hypothesis_settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis_settings.load_profile("suite")

os.environ.setdefault("SOURCE_NETWORKS", "127.0.0.0/8")  # where the tests' own servers are
os.environ.setdefault("COUNTY_REQUESTS_PER_SECOND", "0")  # tests send as one county what a whole county sends in a day
os.environ.setdefault("COUNTY_ACTIVE_JOBS", "0")

LONG_MARKERS = ("long", "bundling")
APPLICATION_PASSWORD = "application-password"
OWNER = "terrafusion_owner"
TEMPLATE = "terrafusion_template"
MEMORY_NEEDED = 8 << 30


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what takes minutes, or downloads, but where it is asked for by name."""
    for marker in LONG_MARKERS:
        if item.get_closest_marker(marker) and marker not in str(item.config.option.markexpr):
            pytest.skip(f"asked for by name: pytest -m {marker}")


@dataclass(frozen=True)
class MigratedDatabase:
    """A database of a test's own. Open connections with `shared.db.engine.make_engine(url)`."""

    name: str
    owner_url: URL
    """As `terrafusion_owner`, who owns the tables. Row-level security is forced on it too."""
    application_url: URL
    """As `terrafusion_app`, what `unit_of_work` uses."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[LocalPostgres]:
    """A running server with the role `terrafusion_owner`, this process's own; its data is thrown away."""
    with (
        tempfile.TemporaryDirectory(prefix="terrafusion-postgres-", dir=_memory()) as folder,
        LocalPostgres(Path(folder), durable=False) as server,
    ):
        server.create_owner(OWNER, "terrafusion")
        yield server


def _memory() -> Path | None:
    """A folder in memory, where there is one with room: a database a test is copied there in a third of the time."""
    folder = Path("/dev/shm")  # noqa: S108 - TemporaryDirectory makes a folder of our own in it
    return folder if folder.is_dir() and shutil.disk_usage(folder).free > MEMORY_NEEDED else None


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of synthesized templates, with the development stage's in it."""
    cache = tmp_path_factory.mktemp("assemblies")
    synthesized(cache)
    return cache


@pytest.fixture(scope="session")
def migrated_template(postgres_server: LocalPostgres) -> str:
    """The name of a database with the newest schema, to copy from. Nothing may connect to it."""
    from shared.db.migrate import upgrade

    postgres_server.create_database(TEMPLATE)
    upgrade(postgres_server.owner_url(TEMPLATE), APPLICATION_PASSWORD)
    return TEMPLATE


@pytest.fixture
def database(
    postgres_server: LocalPostgres, migrated_template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MigratedDatabase]:
    """A fresh database with the newest schema; `shared.db.unit_of_work` works on it during the test."""
    with database_like(migrated_template, postgres_server, monkeypatch) as made:
        yield made


@contextmanager
def database_like(template: str, server: LocalPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[MigratedDatabase]:
    """A copy of a migrated database, on which `shared.db.unit_of_work` works, for as long as the context lasts."""
    from shared.db import engine
    from shared.settings import settings

    name = f"test_{uuid4().hex}"
    server.create_database(name, template=template)
    owner_url = server.owner_url(name)
    application_url = owner_url.set(username="terrafusion_app", password=APPLICATION_PASSWORD)
    monkeypatch.setenv("DATABASE_SECRET_ARN", name)
    monkeypatch.setattr(engine, "database_url", lambda _: application_url)
    settings.cache_clear()
    engine.forget_engine()
    yield MigratedDatabase(name, owner_url, application_url)
    engine.forget_engine()
    settings.cache_clear()
    server.drop_database(name)
