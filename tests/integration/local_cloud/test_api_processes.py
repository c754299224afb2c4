"""The processes of the API's functions: as many as there are requests at a time, each with one."""

import io
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from infra.local.gateway import ApiIdentity, Gateway, GatewayServer, TokenVerifier, listen, processes
from infra.local.gateway.processes import SPARE_PROCESSES, ApiProcesses
from infra.local.rest_api import RestApi, Route
from infra.local.template import Function
from tests.integration.local_cloud import api_functions
from tests.integration.local_cloud.processes import wait_until_ended
from tests.polling import eventually

TIMEOUT = 4.0
HANDLERS = {"/v1/items/{item_id}": "resolve", "/v1/sleep": "sleep", "/v1/die": "die", "/v1/compute": "compute"}


@dataclass
class Served:
    """A gateway with its functions."""

    address: str
    processes: ApiProcesses

    client: httpx.Client

    def get(self, path: str) -> httpx.Response:
        return self.client.get(self.address + path)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    functions = [
        Function(name, name, f"arn:{name}", f"{api_functions.__name__}.{name}", {}, TIMEOUT, 128)
        for name in HANDLERS.values()
    ]
    routes = tuple(Route("GET", path, f"arn:{name}", None) for path, name in HANDLERS.items())
    log = tmp_path_factory.mktemp("log") / "api.log"
    verifier = TokenVerifier("nobody", frozenset(), {})
    with listen(0) as listening, ApiProcesses(ApiIdentity("api", "dev"), functions, {}, log) as api:
        server = GatewayServer(Gateway(RestApi("api", "dev", routes, {}), verifier, api, io.StringIO()), listening)
        server.start()
        with httpx.Client(timeout=30, limits=httpx.Limits(max_connections=64)) as client:
            yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", api, client)
        server.stop()
        below = [psutil.Process(pid) for pid in api.pids if psutil.pid_exists(pid)]
    assert wait_until_ended(below) == []


def test_requests_at_the_same_time_never_get_each_others_answers(served: Served) -> None:
    def ask(tenant: int) -> list[bool]:
        with httpx.Client() as client:
            wanted = [{"item": f"{tenant}-{number}", "tenant": str(tenant)} for number in range(40)]
            headers = {"X-Tenant": str(tenant)}
            url = f"{served.address}/v1/items"
            return [client.get(f"{url}/{each['item']}", headers=headers).json() == each for each in wanted]

    with ThreadPoolExecutor(8) as threads:
        answered = [right for answers in threads.map(ask, range(8)) for right in answers]
    assert len(answered) == 320
    assert all(answered)


def test_slow_requests_hold_up_nobody_else(served: Served) -> None:
    with ThreadPoolExecutor(3) as threads:
        slow = [threads.submit(served.get, "/v1/sleep?seconds=3") for _ in range(3)]
        time.sleep(0.2)
        quick = [served.get("/v1/sleep?seconds=0").status_code for _ in range(30)]
        still_slow = [not each.done() for each in slow]

    assert quick == [200] * 30
    assert still_slow == [True] * 3
    assert len({each.result().text for each in slow}) == 3  # each in a process of its own


def test_more_requests_than_processes_wait_for_their_turn(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert eventually(lambda: len(served.processes.pids) > 0) or served.get("/v1/sleep?seconds=0")
    monkeypatch.setattr(processes, "MAX_PROCESSES", max(2, len(served.processes.pids)))

    with ThreadPoolExecutor(30) as threads:
        answers = list(threads.map(lambda _: served.get("/v1/sleep?seconds=0.02"), range(60)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) <= processes.MAX_PROCESSES


def test_a_process_that_dies_fails_its_own_request_alone(served: Served) -> None:
    assert served.get("/v1/die").status_code == 502
    assert served.get("/v1/sleep?seconds=0").status_code == 200


def test_a_function_that_overruns_its_timeout_is_ended(served: Served) -> None:
    answer = served.get(f"/v1/sleep?seconds={TIMEOUT + 20}")

    assert answer.status_code == 504
    assert eventually(lambda: all(psutil.pid_exists(pid) for pid in served.processes.pids))


def test_a_library_with_threads_works_in_every_process(served: Served) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: served.get("/v1/compute").text, range(8)))
    assert answers == [str(sum(range(100_000)))] * 8


def test_the_process_that_forks_may_be_killed(served: Served) -> None:
    assert served.processes._forking is not None
    before = served.processes._forking.pid
    os.kill(before, signal.SIGKILL)

    assert eventually(lambda: served.processes.pids == [])  # the kernel ended those that it had forked
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: served.get("/v1/sleep?seconds=0.3"), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert served.processes._forking.pid != before


def test_processes_that_have_nothing_to_do_end(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "IDLE_SECONDS", -0.9)  # they are looked at a second later
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: served.get("/v1/sleep?seconds=0.2"), range(6)))

    assert eventually(lambda: len(served.processes.pids) == SPARE_PROCESSES)
    assert served.get("/v1/sleep?seconds=0").status_code == 200


def test_the_log_has_what_went_wrong(served: Served, tmp_path: Path) -> None:
    assert served.get("/v1/sleep").status_code == 502  # no such parameter

    assert "queryStringParameters" in served.processes._log.read_text()
