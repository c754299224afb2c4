"""The client's protocol, of both clients: sign-in, attempts, idempotency, pages, jobs, files and errors."""

import asyncio
import inspect
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from terrafusion import (
    AsyncClient,
    Client,
    ConflictError,
    DownloadError,
    InvalidRequestError,
    JobFailedError,
    NewPasswordRequiredError,
    NotFoundError,
    NotSignedInError,
    ServerError,
    StaleResourceError,
    TooManyRequestsError,
    UnreachableError,
    WaitTimeoutError,
    session,
)
from tests.scripted_api import TOKENS, Answer, Asked, in_turn, scripted_api

JOB = {"id": "1", "kind": "report", "links": {"self": "/v1/jobs/1", "results": "/v1/jobs/1/results"}, "error": None}
PARCEL = {"property_id": "P1", "total_value": "412345.10", "last_sale_date": "2014-05-02", "version": 3}


class Awaited:
    """An `AsyncClient`, or an object that it answers with, each of whose calls is run to its end."""

    def __init__(self, target: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._target = target
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        return (lambda *args, **options: self._ended(member(*args, **options))) if callable(member) else member

    def __getitem__(self, name: str) -> Any:
        return self._target[name]

    def __iter__(self) -> Iterator[Any]:
        items = aiter(self._target)
        while (item := self._loop.run_until_complete(anext(items, None))) is not None:
            yield item

    def _ended(self, result: Any) -> Any:
        if inspect.isawaitable(result):
            result = self._loop.run_until_complete(result)
        wrapped = type(result).__name__.startswith("Async") or hasattr(result, "__aiter__")
        return Awaited(result, self._loop) if wrapped else result


@pytest.fixture(params=[Client, AsyncClient])
def client_of(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes a client of either kind, whose calls block."""
    loop = asyncio.new_event_loop()
    made = []

    def make(url: str, **credentials: Any) -> Any:
        client = request.param(url, **(credentials or {"username": "itadmin", "password": "x"}))
        made.append(client if request.param is Client else Awaited(client, loop))
        return made[-1]

    yield make
    for client in made:
        client.close()
    loop.close()


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_PAUSE_SECONDS", "POLL_SECONDS"):
        monkeypatch.setattr(session, name, 0.0)


def paths(asked: list[Asked]) -> list[str]:
    return [request.path for request in asked]


def test_a_get_that_fails_for_a_while_is_asked_again(client_of: Any) -> None:
    with scripted_api(in_turn(Answer(502), Answer(503), Answer(500), Answer(200, {"status": "up"}))) as (url, asked):
        assert client_of(url).get("/v1/run") == {"status": "up"}
    assert paths(asked) == ["/v1/auth/login", *["/v1/run"] * 4]


def test_a_get_on_a_lost_connection_is_asked_again(client_of: Any) -> None:
    with scripted_api(in_turn(Answer(hang_up=True), Answer(200, 1))) as (url, asked):
        assert client_of(url).get("/v1/run") == 1
    assert len(asked) == 3


def test_a_post_is_sent_again_with_the_same_key_where_the_api_was_busy_or_lost(client_of: Any) -> None:
    with scripted_api(in_turn(Answer(503), Answer(hang_up=True), Answer(504), Answer(202, {"id": 1}))) as (url, asked):
        assert client_of(url).post("/v1/runs", {}) == {"id": 1}
        client_of(url).post("/v1/runs", {})

    keys = [request.headers["idempotency-key"] for request in asked if request.path == "/v1/runs"]
    assert len(keys) == 5
    assert len(set(keys[:4])) == 1
    assert keys[4] != keys[0]


def test_a_key_of_the_callers_own_is_sent_as_it_is(client_of: Any) -> None:
    with scripted_api(in_turn(Answer(202, {}))) as (url, asked):
        client_of(url).post("/v1/runs", {}, idempotency_key="night-1")
    assert asked[-1].headers["idempotency-key"] == "night-1"


@pytest.mark.parametrize("failing", [Answer(500), Answer(502), Answer(504), Answer(hang_up=True)])
def test_a_change_that_may_have_been_made_is_not_sent_again(client_of: Any, failing: Answer) -> None:
    with scripted_api(in_turn(failing)) as (url, asked):
        with pytest.raises((ServerError, UnreachableError)):
            client_of(url).request("PUT", "/v1/mapping", body={}, if_match='"1"')
        assert len(asked) == 2


def test_retry_after_is_waited_for(client_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(_self: object, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("terrafusion.transport.SyncTransport.sleep", sleep)
    monkeypatch.setattr("terrafusion.transport.AsyncTransport.sleep", sleep)
    busy = Answer(429, {"title": "Too many requests"}, {"Retry-After": "7"})
    with scripted_api(in_turn(busy, Answer(200, 1), Answer(429, {}, {"Retry-After": "86400"}))) as (url, asked):
        client = client_of(url)
        assert client.get("/v1/run") == 1
        assert waited == [7.0]
        with pytest.raises(TooManyRequestsError):  # a day is the caller's to wait for
            client.get("/v1/run")
        assert len(asked) == 4


def test_what_keeps_failing_is_raised_with_its_request(client_of: Any) -> None:
    failing = Answer(500, {"title": "Failed", "detail": "It is logged."})
    with scripted_api(in_turn(failing)) as (url, asked):
        with pytest.raises(ServerError, match=r"500 Failed: It is logged.\nThe request is request-1\."):
            client_of(url).get("/v1/run")
        assert len(asked) == session.ATTEMPTS + 2


def test_a_refusal_is_an_exception_of_its_status_with_slug_and_places(client_of: Any) -> None:
    faults = [{"pointer": "/body/from", "detail": "Write a day.", "rule": "form"}]
    problem = {"type": "urn:terrafusion:problem:invalid-request", "title": "Invalid", "detail": "See errors."}
    with scripted_api(in_turn(Answer(422, {**problem, "errors": faults, "request_id": "r-9"}))) as (url, asked):
        with pytest.raises(InvalidRequestError, match=r"/body/from: Write a day\.") as raised:
            client_of(url).post("/v1/runs", {})
        assert len(asked) == 2
    assert (raised.value.slug, raised.value.request_id) == ("invalid-request", "r-9")
    assert [(fault.pointer, fault.rule) for fault in raised.value.faults] == [("/body/from", "form")]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotFoundError), (409, ConflictError), (412, StaleResourceError), (428, StaleResourceError)],
)
def test_each_status_has_its_exception(client_of: Any, status: int, kind: type[Exception]) -> None:
    with scripted_api(in_turn(Answer(status, b"<html>no problem document</html>"))) as (url, _), pytest.raises(kind):
        client_of(url).get("/v1/run")


def test_a_session_outlives_its_access_token(client_of: Any) -> None:
    """A job may take hours, an access token ends within a quarter of one."""
    refused = [True]

    def answers(request: Asked) -> Answer:
        if request.path == "/v1/auth/refresh":
            return Answer(200, {**TOKENS, "access_token": "b"})
        return Answer(401) if refused and refused.pop() else Answer(200, request.headers["authorization"])

    with scripted_api(answers) as (url, asked):
        client = client_of(url)
        assert client.get("/v1/run") == "Bearer b"
        assert paths(asked) == ["/v1/auth/login", "/v1/run", "/v1/auth/refresh", "/v1/run"]


def test_a_token_is_renewed_before_it_expires(client_of: Any) -> None:
    def answers(request: Asked) -> Answer:
        short = {**TOKENS, "expires_in": 5}
        return Answer(200, short) if request.path == "/v1/auth/refresh" else Answer(200, 1)

    with scripted_api(answers) as (url, asked):
        client = client_of(url)
        client.renew()
        client.renew()  # expires within the margin
        client.get("/v1/run")
    assert paths(asked)[-2:] == ["/v1/auth/refresh", "/v1/run"]


def test_a_session_whose_refresh_token_has_ended_signs_in_again(client_of: Any) -> None:
    def answers(request: Asked) -> Answer:
        return Answer(401) if request.path == "/v1/auth/refresh" else Answer(200, 1)

    with scripted_api(answers) as (url, asked):
        client = client_of(url)
        client.sign_in()
        client.renew()
    assert paths(asked) == ["/v1/auth/login", "/v1/auth/refresh", "/v1/auth/login"]


def test_a_key_is_sent_as_it_is_and_never_renewed(client_of: Any) -> None:
    with scripted_api(in_turn(Answer(200, 1), Answer(401, {}))) as (url, asked):
        client = client_of(url, key="tf_key")
        client.get("/v1/run")
        with pytest.raises(NotSignedInError):
            client.get("/v1/run")
    assert [request.headers["authorization"] for request in asked] == ["Bearer tf_key"] * 2


def test_a_first_sign_in_asks_for_a_new_password(client_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.scripted_api.TOKENS", {"challenge": "NEW_PASSWORD_REQUIRED", "session": "s"})
    with scripted_api(in_turn(Answer(200, {**TOKENS}))) as (url, asked):
        with pytest.raises(NewPasswordRequiredError, match="new_password"):
            client_of(url).sign_in()
        client_of(url, username="itadmin", password="x", new_password="y").sign_in()
    assert asked[-1].json == {"session": "s", "username": "itadmin", "new_password": "y"}


def test_an_address_where_nothing_answers_is_said_in_a_sentence(client_of: Any) -> None:
    with pytest.raises(UnreachableError, match=r"^http://127.0.0.1:1 does not answer: .+\.$"):
        client_of("http://127.0.0.1:1").sign_in()


def test_a_path_of_another_place_gets_no_token(client_of: Any) -> None:
    with scripted_api(in_turn(Answer(200, 1))) as (url, asked):
        with pytest.raises(ValueError, match="begins with /"):
            client_of(url).get("@elsewhere.example/v1/run")
        assert paths(asked) == []


def test_pages_are_fetched_as_they_are_asked_for_and_items_are_typed(client_of: Any) -> None:
    pages = (
        Answer(200, {"items": [PARCEL], "next_page_token": "t/2"}),
        Answer(200, {"items": [], "next_page_token": None}),
    )
    with scripted_api(in_turn(*pages)) as (url, asked):
        parcels = iter(client_of(url).county("king_wa").properties(neighborhood="98 103", include_retired=True))
        parcel = next(parcels)
        assert len(asked) == 2
        assert list(parcels) == []
    assert (parcel.total_value, parcel.last_sale_date) == (Decimal("412345.10"), date(2014, 5, 2))
    assert asked[1].path == "/v1/counties/king_wa/properties?neighborhood=98+103&include_retired=true"
    assert "page_token=t%2F2" in asked[2].path


def test_a_resource_carries_its_version_to_the_change(client_of: Any) -> None:
    read = Answer(200, PARCEL, {"ETag": '"3"'})
    with scripted_api(in_turn(read, Answer(200, {**PARCEL, "version": 4}, {"ETag": '"4"'}))) as (url, asked):
        king = client_of(url).county("king_wa")
        parcel = king.get_property("P/1")
        changed = king.patch_property("P/1", {"living_area_sqft": Decimal("1500.5")}, if_match=parcel)
    assert asked[1].path == "/v1/counties/king_wa/properties/P%2F1"
    assert asked[2].headers["if-match"] == '"3"'
    assert asked[2].json == {"living_area_sqft": "1500.5"}
    assert (changed.version, changed.entity_tag()) == (4, '"4"')


def test_a_list_item_has_no_version_to_change(client_of: Any) -> None:
    with scripted_api(in_turn(Answer(200, {"items": [PARCEL], "next_page_token": None}))) as (url, _):
        king = client_of(url).county("king_wa")
        (parcel,) = king.properties()
        with pytest.raises(ValueError, match="without an ETag"):
            king.patch_property("P1", {}, if_match=parcel)


def test_a_time_without_an_offset_is_not_sent(client_of: Any) -> None:
    with scripted_api(in_turn(Answer(200, 1))) as (url, asked):
        client = client_of(url)
        with pytest.raises(ValueError, match="has no offset"):
            client.get("/v1/run", since=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the fault
        client.get("/v1/run", since=datetime(2026, 1, 1, tzinfo=UTC))
    assert asked[-1].path == "/v1/run?since=2026-01-01T00%3A00%3A00%2B00%3A00"


def test_a_job_is_waited_for_and_its_progress_seen(client_of: Any) -> None:
    def job(status: str) -> Answer:
        return Answer(200, {**JOB, "status": status, "progress": {"done": 1, "total": 2, "step": "b"}})

    seen = []
    answers = (Answer(202, {**JOB, "status": "pending"}), job("running"), job("succeeded"), Answer(200, {"overall": 1}))
    with scripted_api(in_turn(*answers)) as (url, _):
        study = client_of(url).county("king_wa").start_study({"value_source": "model"})
        ended = study.wait(timeout=60, progress=lambda state: seen.append(state.status))
        results = study.results()
    assert seen == ["running", "succeeded"]
    assert ended.status == study.status == "succeeded"
    assert results["overall"] == 1


def test_a_job_that_fails_or_takes_too_long_is_an_exception(client_of: Any) -> None:
    failed = {**JOB, "status": "failed", "error": {"detail": "No sales."}}
    with scripted_api(in_turn(Answer(200, {**JOB, "status": "running"}), then=Answer(200, failed))) as (url, _):
        client = client_of(url)
        with pytest.raises(WaitTimeoutError, match="still running after 0 seconds") as late:
            client.wait(JOB, timeout=0)
        assert late.value.job["id"] == "1"
        with pytest.raises(JobFailedError, match=r"report 1 is failed: No sales\."):
            client.wait(JOB)


def test_a_large_answer_and_a_file_are_fetched_without_the_token(client_of: Any, tmp_path: Path) -> None:
    def answers(request: Asked) -> Answer:
        host = request.headers["host"]
        if request.path.startswith("/bucket"):
            return Answer(200, b'{"large": 1}')
        return Answer(303, b"", {"Location": f"http://{host}/bucket?X-Amz-Signature=s"})

    with scripted_api(answers) as (url, asked):
        client = client_of(url)
        assert client.get("/v1/results") == {"large": 1}
        client.download("/v1/reports/1/download", tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes() == b'{"large": 1}'
    assert all("authorization" not in request.headers for request in asked if request.path.startswith("/bucket"))
    assert asked[1].headers["authorization"] == "Bearer a"


def test_a_file_that_cannot_be_read_leaves_the_one_before(client_of: Any, tmp_path: Path) -> None:
    def answers(request: Asked) -> Answer:
        host = request.headers["host"]
        expired = Answer(403, b"<Error/>")
        return expired if request.path == "/bucket" else Answer(303, b"", {"Location": f"http://{host}/bucket"})

    (tmp_path / "report.pdf").write_bytes(b"before")
    with scripted_api(answers) as (url, _), pytest.raises(DownloadError, match="403"):
        client_of(url).download("/v1/reports/1/download", tmp_path / "report.pdf")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("report.pdf", b"before")]


def test_a_list_is_saved_as_the_table_that_its_ending_says(client_of: Any, tmp_path: Path) -> None:
    with scripted_api(in_turn(Answer(200, b"property_id\r\nP1\r\n"))) as (url, asked):
        parcels = client_of(url).county("king_wa").properties(q="Main")
        parcels.save(tmp_path / "parcels.csv")
        with pytest.raises(ValueError, match=r"\.csv, \.xlsx, \.parquet"):
            parcels.save(tmp_path / "parcels.doc")
    assert (tmp_path / "parcels.csv").read_text() == "property_id\nP1\n"
    assert asked[-1].headers["accept"] == "text/csv"


def test_a_file_is_sent_to_its_signed_address_without_the_token(client_of: Any, tmp_path: Path) -> None:
    (tmp_path / "roll.csv").write_bytes(b"x" * 3_000_000)
    with scripted_api(in_turn(Answer(200), then=Answer(403))) as (url, asked):
        client = client_of(url)
        client.upload(f"{url}/bucket", tmp_path / "roll.csv")
        with pytest.raises(DownloadError, match="403"):
            client.upload(f"{url}/bucket", tmp_path / "roll.csv")
    assert len(asked[0].body) == 3_000_000
    assert {"authorization", "transfer-encoding"}.isdisjoint(asked[0].headers)
