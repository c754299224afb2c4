"""Webhooks, from the registration to what a receiver gets: through the handlers, on PostgreSQL, over TLS."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from sqlalchemy import func, insert, select, update

from functions.webhooks.domain.attempts import MAX_ATTEMPTS
from functions.webhooks.handler import handler
from functions.webhooks.service import registration, sending
from functions.webhooks.tasks import attempt, dispatch
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import AuditEvent, Job, Webhook, WebhookDelivery
from shared.settings import settings
from tests.aws import aws_in_this_process
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, LambdaContext, call, claims_of
from tests.integration.evidence_county import COUNTY, add_county
from tests.loopback_tls import serving_context

ALL = "/v1/counties/{county_id}/webhooks"
ONE = ALL + "/{webhook_id}"
DELIVERIES = ONE + "/deliveries"
REQUEST = {"url": "https://hooks.example/terrafusion", "events": ["job.succeeded", "job.failed"]}
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:jobs:1"


@dataclass
class Receiver:
    """What a county's program got, and how it answers."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pause_s: float = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A program that listens on loopback, with a certificate that our side trusts."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            received.got.append((headers, self.rfile.read(int(headers["content-length"]))))
            self.send_response(received.status)
            for name, value in received.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for _ in range(1 if received.pause_s == 0 else 50):
                self.wfile.write(received.body)
                time.sleep(received.pause_s)

        def log_message(self, format: str, *arguments: object) -> None: ...  # noqa: A002 - the server's name

    context, authority = serving_context(tmp_path)
    monkeypatch.setattr(sending, "_tls", lambda: ssl.create_default_context(cafile=authority))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        received.url = f"https://127.0.0.1:{server.server_port}/hook?tenant=1"
        yield received
        server.shutdown()


@pytest.fixture(autouse=True)
def surroundings(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_in_this_process(monkeypatch, "webhook"):
        key = boto3.client("secretsmanager").create_secret(Name="signing-key", SecretString="k" * 64)
        monkeypatch.setenv("WEBHOOK_SIGNING_KEY_ARN", key["ARN"])
        settings.cache_clear()
        registration._signing_key.cache_clear()
        add_county()
        yield


def ask(method: str, resource: str, *ids: str, **options: Any) -> Answer:
    names = ("webhook_id", "delivery_id")
    return call(handler, method, resource, path={"county_id": COUNTY, **dict(zip(names, ids, strict=False))}, **options)


def registered(url: str, **more: Any) -> dict[str, Any]:
    answer = ask("POST", ALL, body={**REQUEST, "url": url, **more})
    assert answer.status == 201, answer.body
    webhook: dict[str, Any] = answer.body
    return webhook


def ended(kind: str = "report", status: str = "succeeded", *, by_execution: bool = False) -> dict[str, Any]:
    """EventBridge's event of the end of a job that is in the database."""
    job_id = uuid4()
    error = {"type": "no-sales", "detail": "No sales."} if status == "failed" else None
    arn = f"{EXECUTION}-{job_id}"
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(Job).values(
                county_id=COUNTY,
                job_id=job_id,
                kind=kind,
                status=status,
                submitted_by="ada",
                request_digest="",
                parameters={},
                error=error,
                execution_arn=arn,
                finished_at=func.now(),
            )
        )
    start_input = {"county_id": COUNTY} | ({} if by_execution else {"job_id": str(job_id)})
    detail = {"executionArn": arn, "name": "1", "status": "SUCCEEDED", "input": json.dumps(start_input)}
    return {"detail-type": "Step Functions Execution Status Change", "detail": detail}


def deliveries(webhook: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = ask("GET", DELIVERIES, webhook["webhook_id"], query=query or None).body["items"]
    return items


def attempted(webhook: dict[str, Any]) -> dict[str, Any]:
    """What the machine is answered to an attempt of the newest delivery."""
    delivery_id = deliveries(webhook)[0]["delivery_id"]
    event = {"county_id": COUNTY, "webhook_id": webhook["webhook_id"], "delivery_id": delivery_id}
    return attempt(event, LambdaContext())


def test_the_end_of_a_job_reaches_a_receiver_that_can_verify_it(receiver: Receiver) -> None:
    webhook = registered(receiver.url)
    assert dispatch(ended(), LambdaContext()) == {"deliveries": 1}

    assert attempted(webhook) == {"outcome": "delivered", "wait_s": 0}

    ((headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(webhook["secret"].removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    message = json.loads(body)
    assert message["type"] == "job.succeeded"
    assert (message["data"]["kind"], message["data"]["submitted_by"]) == ("report", "ada")
    (delivery,) = deliveries(webhook)
    assert (delivery["status"], delivery["attempts"], delivery["response_status"]) == ("delivered", 1, 204)
    assert delivery["delivery_id"] == headers["webhook-id"]


def test_the_same_event_twice_is_one_delivery_and_is_sent_once(receiver: Receiver) -> None:
    webhook, event = registered(receiver.url), ended()
    for _ in range(2):
        dispatch(event, LambdaContext())
        attempted(webhook)
    assert (len(deliveries(webhook)), len(receiver.got)) == (1, 1)


def test_a_webhook_gets_what_it_asked_for_and_no_more() -> None:
    registered("https://a.example/", events=["job.failed"])
    registered("https://b.example/", job_kinds=["sync"])
    stopped = registered("https://c.example/")
    ask("PATCH", ONE, stopped["webhook_id"], body={"enabled": False}, headers={"If-Match": '"1"'})
    assert [dispatch(event, LambdaContext())["deliveries"] for event in (
        ended(), ended(status="failed"), ended("sync"), ended("sync", by_execution=True), ended(status="cancelled"),
    )] == [0, 1, 1, 1, 0]  # fmt: skip


def test_an_end_that_is_not_recorded_yet_is_told_again_later() -> None:
    registered("https://a.example/")
    with pytest.raises(Exception, match="is still running"):
        dispatch(ended(status="running"), LambdaContext())


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500, 503])
def test_what_is_no_success_is_attempted_again_and_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": "https://169.254.169.254/latest/meta-data/"}
    webhook = registered(receiver.url)
    dispatch(ended(), LambdaContext())

    waits = [attempted(webhook) for _ in range(MAX_ATTEMPTS)]

    assert [each["wait_s"] for each in waits] == [5, 300, 1800, 7200, 18000, 36000, 0]
    assert [each["outcome"] for each in waits] == ["retry"] * 6 + ["failed"]
    assert len(receiver.got) == MAX_ATTEMPTS
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    (delivery,) = deliveries(webhook, status="failed")
    assert (delivery["response_status"], delivery["attempts"]) == (status, MAX_ATTEMPTS)
    assert ask("GET", ONE, webhook["webhook_id"]).body["failing_since"] is not None


def test_a_failed_delivery_is_replayed_with_its_id_and_ends_the_failing(receiver: Receiver) -> None:
    receiver.status = 500
    webhook = registered(receiver.url)
    dispatch(ended(), LambdaContext())
    (delivery,) = deliveries(webhook)
    ids = (webhook["webhook_id"], delivery["delivery_id"])
    assert ask("POST", DELIVERIES + "/{delivery_id}/replay", *ids).status == 409
    for _ in range(MAX_ATTEMPTS):
        attempted(webhook)

    receiver.status = 200
    assert ask("POST", DELIVERIES + "/{delivery_id}/replay", *ids).status == 202
    assert attempted(webhook)["outcome"] == "delivered"

    assert receiver.got[-1][0]["webhook-id"] == receiver.got[0][0]["webhook-id"]
    assert ask("GET", ONE, webhook["webhook_id"]).body["failing_since"] is None


@pytest.mark.parametrize("gone", [True, False])
def test_a_receiver_that_is_gone_or_fails_for_days_is_disabled_and_can_be_started_again(
    receiver: Receiver, gone: bool
) -> None:
    receiver.status = 410 if gone else 500
    webhook = registered(receiver.url)
    if not gone:
        with unit_of_work(COUNTY) as connection:
            connection.execute(update(Webhook).values(failing_since=func.now() - timedelta(days=6)))
    dispatch(ended(), LambdaContext())
    attempted(webhook)

    now = ask("GET", ONE, webhook["webhook_id"])
    assert (now.body["enabled"], now.body["version"]) == (False, 2)
    assert f"answered {receiver.status}" in now.body["disabled_reason"]
    assert attempted(webhook)["outcome"] == "failed"
    assert len(receiver.got) == 1
    with unit_of_work(COUNTY) as connection:
        actions = connection.execute(select(AuditEvent.actor, AuditEvent.action)).all()
    assert ("platform", "webhook.disabled") in [tuple(row) for row in actions]
    again = ask("PATCH", ONE, webhook["webhook_id"], body={"enabled": True}, headers={"If-Match": now.headers["etag"]})
    assert (again.body["enabled"], again.body["disabled_reason"], again.body["failing_since"]) == (True, None, None)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:169.254.169.254]", "localhost", "2130706433"]
)
def test_nothing_is_sent_to_an_address_inside(host: str, monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """Whatever the name resolves to is judged when it is connected to."""
    webhook = registered(receiver.url.replace("127.0.0.1", host))
    monkeypatch.setenv("SOURCE_NETWORKS", "")
    settings.cache_clear()
    dispatch(ended(), LambdaContext())

    assert attempted(webhook)["outcome"] == "retry"

    (delivery,) = deliveries(webhook)
    assert "to which nothing is sent" in delivery["error"]
    assert receiver.got == []


def test_a_name_is_judged_by_the_address_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that led elsewhere when it was registered (DNS rebinding)."""
    resolve = socket.getaddrinfo
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443))]
    webhook = registered("https://rebinding.example/hook")
    dispatch(ended(), LambdaContext())
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: inside if host == "rebinding.example" else resolve(host, *rest, **more),
    )
    attempted(webhook)
    assert "to which nothing is sent" in deliveries(webhook)[0]["error"]


def test_a_certificate_of_another_host_or_authority_is_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_tls", ssl.create_default_context)
    webhook = registered(receiver.url)
    dispatch(ended(), LambdaContext())
    attempted(webhook)
    assert "certificate" in deliveries(webhook)[0]["error"]
    assert receiver.got == []


def test_an_answer_without_end_is_cut_off(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.5)
    receiver.pause_s, receiver.body = 0.1, b"x"
    webhook = registered(receiver.url)
    dispatch(ended(), LambdaContext())
    began = time.monotonic()
    attempted(webhook)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/", "https://", "https:///path", "ftp://hooks.example/", "//hooks.example", "hooks",
        "https://user:secret@hooks.example/", "https://hooks.example/#x", "https://hooks.example:0/",
        "https://hooks.example:99999/", "https://hooks.example/a b", "https://hooks.example/\r\nX: y",
        "https://hööks.example/", "https://[::1", "https://hooks.example/" + "a" * 2000, "", None, 7,
    ],
)  # fmt: skip
def test_a_bad_address_is_refused_with_its_place(url: object) -> None:
    answer = ask("POST", ALL, body={**REQUEST, "url": url})
    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == ["/body/url"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "https://a.example/"}, "/body/events"),
        ({**REQUEST, "events": []}, "/body/events"),
        ({**REQUEST, "events": ["job.started"]}, "/body/events/0"),
        ({**REQUEST, "job_kinds": []}, "/body/job_kinds"),
        ({**REQUEST, "job_kinds": ["a" * 61]}, "/body/job_kinds/0"),
        ({**REQUEST, "description": "a" * 201}, "/body/description"),
        ({**REQUEST, "secret": "mine"}, "/body/secret"),
    ],
)
def test_a_bad_request_is_refused_with_its_place(body: dict[str, Any], pointer: str) -> None:
    answer = ask("POST", ALL, body=body)
    assert answer.status == 422
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_the_secret_is_shown_once_and_a_new_one_is_another() -> None:
    key = {"Idempotency-Key": "one"}
    made, again = (ask("POST", ALL, body=REQUEST, headers=key) for _ in range(2))
    assert made.body == again.body  # the answer to the first may have been lost
    webhook_id = made.body["webhook_id"]
    assert ask("POST", ALL, body={**REQUEST, "url": "https://b.example/"}, headers=key).status == 422
    assert ask("GET", ONE, webhook_id).body["secret"] is None
    assert [each["secret"] for each in ask("GET", ALL).body] == [None]

    rotated = ask("PATCH", ONE, webhook_id, body={"rotate_secret": True}, headers={"If-Match": '"1"'})

    assert rotated.body["secret"].startswith("whsec_")
    assert rotated.body["secret"] != made.body["secret"]
    assert ask("PATCH", ONE, webhook_id, body={"url": None}, headers={"If-Match": '"2"'}).status == 422
    with unit_of_work(COUNTY) as connection:
        trail = json.dumps([row.details for row in connection.execute(select(AuditEvent.details)).all()])
    assert "whsec_" not in trail


def test_a_change_needs_the_version_that_was_read_and_a_deletion_none() -> None:
    webhook_id = registered("https://a.example/")["webhook_id"]
    assert ask("PATCH", ONE, webhook_id, body={"description": "x"}).status == 428
    assert ask("PATCH", ONE, webhook_id, body={"description": "x"}, headers={"If-Match": '"1"'}).status == 200
    assert ask("PATCH", ONE, webhook_id, body={"description": "y"}, headers={"If-Match": '"1"'}).status == 412
    assert ask("DELETE", ONE, webhook_id).status == 204
    assert ask("DELETE", ONE, webhook_id).status == 404
    assert ask("GET", ONE, webhook_id).status == 404
    with unit_of_work(COUNTY) as connection:
        actions = set(connection.execute(select(AuditEvent.action)).scalars())
    assert {"webhook.created", "webhook.changed", "webhook.deleted"} <= actions


def test_a_test_message_is_sent_and_deliveries_are_paged(receiver: Receiver) -> None:
    webhook = registered(receiver.url)
    for _ in range(3):
        assert ask("POST", ONE + "/test", webhook["webhook_id"]).status == 202
    assert attempted(webhook)["outcome"] == "delivered"
    assert json.loads(receiver.got[0][1])["type"] == "webhook.test"
    first = ask("GET", DELIVERIES, webhook["webhook_id"], query={"page_size": "2"}).body
    second = ask(
        "GET", DELIVERIES, webhook["webhook_id"], query={"page_size": "2", "page_token": first["next_page_token"]}
    ).body
    assert len({each["delivery_id"] for each in (*first["items"], *second["items"])}) == 3
    assert second["next_page_token"] is None


def test_a_county_has_no_more_webhooks_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "MAX_WEBHOOKS", 1)
    registered("https://a.example/")
    assert ask("POST", ALL, body=REQUEST).body["type"].endswith("too-many-webhooks")
    assert len(ask("GET", ALL).body) == 1


def test_only_who_manages_the_county_has_to_do_with_webhooks() -> None:
    claims = claims_of(Role.ASSESSOR)
    assert ask("GET", ALL, claims=claims).status == 403
    other = claims_of(Role.IT_ADMIN, ["lucas_oh"])
    assert ask("GET", ALL, claims=other).status == 403
    missing = str(UUID(int=1))
    assert ask("GET", ONE, missing).status == ask("GET", DELIVERIES, missing).status == 404
    assert ask("POST", DELIVERIES + "/{delivery_id}/replay", missing, missing).status == 404


def test_of_ended_deliveries_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    monkeypatch.setattr("functions.webhooks.service.dispatch.KEPT_DELIVERIES", 2)
    webhook = registered(receiver.url)
    for _ in range(4):
        dispatch(ended(), LambdaContext())
        attempted(webhook)
    with unit_of_work(COUNTY) as connection:
        assert len(connection.execute(select(WebhookDelivery.delivery_id)).all()) == 2
