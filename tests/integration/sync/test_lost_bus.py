"""The event bus is away, or takes no event: a run waits for it, and its event is on the bus when it has ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from functions.sync.tasks import machine
from shared.aws import forget_clients
from shared.problems import ServiceUnavailable
from tests.integration.sync.conftest import events_in
from tests.integration.sync.county import County

RETRIED = "event-bus-unavailable"


def heard(queue: str) -> list[str]:
    """The kinds of the events that the queue has."""
    return [event["detail-type"] for event in events_in(queue)]


class Refusing(BaseHTTPRequestHandler):
    """Answers, and has not taken the event."""

    def do_POST(self) -> None:
        body = b'{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def lost_bus(*, answers: bool) -> Iterator[None]:
    """The bus on this machine: refusing, or away, so that nobody listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    if answers:
        Thread(target=server.serve_forever, daemon=True).start()
    else:
        server.server_close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", f"http://127.0.0.1:{server.server_port}")
        patch.setattr("time.sleep", lambda _: None)  # botocore's pauses between its own attempts
        forget_clients()
        yield
    forget_clients()
    if answers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("answers", [False, True], ids=["away", "refusing"])
def test_a_run_is_published_once_the_bus_takes_its_event(answers: bool, county: County, queue: str) -> None:
    planned = county.plan()
    for item in county.items(planned):
        county.partition(planned["run_id"], item)
    county.step(machine.reconcile, planned["run_id"])
    county.step(machine.apply, planned["run_id"])
    with lost_bus(answers=answers), pytest.raises(ServiceUnavailable) as raised:
        county.publish(planned["run_id"])
    assert raised.value.slug == RETRIED
    assert county.query("SELECT status FROM jobs") == [("running",)]

    county.publish(planned["run_id"])

    assert heard(queue) == ["SyncCompleted"]
    assert county.query("SELECT status FROM jobs") == [("succeeded",)]


def test_a_failed_run_is_failed_and_its_event_follows(county: County, queue: str) -> None:
    planned = county.plan()
    with lost_bus(answers=False), pytest.raises(ServiceUnavailable):
        county.fail(planned["run_id"], RuntimeError("x"))
    assert county.query("SELECT status FROM jobs") == [("failed",)], "the county's next run need not wait for the bus"

    county.fail(planned["run_id"], RuntimeError("x"))

    assert heard(queue) == ["SyncFailed"]
