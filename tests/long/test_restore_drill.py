"""A restore that was tried: the database is dumped, lost with its folder, restored elsewhere, and compared.

On AWS a snapshot does what `pg_dump` does here; what is proven is that nothing which a restored database needs lies
outside of it: roles, policies, triggers, and the password that the migration gives the application's role anew.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from infra.local.postgres import LocalPostgres
from infra.local.postgres_binaries import program_folder
from shared.db import unit_of_work
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from tests.conftest import APPLICATION_PASSWORD, OWNER, TEMPLATE, database_like
from tests.figures import RecordFigure
from tests.integration.evidence_county import COUNTY, add_county, add_evidence

pytestmark = pytest.mark.long

COPIES = 200
"""Of the synthetic county's 500 parcels: 100,000 and their sales, a county of ordinary size."""
MAX_RESTORE_S = 60
"""A choice, of the order of a failover; AWS adds some 20 minutes, in which it makes an instance from a snapshot."""
RESTORED = "terrafusion"


def test_a_database_that_is_lost_is_restored_whole_from_its_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: RecordFigure
) -> None:
    tmp_path.chmod(0o711)  # PostgreSQL's own account has to pass, where it is another one
    dump, roles = tmp_path / "terrafusion.dump", tmp_path / "roles.sql"
    with LocalPostgres(tmp_path / "lost") as server:
        server.create_owner(OWNER, "terrafusion_unused")
        server.create_database(TEMPLATE)
        upgrade(server.owner_url(TEMPLATE), APPLICATION_PASSWORD)
        with database_like(TEMPLATE, server, monkeypatch) as database:
            _fill(server.admin_url.set(database=database.name))
            before = _digests(server.admin_url.set(database=database.name))
            dumped_at = time.monotonic()
            _run("pg_dumpall", server.admin_url, "--roles-only", "--no-role-passwords", "--file", str(roles))
            _run("pg_dump", server.admin_url, "--format=custom", "--file", str(dump), database.name)
            figure("dump", time.monotonic() - dumped_at, "s")
    shutil.rmtree(tmp_path / "lost")

    lost_at = time.monotonic()
    with LocalPostgres(tmp_path / "restored") as server:
        _run("psql", server.admin_url, "--quiet", "--file", str(roles), "postgres")
        server.create_owner(OWNER, RESTORED)
        _run("pg_restore", server.admin_url, "--jobs=2", "--exit-on-error", f"--dbname={RESTORED}", str(dump))
        upgrade(server.owner_url(RESTORED), APPLICATION_PASSWORD)
        restored_in = time.monotonic() - lost_at
        after = _digests(server.admin_url.set(database=RESTORED))
        rows = {county: _rows_seen_by(county, server.owner_url(RESTORED)) for county in (COUNTY, "lucas_oh")}

    figure("rows", sum(count for count, _ in before.values()))
    figure("dump's size", dump.stat().st_size / 2**20, "MB")
    figure("lost to serving", restored_in, "s", limit=MAX_RESTORE_S)
    assert after == before
    assert rows == {COUNTY: 500 * (COPIES + 1), "lucas_oh": 0}, "row-level security is restored with the rows"
    assert restored_in < MAX_RESTORE_S


def _fill(superuser: URL) -> None:
    add_county()
    add_evidence()
    with unit_of_work(COUNTY) as connection:
        assert connection.scalar(text("SELECT count(*) FROM properties_operational")) == 500
    engine = make_engine(superuser)
    with engine.begin() as connection:
        for table, key in (("properties_operational", "property_id"), ("sales", "sale_id")):
            names = connection.scalars(
                text(
                    "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) AND attnum > 0"
                    " AND NOT attisdropped AND attgenerated = '' AND attidentity = ''"
                ),
                {"table": table},
            )
            columns = list(names)
            copied = ", ".join(f"t.{key} || '-' || n" if name == key else f"t.{name}" for name in columns)
            connection.execute(
                text(
                    f"INSERT INTO {table} ({', '.join(columns)}) SELECT {copied}"
                    f" FROM {table} t, generate_series(1, {COPIES}) n"
                )
            )
    engine.dispose()


def _digests(superuser: URL) -> dict[str, tuple[int, str]]:
    """Rows of each table, and a digest of them in any order."""
    engine = make_engine(superuser)
    with engine.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"))
        digest = "SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM {} t"
        result = {name: connection.execute(text(digest.format(name))).one() for name in list(tables)}
    engine.dispose()
    return {name: (count, value) for name, (count, value) in result.items()}


def _rows_seen_by(county: str, owner: URL) -> int:
    """Parcels that the application's role sees as a county."""
    engine = make_engine(owner.set(username="terrafusion_app", password=APPLICATION_PASSWORD))
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('app.county_id', :county, true)"), {"county": county})
        seen = connection.scalar(text("SELECT count(*) FROM properties_operational"))
    engine.dispose()
    assert isinstance(seen, int)
    return seen


def _run(program: str, server: URL, *arguments: str) -> None:
    where = ["--host", str(server.host), "--port", str(server.port), "--username", str(server.username)]
    path = program_folder(Path("/nonexistent")) / program
    environment = {**os.environ, "PGPASSWORD": str(server.password)}
    ended = subprocess.run(
        [str(path), *where, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
