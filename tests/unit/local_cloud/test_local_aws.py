"""Small rules of the local AWS, without starting it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.aws.functions import function_arn
from infra.local.aws.identity import apply_overrides
from infra.local.aws.provision import generated
from infra.local.aws.replacements import Replacements
from infra.local.aws.server import byte_range, changed_service
from infra.local.custom_resources import DeploymentError, deploy
from infra.local.data_directory import DataDirectory, DirectoryInUseError
from infra.local.state import StateStore
from infra.local.template import CustomResource, Secret
from infra.local.workers import InvocationError


@pytest.mark.parametrize(
    ("header", "piece"),
    [
        (None, (0, 1000)),
        ("bytes=0-0", (0, 1)),
        ("bytes=100-199", (100, 100)),
        ("bytes=900-", (900, 100)),
        ("bytes=900-5000", (900, 100)),
        ("bytes=-10", (990, 10)),
        ("bytes=-5000", (0, 1000)),
        ("bytes=1000-", None),
        ("bytes=-0", None),
        ("bytes=-", (0, 1000)),
        ("lines=1-2", (0, 1000)),
    ],
)
def test_a_range_header_asks_for_a_piece(header: str | None, piece: tuple[int, int] | None) -> None:
    assert byte_range(header, 1000) == piece


@pytest.mark.parametrize(
    ("environ", "service"),
    [
        ({"HTTP_X_AMZ_TARGET": "AWSCognitoIdentityProviderService.InitiateAuth"}, "cognito-idp"),
        ({"HTTP_X_AMZ_TARGET": "AWSCognitoIdentityProviderService.AdminGetUser"}, None),
        ({"HTTP_X_AMZ_TARGET": "secretsmanager.PutSecretValue"}, "secretsmanager"),
        ({"HTTP_X_AMZ_TARGET": "secretsmanager.GetSecretValue"}, None),
        ({"HTTP_X_AMZ_TARGET": "AWSEvents.PutEvents"}, None),
        ({"HTTP_AUTHORIZATION": "AWS4 Credential=k/20261122/us-east-1/scheduler/aws4_request"}, "scheduler"),
        ({"HTTP_AUTHORIZATION": "AWS4 Credential=k/20261122/us-east-1/s3/aws4_request"}, "s3"),
    ],
)
def test_a_changing_request_is_known_by_its_service(environ: dict[str, str], service: str | None) -> None:
    assert changed_service({"REQUEST_METHOD": "POST", **environ}) == service


ACCESS = {"sub": "1", "scope": "aws.cognito.signin.user.admin openid", "cognito:groups": ["A"], "extra": "x"}


def test_a_trigger_changes_scopes_and_claims_of_the_access_token_only() -> None:
    details = {
        "accessTokenGeneration": {
            "claimsToAddOrOverride": {"counties": "king_wa", "sub": "2", "exp": 0},
            "claimsToSuppress": ["extra", "sub"],
            "scopesToAdd": ["tf/view", "openid"],
            "scopesToSuppress": ["aws.cognito.signin.user.admin"],
        }
    }
    shaped = apply_overrides(ACCESS, details, "access")
    assert shaped == {"sub": "1", "scope": "openid tf/view", "cognito:groups": ["A"], "counties": "king_wa"}
    assert apply_overrides({"sub": "1"}, details, "id") == {"sub": "1"}


def test_a_trigger_may_override_groups_in_both_tokens() -> None:
    details = {"groupOverrideDetails": {"groupsToOverride": ["B"]}}
    assert apply_overrides(ACCESS, details, "access")["cognito:groups"] == ["B"]
    assert apply_overrides({}, details, "id")["cognito:groups"] == ["B"]


@given(length=st.integers(8, 64), excluded=st.text("abcXYZ019!\"'\\", max_size=8), plain=st.booleans())
def test_a_generated_secret_has_the_password_that_was_asked_for(length: int, excluded: str, plain: bool) -> None:
    secret = Secret("n", "arn", {"username": "u"}, "password", length, excluded, plain, False)
    made: Any = generated(secret)
    assert made["username"] == "u"
    assert len(made["password"]) == length
    assert not set(made["password"]) & set(excluded)
    assert made["password"].isalnum() or not plain


@pytest.mark.parametrize(
    "given_as",
    [
        "sync-plan",
        "arn:aws:lambda:us-east-1:123456789012:function:sync-plan",
        "arn:aws:lambda:us-east-1:123456789012:function:sync-plan:$LATEST",
    ],
)
def test_a_function_is_known_by_name_or_arn(given_as: str) -> None:
    assert function_arn(given_as) == "arn:aws:lambda:us-east-1:123456789012:function:sync-plan"


def test_what_was_replaced_is_put_back() -> None:
    class Owner:
        kept = 1

    replacements = Replacements()
    replacements.replace(Owner, "kept", 2)
    replacements.add(Owner, "added", 3)
    with pytest.raises(AttributeError):
        replacements.replace(Owner, "missing", 4)
    with pytest.raises(AttributeError):
        replacements.add(Owner, "kept", 5)
    replacements.undo()
    assert (Owner.kept, hasattr(Owner, "added")) == (1, False)


@pytest.fixture
def state(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "state.sqlite3")


documents = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5)


@given(steps=st.lists(documents, max_size=4))
def test_a_mirror_holds_the_last_documents_also_for_the_next_process(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("state") / "state.sqlite3"
    first = StateStore(path)
    first.put("other", "kept", 1)
    for step in steps:
        first.mirror("user", step)
    second = StateStore(path)
    assert second.all("user") == (steps[-1] if steps else {})
    assert second.get("other", "kept") == 1
    first.close()
    second.close()


def test_the_state_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    StateStore(tmp_path / "state.sqlite3").close()
    assert (tmp_path / "state.sqlite3").stat().st_mode & 0o777 == 0o600


def resource(**properties: str) -> CustomResource:
    return CustomResource("Migrated", "Custom::SchemaMigration", "arn:migrate", {"ServiceToken": "t", **properties})


def test_a_custom_resource_is_created_once_and_updated_when_its_properties_change(state: StateStore) -> None:
    events: list[dict[str, Any]] = []

    def migrate(_arn: str, event: dict[str, Any]) -> dict[str, str]:
        events.append(event)
        return {"PhysicalResourceId": "schema"}

    deploy([resource(Digest="1")], migrate, state, anew=False)
    assert deploy([resource(Digest="1")], migrate, state, anew=False) == []
    deploy([resource(Digest="2")], migrate, state, anew=False)
    deploy([resource(Digest="2")], migrate, state, anew=True)
    assert [event["RequestType"] for event in events] == ["Create", "Update", "Create"]
    assert events[1]["PhysicalResourceId"] == "schema"
    assert events[1]["OldResourceProperties"]["Digest"] == "1"


def test_a_custom_resource_that_failed_is_tried_again_at_the_next_start(state: StateStore) -> None:
    document = {"errorType": "ProgrammingError", "errorMessage": "no such column", "stackTrace": []}

    def fail(_arn: str, _event: Any) -> None:
        raise InvocationError(document)

    for _ in range(2):
        with pytest.raises(DeploymentError, match="no such column"):
            deploy([resource(Digest="1")], fail, state, anew=False)


def test_a_data_directory_is_used_by_one_at_a_time(tmp_path: Path) -> None:
    with DataDirectory(tmp_path), pytest.raises(DirectoryInUseError, match="choose another"), DataDirectory(tmp_path):
        pass
    with DataDirectory(tmp_path):
        assert json.loads((tmp_path / "lock").read_text()) > 0
