"""The local cloud serving a small deployment: functions, sign-in, objects, state machines."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from sqlalchemy import text

from infra.cli.local_platform import ACCOUNTS
from infra.local.cloud import LocalCloud
from infra.local.cloud_assembly import Resource
from infra.local.resource_names import generated_name
from shared.db.engine import make_engine
from tests.integration.local_cloud.sample_template import write_assembly
from tests.polling import eventually


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("cloud")
    assembly = write_assembly(folder / "assembly")
    with LocalCloud(folder / "data", 0, assembly=assembly, durable=False, accounts=ACCOUNTS) as running:
        yield running


def sign_in(clients: Any, username: str, password: str) -> dict[str, str]:
    cognito = clients("cognito-idp")
    pool = cognito.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    client = cognito.list_user_pool_clients(UserPoolId=pool)["UserPoolClients"][0]["ClientId"]
    parameters = {"USERNAME": username, "PASSWORD": password}
    answered = cognito.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    return dict(answered["AuthenticationResult"]) | {"client": client}


def tokens_of(cloud: LocalCloud, username: str) -> dict[str, str]:
    user = next(user for user in cloud.credentials if user.username == username)
    return sign_in(cloud.clients, user.username, user.password)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def data_bucket(cloud: LocalCloud) -> str:
    return str(cloud.environment["DATA_BUCKET"])


def run_machine(cloud: LocalCloud, **given: Any) -> dict[str, Any]:
    """Starts the machine and waits for its end."""
    return finished(cloud, start_machine(cloud, **given))


def start_machine(cloud: LocalCloud, **given: Any) -> str:
    states = cloud.clients("stepfunctions")
    machine = states.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    return str(states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"])


def finished(cloud: LocalCloud, execution: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        described: dict[str, Any] = cloud.clients("stepfunctions").describe_execution(executionArn=execution)
        if described["status"] != "RUNNING":
            return described
        time.sleep(0.05)
    raise TimeoutError(execution)


def keys(cloud: LocalCloud, prefix: str) -> list[str]:
    listed = cloud.clients("s3").list_objects_v2(Bucket=data_bucket(cloud), Prefix=prefix)
    return [each["Key"].removeprefix(prefix) for each in listed.get("Contents", [])]


def test_a_function_answers_with_the_environment_of_the_template(cloud: LocalCloud) -> None:
    answered = httpx.post(f"{cloud.url}/v1/echo", json={"a": 1}).json()
    assert answered["bucket"] == data_bucket(cloud)
    assert json.loads(answered["event"]["body"]) == {"a": 1}


def test_redirects_cookies_and_bytes_come_through(cloud: LocalCloud) -> None:
    redirected = httpx.get(f"{cloud.url}/v1/files/redirect")
    assert (redirected.status_code, redirected.headers["location"]) == (303, "http://elsewhere/")
    cookies = httpx.get(f"{cloud.url}/v1/files/cookies").headers.get_list("set-cookie")
    assert cookies == ["a=1", "b=2"]
    assert httpx.get(f"{cloud.url}/v1/files/binary").content == bytes(range(256))


def test_the_migration_ran_once_as_the_owner(cloud: LocalCloud) -> None:
    engine = make_engine(cloud.postgres.owner_url())
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT request FROM deployed")).scalars().all()
    engine.dispose()
    assert rows == ["Create"]


def test_a_token_opens_what_the_scopes_of_its_groups_allow(cloud: LocalCloud) -> None:
    tokens = tokens_of(cloud, "assessor")
    allowed = httpx.get(f"{cloud.url}/v1/echo/7", headers=bearer(tokens["AccessToken"]))
    claims = allowed.json()["event"]["requestContext"]["authorizer"]["claims"]
    assert claims["scope"] == "terrafusion/view_properties terrafusion/edit_property"
    assert claims["counties"] == "king_wa lucas_oh"
    assert claims["sub"] != "someone else"
    assert httpx.put(f"{cloud.url}/v1/echo/7", headers=bearer(tokens["AccessToken"])).status_code == 403
    assert httpx.get(f"{cloud.url}/v1/echo/7", headers=bearer(tokens["IdToken"])).status_code == 401
    without = httpx.get(f"{cloud.url}/v1/echo/7")
    assert (without.status_code, without.json()["title"]) == (401, "Sign in first")


def test_the_access_token_is_valid_as_long_as_the_client_says(cloud: LocalCloud) -> None:
    assert int(tokens_of(cloud, "auditor")["ExpiresIn"]) == 30 * 60


def test_a_revoked_refresh_token_refreshes_no_more(cloud: LocalCloud) -> None:
    cognito = cloud.clients("cognito-idp")
    tokens = tokens_of(cloud, "auditor")
    refresh = {
        "ClientId": tokens["client"],
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]},
    }
    assert cognito.initiate_auth(**refresh)["AuthenticationResult"]["AccessToken"]
    cognito.revoke_token(Token=tokens["RefreshToken"], ClientId=tokens["client"])
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.initiate_auth(**refresh)


def test_an_object_is_a_plain_file_with_a_signed_address(cloud: LocalCloud) -> None:
    s3 = cloud.clients("s3")
    body = os.urandom(3000)
    s3.put_object(Bucket=data_bucket(cloud), Key="counties/king_wa/a b.bin", Body=body, ContentType="image/png")
    file = cloud.data_dir / "objects" / data_bucket(cloud) / "counties/king_wa/a b.bin"
    assert file.read_bytes() == body
    parameters = {
        "Bucket": data_bucket(cloud),
        "Key": "counties/king_wa/a b.bin",
        "ResponseContentDisposition": 'attachment; filename="x.png"',
    }
    address = s3.generate_presigned_url("get_object", Params=parameters)
    got = httpx.get(address)
    assert got.content == body
    assert got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"] == 'attachment; filename="x.png"'
    part = httpx.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, body[100:200])
    assert httpx.get(address, headers={"Range": "bytes=9000-"}).status_code == 416


def test_a_signed_address_is_good_for_its_object_method_size_and_time_alone(cloud: LocalCloud) -> None:
    s3, bucket = cloud.clients("s3"), data_bucket(cloud)
    for name in ("counties/a/report", "counties/b/report"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"secret")
    report = {"Bucket": bucket, "Key": "counties/a/report"}
    url = s3.generate_presigned_url("get_object", Params=report, ExpiresIn=60)
    sending = s3.generate_presigned_url(
        "put_object", Params={"Bucket": bucket, "Key": "counties/a/new", "ContentLength": 3}, ExpiresIn=60
    )
    expired = s3.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "counties/a/report"}, ExpiresIn=-1
    )
    signature = url.rpartition("X-Amz-Signature=")[2]

    assert httpx.get(url).content == b"secret"
    assert httpx.put(sending, content=b"abc").status_code == 200
    tampered = {
        "another object": httpx.get(url.replace("counties/a/", "counties/b/")),
        "a path that climbs": httpx.get(url.replace("counties/a/report", "counties/a/%2e%2e/b/report")),
        "a longer time": httpx.get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")),
        "another signature": httpx.get(url.replace(signature, signature[::-1])),
        "another key": httpx.get(url.replace("X-Amz-Credential=local", "X-Amz-Credential=other")),
        "one more parameter": httpx.get(f"{url}&response-content-type=text%2Fhtml"),
        "writing what was to be read": httpx.put(url, content=b"mine"),
        "removing": httpx.delete(url),
        "a larger file": httpx.put(sending, content=b"abcd"),
        "a smaller file": httpx.put(sending, content=b"ab"),
        "after its time": httpx.get(expired),
    }
    assert {name: answer.status_code for name, answer in tampered.items() if answer.status_code != 403} == {
        "after its time": 400  # a validity below nothing is none
    }
    assert all(b"secret" not in answer.content for answer in tampered.values())
    assert httpx.get(url).content == b"secret"
    assert httpx.get(url.partition("?")[0]).status_code == 403  # without any signature


def test_a_piece_of_an_object_is_not_held_against_the_checksum_of_the_whole(cloud: LocalCloud, tmp_path: Path) -> None:
    s3 = cloud.clients("s3")
    file = tmp_path / "parcels.csv"
    file.write_bytes(body := os.urandom(3000))
    s3.upload_file(str(file), data_bucket(cloud), "parcels.csv")
    whole = s3.get_object(Bucket=data_bucket(cloud), Key="parcels.csv", ChecksumMode="ENABLED")
    assert whole["ChecksumCRC32"]
    assert whole["Body"].read() == body
    piece = s3.get_object(Bucket=data_bucket(cloud), Key="parcels.csv", Range="bytes=100-199")
    assert piece["Body"].read() == body[100:200]


def test_a_deleted_object_leaves_no_file(cloud: LocalCloud) -> None:
    s3 = cloud.clients("s3")
    s3.put_object(Bucket=data_bucket(cloud), Key="gone/../odd", Body=b"1")
    s3.put_object(Bucket=data_bucket(cloud), Key="gone", Body=b"2")
    before = files(cloud)
    assert s3.get_object(Bucket=data_bucket(cloud), Key="gone/../odd")["Body"].read() == b"1"
    for key in ("gone", "gone/../odd"):
        s3.delete_object(Bucket=data_bucket(cloud), Key=key)
    assert len(files(cloud)) == len(before) - 2


def files(cloud: LocalCloud) -> list[Path]:
    return [path for path in (cloud.data_dir / "objects").rglob("*") if path.is_file()]


def test_a_large_file_in_parts_comes_back_whole(cloud: LocalCloud, tmp_path: Path) -> None:
    sent, received = tmp_path / "sent", tmp_path / "received"
    sent.write_bytes(os.urandom(20 << 20))
    s3 = cloud.clients("s3")
    s3.upload_file(str(sent), data_bucket(cloud), "large", ExtraArgs={"ContentType": "text/plain"})
    s3.download_file(data_bucket(cloud), "large", str(received))
    assert received.read_bytes() == sent.read_bytes()
    described = s3.head_object(Bucket=data_bucket(cloud), Key="large")
    assert described["ContentType"] == "text/plain"
    assert described["ETag"].endswith('-3"')


def test_a_machine_runs_every_item_of_a_list_in_s3(cloud: LocalCloud) -> None:
    run = uuid4().hex
    assert run_machine(cloud, run=run, items=5)["status"] == "SUCCEEDED"
    assert keys(cloud, f"runs/{run}/done-") == ["0", "1", "2", "3", "4"]


def test_a_task_that_says_that_it_may_help_is_tried_again(cloud: LocalCloud) -> None:
    run = uuid4().hex
    assert run_machine(cloud, run=run, items=1, fails="once")["status"] == "SUCCEEDED"
    assert keys(cloud, f"runs/{run}/tried") == [""]


def test_a_failure_is_caught_with_its_type_and_message(cloud: LocalCloud) -> None:
    ended = run_machine(cloud, run=uuid4().hex, items=1, fails="always")
    assert (ended["status"], ended["error"]) == ("FAILED", "ValueError")
    assert json.loads(ended["cause"])["errorMessage"] == "the source cannot be read"


@pytest.mark.parametrize("status", ["FAILED", "ABORTED"])
def test_the_end_of_an_execution_is_told_to_the_functions_of_its_rule(status: str, cloud: LocalCloud) -> None:
    given = {"run": uuid4().hex, "items": 1, **({"fails": "always"} if status == "FAILED" else {"how": "waits"})}
    execution = start_machine(cloud, **given)
    if status == "ABORTED":
        assert eventually(lambda: keys(cloud, f"runs/{given['run']}/started-") != [])
        cloud.clients("stepfunctions").stop_execution(executionArn=execution)

    key = f"ends/{execution.rpartition(':')[2]}"
    assert eventually(lambda: keys(cloud, key) != [])

    record = json.loads(cloud.clients("s3").get_object(Bucket=data_bucket(cloud), Key=key)["Body"].read())
    assert (record["source"], record["detail"]["status"]) == ("aws.states", status)
    assert record["detail"]["executionArn"] == execution
    assert json.loads(record["detail"]["input"]) == given


def test_nothing_is_told_of_an_execution_that_succeeded(cloud: LocalCloud) -> None:
    execution = start_machine(cloud, run=uuid4().hex, items=1)
    assert finished(cloud, execution)["status"] == "SUCCEEDED"
    assert keys(cloud, f"ends/{execution.rpartition(':')[2]}") == []


def test_a_function_that_overruns_its_timeout_is_ended_and_tried_again(cloud: LocalCloud) -> None:
    run = uuid4().hex
    workers = set(cloud.workers.pids)
    assert run_machine(cloud, run=run, items=1, how="hangs")["status"] == "SUCCEEDED"
    assert keys(cloud, f"runs/{run}/done-") == ["0"]
    assert len(set(cloud.workers.pids) - workers) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="processes have a niceness elsewhere")
def test_workers_leave_the_processor_to_requests(cloud: LocalCloud) -> None:
    assert eventually(lambda: all(psutil.Process(pid).nice() > os.nice(0) for pid in cloud.workers.pids))
    assert {os.getsid(pid) for pid in cloud.workers.pids} == {os.getsid(0)}


def test_a_killed_worker_is_replaced_and_its_task_tried_again(cloud: LocalCloud) -> None:
    run = uuid4().hex
    execution = start_machine(cloud, run=run, items=1, how="waits")
    while not keys(cloud, f"runs/{run}/started-0"):
        time.sleep(0.02)
    s3 = cloud.clients("s3")
    worker = int(s3.get_object(Bucket=data_bucket(cloud), Key=f"runs/{run}/started-0")["Body"].read())
    os.kill(worker, signal.SIGKILL)
    assert finished(cloud, execution)["status"] == "SUCCEEDED"
    assert keys(cloud, f"runs/{run}/done-") == ["0"]
    assert worker not in cloud.workers.pids
    assert len(cloud.workers.pids) == 2


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("open/here", "a text"),
        ("closed/here", "not authorized to perform: s3:GetObject"),
        ("open/except/here", "not authorized to perform: s3:GetObject"),  # its bucket's policy denies it
        ("open/missing", "not authorized to perform: s3:ListBucket"),  # as S3 does not tell what is missing
    ],
)
def test_a_function_may_do_what_its_role_and_the_resources_policy_allow(
    cloud: LocalCloud, key: str, answer: str
) -> None:
    for existing in ("open/here", "closed/here", "open/except/here"):
        cloud.clients("s3").put_object(Bucket=data_bucket(cloud), Key=existing, Body=b"a text")

    assert answer in httpx.get(f"{cloud.url}/v1/files/objects/{key}").text


def test_the_log_of_permissions_names_what_was_asked_for_and_refused(cloud: LocalCloud) -> None:
    httpx.get(f"{cloud.url}/v1/files/objects/closed/here")

    lines = (cloud.data_dir / "logs" / "permissions.jsonl").read_text().splitlines()
    refused = [record for record in map(json.loads, lines) if not record["allowed"]]
    assert {(record["function"].split("-")[2], record["action"]) for record in refused} >= {("Handler", "s3:GetObject")}


@pytest.mark.parametrize(("size", "status"), [(6_200_000, 200), (6_300_000, 502)])
def test_an_answer_that_lambda_would_not_pass_on_is_a_failure(cloud: LocalCloud, size: int, status: int) -> None:
    assert httpx.get(f"{cloud.url}/v1/files/sized/{size}").status_code == status


def test_an_event_that_lambda_would_not_take_is_refused(cloud: LocalCloud) -> None:
    assert httpx.post(f"{cloud.url}/v1/echo", content=b"x" * 3_000_000).status_code == 200
    assert httpx.post(f"{cloud.url}/v1/echo", content=b"x" * 6_300_000).status_code == 413
    quotes = httpx.post(f"{cloud.url}/v1/echo", content=b'"' * 4_000_000)  # each takes two bytes in the event
    assert quotes.status_code == 413


def test_request_line_and_headers_have_a_limit_together(cloud: LocalCloud) -> None:
    assert httpx.post(f"{cloud.url}/v1/echo", headers={"x-long": "x" * 9_500}).status_code == 200
    assert httpx.post(f"{cloud.url}/v1/echo", headers={"x-long": "x" * 10_240}).status_code == 431


@pytest.mark.parametrize(
    ("fails", "error", "cause"),
    [
        ("state too large", "States.DataLimitExceeded", "maximum number of bytes service limit"),
        ("memory", "Runtime.ExitError", "exited"),
        ("scratch", "OSError", "No space left on device: '/tmp'"),
    ],
)
def test_a_task_is_held_to_the_limits_of_its_function(cloud: LocalCloud, fails: str, error: str, cause: str) -> None:
    ended = run_machine(cloud, run=str(uuid4()), items=1, fails=fails)

    assert ended["status"] == "FAILED"
    noted = cloud.clients("s3").get_object(Bucket=data_bucket(cloud), Key="failure.json")["Body"].read()
    failure = json.loads(noted)["failure"]
    assert failure["Error"] == error
    assert cause in failure["Cause"]


def test_an_execution_takes_no_more_input_than_step_functions_does(cloud: LocalCloud) -> None:
    with pytest.raises(cloud.clients("stepfunctions").exceptions.InvalidExecutionInput):
        start_machine(cloud, run="x" * 300_000, items=1)


def test_a_function_without_reserved_capacity_is_throttled(cloud: LocalCloud) -> None:
    called = cloud.clients("lambda").invoke(FunctionName=f"arn:aws:lambda:us-east-1:123456789012:function:{alone()}")

    assert json.loads(called["Payload"].read())["errorType"] == "Lambda.TooManyRequestsException"


def alone() -> str:
    return generated_name(Resource("tf-api", "Alone", "AWS::Lambda::Function"))


def test_an_attribute_of_a_user_is_no_longer_than_cognito_takes(cloud: LocalCloud) -> None:
    cognito = cloud.clients("cognito-idp")
    pool = cognito.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]

    def set_counties(length: int) -> None:
        attributes = [{"Name": "custom:counties", "Value": "x" * length}]
        cognito.admin_update_user_attributes(UserPoolId=pool, Username="auditor", UserAttributes=attributes)

    before = cognito.admin_get_user(UserPoolId=pool, Username="auditor")["UserAttributes"]
    set_counties(2_048)
    with pytest.raises(cognito.exceptions.InvalidParameterException, match="longer than 2048"):
        set_counties(2_049)
    attributes = [attribute for attribute in before if attribute["Name"] != "sub"]
    cognito.admin_update_user_attributes(UserPoolId=pool, Username="auditor", UserAttributes=attributes)
