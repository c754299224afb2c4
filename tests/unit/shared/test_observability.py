"""Around every Lambda entry: settings, a correlation id, a trace."""

import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import given
from hypothesis import strategies as st

from shared.observability import lambda_entry
from shared.observability.correlation import correlation_id, correlation_id_of
from shared.observability.tracing import annotate, subsegment
from shared.settings import MissingSettingsError, require_settings

ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


def _answer(_event: Any, _context: Any) -> int:
    return 1


class Context:
    aws_request_id = "of-lambda"


@pytest.mark.parametrize(
    ("event", "identifier"),
    [
        ({"requestContext": {"requestId": "of-the-gateway"}}, "of-the-gateway"),
        ({"county_id": "king_wa", "job_id": "of-the-job", "kind": "report"}, "of-the-job"),
        ({"county_id": "king_wa", "job_id": "7", "correlation_id": "of-the-gateway"}, "of-the-gateway"),
        ({"detail": {"name": "7", "input": '{"job_id": "7", "correlation_id": "of-the-gateway"}'}}, "of-the-gateway"),
        ({"county_id": "king_wa", "run_id": "of-the-run", "execution": {"name": "other"}}, "of-the-run"),
        ({"county_id": "king_wa", "run_id": None, "execution": {"id": "arn", "name": "of-the-execution"}},
         "of-the-execution"),
        ({"detail-type": "Step Functions Execution Status Change", "detail": {"name": "of-the-end"}}, "of-the-end"),
        ({"RequestType": "Create", "RequestId": "of-the-deployment"}, "of-the-deployment"),
        ({"triggerSource": "TokenGeneration"}, "of-lambda"),
        ([], "of-lambda"),
    ],
)  # fmt: skip
def test_the_correlation_id_is_that_of_what_sent_the_event(event: Any, identifier: str) -> None:
    assert correlation_id_of(event, Context()) == identifier


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)
    )
)
def test_every_event_has_a_correlation_id(event: Any) -> None:
    assert correlation_id_of(event, Context()) is not None


def test_log_lines_of_an_invocation_carry_its_correlation_id_and_others_none() -> None:
    stream = io.StringIO()
    logger = Logger(service="test-of-correlation", stream=stream)

    @lambda_entry
    def handler(event: dict[str, Any], _context: Any) -> None:
        logger.info("within", extra={"figure": 1})

    handler({"job_id": "of-the-job", "correlation_id": "of-the-request"}, Context())
    logger.info("outside")
    within, outside = map(json.loads, stream.getvalue().splitlines())
    assert (within["correlation_id"], within["work_id"], within["figure"]) == ("of-the-request", "of-the-job", 1)
    assert "correlation_id" not in outside
    assert correlation_id() is None


def test_a_function_without_a_variable_that_its_grants_name_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRED_SETTINGS", "DATA_BUCKET,DATABASE_SECRET_ARN,USER_POOL_ID")
    monkeypatch.setenv("DATA_BUCKET", "bucket")
    monkeypatch.setenv("USER_POOL_ID", "")
    monkeypatch.delenv("DATABASE_SECRET_ARN", raising=False)
    with pytest.raises(MissingSettingsError, match="without DATABASE_SECRET_ARN, USER_POOL_ID, which its grants name"):
        lambda_entry(_answer)
    monkeypatch.delenv("REQUIRED_SETTINGS")
    require_settings()


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.2)
        port = listening.getsockname()[1]
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"tcp:127.0.0.1:9 udp:127.0.0.1:{port}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=a:0")
        yield listening


def _received(daemon: socket.socket) -> dict[str, Any]:
    header, _, document = daemon.recv(65_536).partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    received: dict[str, Any] = json.loads(document)
    return received


def test_an_invocation_is_a_subsegment_of_its_trace(daemon: socket.socket) -> None:
    @lambda_entry
    def handler(_event: dict[str, Any], _context: Any) -> int:
        with subsegment("SELECT"):
            annotate("rows", 3)
        return 1

    assert handler({"job_id": "of-the-job"}, Context()) == 1
    inner, outer = _received(daemon), _received(daemon)
    assert (outer["name"], outer["trace_id"], outer["parent_id"]) == ("## handler", ROOT, PARENT)
    assert outer["annotations"] == {"correlation_id": "of-the-job"}
    assert (inner["name"], inner["parent_id"], inner["annotations"]) == ("SELECT", outer["id"], {"rows": 3})
    assert outer["start_time"] <= inner["start_time"] <= inner["end_time"] <= outer["end_time"]
    assert len(outer["id"]) == 16


def test_a_failed_invocation_is_a_fault_that_quotes_nothing(daemon: socket.socket) -> None:
    @lambda_entry
    def handler(_event: dict[str, Any], _context: Any) -> None:
        raise ValueError("Jane Doe")

    with pytest.raises(ValueError, match="Jane Doe"):
        handler({}, Context())
    document = _received(daemon)
    assert document["fault"] is True
    assert document["cause"]["exceptions"][0]["type"] == "ValueError"
    assert "Jane" not in json.dumps(document)


@pytest.mark.parametrize("trace", ["", f"Root={ROOT};Parent={PARENT};Sampled=0", "Sampled=1", "=;;"])
def test_what_is_not_sampled_is_not_sent(daemon: socket.socket, monkeypatch: pytest.MonkeyPatch, trace: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    lambda_entry(_answer)({}, Context())
    with pytest.raises(TimeoutError):
        daemon.recv(65_536)


def test_a_trace_that_cannot_be_sent_fails_nothing(daemon: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("256.0.0.1:2000", "nowhere.invalid:1", "127.0.0.1:none", ":"):
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
        assert lambda_entry(_answer)({}, Context()) == 1
