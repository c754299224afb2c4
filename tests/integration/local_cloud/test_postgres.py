"""The PostgreSQL server of the local cloud."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.local.postgres import LocalPostgres
from shared.db.engine import make_engine
from tests.integration.local_cloud.processes import wait_until_ended
from tests.polling import eventually


def test_the_owner_may_create_roles_but_is_no_superuser(postgres_server: LocalPostgres) -> None:
    engine = make_engine(postgres_server.owner_url())
    with engine.begin() as connection:
        row = connection.execute(
            text("SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).one()
    engine.dispose()
    assert tuple(row) == (False, True, False)


def test_a_wrong_password_is_refused(postgres_server: LocalPostgres) -> None:
    engine = make_engine(postgres_server.owner_url().set(password="guess"))
    with pytest.raises(DBAPIError, match="password authentication failed"), engine.connect():
        pass
    engine.dispose()


def test_passwords_lie_in_files_only_their_owner_reads(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path, durable=False) as server:
        server.create_owner("owner", "main")
        files = sorted((tmp_path / "postgres").glob("*.password"))
        assert [file.name for file in files] == ["owner.password", "superuser.password"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_copy_of_a_database_holds_its_rows(postgres_server: LocalPostgres) -> None:
    postgres_server.create_database("original")
    engine = make_engine(postgres_server.owner_url("original"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE parcel AS SELECT 42 AS acres"))
    engine.dispose()
    postgres_server.create_database("copied", template="original")
    engine = make_engine(postgres_server.owner_url("copied"))
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT acres FROM parcel")) == 42
    engine.dispose()


def test_it_is_not_started_from_a_thread_that_may_end_before_it(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux ties a child to the thread that started it")
    errors: list[BaseException] = []

    def start() -> None:
        try:
            LocalPostgres(tmp_path).start()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


PARENT = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from sqlalchemy import text
    from infra.local.postgres import LocalPostgres
    from shared.db.engine import make_engine

    with LocalPostgres(Path(sys.argv[1])) as server:
        server.create_owner("owner", "main")
        engine = make_engine(server.owner_url())
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS kept (number int)"))
            connection.execute(text("INSERT INTO kept VALUES (1)"))
        print(server.pid, flush=True)
        time.sleep(60)
""")


def test_killing_its_parent_leaves_no_server_and_loses_nothing_committed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd())
    assert parent.stdout is not None
    server_pid = int(parent.stdout.readline())
    server = psutil.Process(server_pid)
    assert server.name() == "postgres"
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()

    # the next start does not have to wait for the old server's end by itself
    with LocalPostgres(tmp_path) as again:
        again.create_owner("owner", "main")
        engine = make_engine(again.owner_url())
        with engine.begin() as connection:
            assert connection.scalar(text("SELECT count(*) FROM kept")) == 1
        engine.dispose()
    assert wait_until_ended([server]) == []


def test_a_lock_that_names_a_process_of_something_else_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path, durable=False):
        lock = (tmp_path / "postgres" / "cluster" / "postmaster.pid").read_text()
    stale = lock.split("\n", 1)
    (tmp_path / "postgres" / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n{stale[1]}")
    started = time.monotonic()
    with LocalPostgres(tmp_path, durable=False) as server:
        assert server.pid is not None
    assert time.monotonic() - started < 30


def test_a_killed_server_is_started_again_on_its_port_with_all_that_was_committed(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path) as server:
        server.create_owner("owner", "main")
        server.keep_running()
        engine = make_engine(server.owner_url())
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE kept (number int)"))
            connection.execute(text("INSERT INTO kept VALUES (1)"))
        killed, port = server.pid, server.port
        assert killed is not None
        os.kill(killed, signal.SIGKILL)

        def answers() -> bool:
            try:
                with engine.begin() as connection:
                    return bool(connection.scalar(text("SELECT count(*) FROM kept")) == 1)
            except DBAPIError:
                return False

        # an orphaned backend of the killed server may still answer on the open connection
        assert eventually(lambda: server.pid != killed, 10)
        assert eventually(answers, 10)
        assert server.pid != killed
        assert server.port == port
        engine.dispose()
        again = psutil.Process(server.pid or 0)
    assert wait_until_ended([again]) == []
