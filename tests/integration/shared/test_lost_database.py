"""A database that is away, silent or busy, as requests and tasks meet it; between them is a proxy that misbehaves."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from shared.access import Permission
from shared.api import Api, answer
from shared.counties.request_budget import COUNTY_BUCKETS, RequestBudget
from shared.db import DatabaseBusy, DatabaseUnavailable, driver, engine, reading, unit_of_work
from shared.db.engine import make_engine
from shared.db.limits import Limits, limited
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.loopback_proxy import LoopbackProxy, proxied

QUICK = Limits(connect_s=1, first_answer_s=0.4, statement_s=0.6, lock_s=0.3)
"""The limits of a request, for tests that wait for them."""
SILENT = Limits(connect_s=0.3, first_answer_s=0.3)
"""Those of a task."""

Begin = Callable[[str], AbstractContextManager[Connection]]

api = Api("lost_database")
asked: list[str] = []


@api.get("/v1/read", permission=None, summary="Read")
def read(statement: str = "SELECT 1") -> Any:
    """One statement in a transaction."""
    asked.append("read")
    with unit_of_work("king_wa") as connection:
        return answer({"found": connection.scalar(text(statement))})


@api.get("/v1/counties/{county_id}/read", permission=Permission.VIEW_PROPERTIES, summary="Read")
def read_of_county(county_id: str) -> Any:
    """One statement in a transaction of a county."""
    with unit_of_work(county_id) as connection:
        return answer({"found": connection.scalar(text("SELECT 1"))})


@api.post("/v1/write", permission=None, summary="Write")
def write() -> Any:
    """One statement that writes."""
    asked.append("write")
    with unit_of_work("king_wa") as connection:
        connection.execute(text("CREATE TEMPORARY TABLE scratch (number integer)"))
    return answer({})


@pytest.fixture
def proxy(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProxy]:
    """The way to the database."""
    port = database.application_url.port
    assert port is not None
    with proxied(port) as made:
        monkeypatch.setattr(engine, "database_url", lambda _: database.application_url.set(port=made.port))
        engine.forget_engine()
        asked.clear()
        yield made
        engine.forget_engine()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.api.resolver.REQUEST", QUICK)


def get(statement: str = "SELECT 1") -> Answer:
    return call(api.handler, "GET", "/v1/read", query={"statement": statement})


def post() -> Answer:
    return call(api.handler, "POST", "/v1/write", body={})


def unavailable(answered: Answer, slug: str = "database-unavailable") -> bool:
    assert answered.headers["content-type"] == "application/problem+json"
    assert int(answered.headers["retry-after"]) > 0
    return (answered.status, answered.body["type"]) == (503, f"urn:terrafusion:problem:{slug}")


def test_a_read_whose_pooled_connection_fell_silent_is_answered_on_a_fresh_one(
    proxy: LoopbackProxy, quick: None
) -> None:
    assert get().status == 200
    proxy.swallow()
    began = time.monotonic()

    answered = get()

    assert (answered.status, answered.body) == (200, {"found": 1})
    assert (asked, proxy.accepted) == (["read"] * 3, 2)
    assert time.monotonic() - began < 15


def test_a_slow_database_slows_requests_and_fails_none(proxy: LoopbackProxy, quick: None) -> None:
    proxy.delay_s = 0.05
    began = time.monotonic()

    assert [get().status, get().status, post().status] == [200, 200, 200]
    assert time.monotonic() - began > 6 * proxy.delay_s


def test_a_failover_to_another_address_is_followed(
    database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    """The name of the cluster leads to another machine; the one before hears nothing and says nothing any more."""
    current, resolve, port = ["127.0.0.1"], socket.getaddrinfo, database.application_url.port or 0

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve(current[0] if host == "cluster.test" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with proxied(port) as first, proxied(port, ("127.0.0.2", first.port)) as second:
        url = database.application_url.set(host="cluster.test", port=first.port)
        monkeypatch.setattr(engine, "database_url", lambda _: url)
        engine.forget_engine()
        assert (get().status, post().status, second.accepted) == (200, 200, 0)

        first.swallow()
        first.swallows_new = True
        current[0] = "127.0.0.2"

        assert unavailable(post()), "whether it was done is not known"
        assert [get().status, post().status] == [200, 200]
        assert (first.accepted, second.accepted) == (1, 1)
        engine.forget_engine()


def test_a_countys_share_is_no_further_wait_where_the_database_fell_silent(
    proxy: LoopbackProxy, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTY_REQUESTS_PER_SECOND", "50")
    settings.cache_clear()
    monkeypatch.setattr("shared.api.resolver._county_budget", RequestBudget(COUNTY_BUCKETS))
    path = {"path": {"county_id": "king_wa"}, "claims": claims_of()}
    with unit_of_work("king_wa"), unit_of_work("king_wa"):  # two connections in the pool
        pass
    proxy.swallow()
    began = time.monotonic()

    assert call(api.handler, "GET", "/v1/counties/{county_id}/read", **path).status == 200
    assert time.monotonic() - began < 10 * QUICK.first_answer_s
    settings.cache_clear()


def test_a_read_is_made_again_once_and_no_more(proxy: LoopbackProxy, quick: None) -> None:
    get()
    proxy.swallow()
    proxy.swallows_new = True
    began = time.monotonic()

    assert unavailable(get())

    assert len(asked) == 3
    assert time.monotonic() - began < 20


def test_a_write_whose_connection_fell_silent_is_not_made_again(proxy: LoopbackProxy, quick: None) -> None:
    assert post().status == 200
    proxy.swallow()

    assert unavailable(post())
    assert asked == ["write"] * 2
    assert post().status == 200


def test_a_task_does_not_wait_for_a_server_that_says_nothing(proxy: LoopbackProxy) -> None:
    for begin in (unit_of_work, reading):
        with begin("king_wa") as connection:
            connection.execute(text("SELECT :one"), {"one": 1})
        proxy.swallow()
        with limited(SILENT), pytest.raises(DatabaseUnavailable), begin("king_wa") as connection:
            connection.execute(text("SELECT :one"), {"one": 1})


def test_a_connection_that_rested_for_a_minute_by_the_wall_clock_is_replaced(
    proxy: LoopbackProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    get()
    get()
    assert proxy.accepted == 1
    now = time.time()
    for passed, connections in ((59, 1), (130, 2), (-10, 3)):
        monkeypatch.setattr(driver, "time", type("Clock", (), {"time": staticmethod(lambda at=now + passed: at)}))
        get()
        assert proxy.accepted == connections


def test_a_database_that_is_gone_is_no_fault_of_the_request_and_comes_back(
    database: MigratedDatabase, proxy: LoopbackProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get().status == 200
    proxy.close()

    assert unavailable(get())
    assert unavailable(post())

    with proxied(database.application_url.port or 0) as again:
        url = database.application_url.set(port=again.port)
        monkeypatch.setattr(engine, "database_url", lambda _: url)
        engine.forget_engine()
        assert get().status == 200
        engine.forget_engine()


def test_a_connection_that_ends_in_the_middle_is_told_as_lost(proxy: LoopbackProxy) -> None:
    def lose(begin: Begin) -> None:
        with begin("king_wa") as connection:
            connection.execute(text("SELECT :one"), {"one": 1})
            proxy.reset()
            connection.execute(text("SELECT :two"), {"two": 2})

    for begin in (unit_of_work, reading):
        with pytest.raises(DatabaseUnavailable):
            lose(begin)


def test_a_server_that_ends_connections_while_it_shuts_down_is_told_as_lost(database: MigratedDatabase) -> None:
    other = make_engine(database.application_url)

    def terminated() -> None:
        with unit_of_work("king_wa") as connection:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            with other.connect() as administrator:
                administrator.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            connection.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        terminated()
    other.dispose()
    with unit_of_work("king_wa") as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_writer_that_became_a_reader_is_left_for_another_connection(database: MigratedDatabase) -> None:
    def pid_of(*, as_reader: bool) -> int:
        with unit_of_work("king_wa") as connection:
            pid: int = connection.scalar(text("SELECT pg_backend_pid()"))
            if as_reader:
                connection.execute(text("SET TRANSACTION READ ONLY"))
                connection.execute(text("INSERT INTO job_partitions DEFAULT VALUES"))
            return pid

    before = pid_of(as_reader=False)
    with pytest.raises(DatabaseUnavailable):
        pid_of(as_reader=True)
    assert pid_of(as_reader=False) != before


def test_a_server_without_room_for_another_connection_is_told_as_unavailable(
    database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make_engine(database.owner_url)
    with owner.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {database.name} CONNECTION LIMIT 0"))
    owner.dispose()
    with pytest.raises(DatabaseUnavailable), unit_of_work("king_wa"):
        pass


def test_a_statement_that_takes_too_long_is_told_as_busy(database: MigratedDatabase, quick: None) -> None:
    assert unavailable(get("SELECT pg_sleep(5)"), "database-busy")
    assert get().status == 200


def test_a_lock_that_others_hold_is_told_as_busy(database: MigratedDatabase, quick: None) -> None:
    owner = make_engine(database.owner_url)
    with owner.connect() as other:
        other.execute(text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"))
        assert unavailable(get("SELECT count(*) FROM jobs"), "database-busy")
    owner.dispose()


def test_a_task_has_all_the_time_that_it_needs_on_the_connection_of_a_request(database: MigratedDatabase) -> None:
    assert get("SELECT current_setting('statement_timeout')").body == {"found": "20s"}
    assert get("SELECT current_setting('lock_timeout')").body == {"found": "10s"}
    with unit_of_work("king_wa") as connection:
        assert connection.scalar(text("SELECT current_setting('statement_timeout')")) == "0"


def test_a_deadlock_is_told_as_busy(database: MigratedDatabase) -> None:
    with pytest.raises(DatabaseBusy), unit_of_work("king_wa") as connection:
        connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))


def test_what_a_transaction_did_wrong_is_told_as_it_is(database: MigratedDatabase) -> None:
    with pytest.raises(ValueError, match="mine"), unit_of_work("king_wa"):
        raise ValueError("mine")
    assert get("SELECT 1 / 0").status == 500


def test_the_kernel_asks_after_a_server_that_is_quiet(database: MigratedDatabase) -> None:
    with unit_of_work("king_wa") as connection:
        sock = connection.connection.dbapi_connection._usock  # type: ignore[union-attr]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            items = [
                sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
            ]
            assert items == [60, 10, 3, 90_000]


def test_a_server_that_ends_the_handshake_is_told_as_unavailable(
    database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url: URL = database.application_url.set(port=listening.getsockname()[1])
        for query in ({"sslmode": "disable"}, {}):  # it accepts and says nothing
            monkeypatch.setattr(engine, "database_url", lambda _, query=query: url.set(query=query))
            engine.forget_engine()
            with limited(SILENT), pytest.raises(DatabaseUnavailable), unit_of_work("king_wa"):
                pass
