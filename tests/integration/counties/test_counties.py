"""Onboarding and configuring counties, from outside; Cognito and the scheduler by moto."""

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from moto import mock_aws
from pydantic import ValidationError
from sqlalchemy import text

from functions.auth.pre_token import handler as pre_token
from functions.counties.handler import handler
from functions.counties.schemas import OnboardRequest
from functions.counties.service import counties, versions
from shared.access import Caller, Role
from shared.aws import forget_clients
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.problems import Gone
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of

CONFIGURATION: dict[str, Any] = {
    "county_id": "benton_wa",
    "county_friendly_name": "Benton County, Washington",
    "legacy_system_type": "PACS_SQL_SERVER",
    "timezone": "America/Los_Angeles",
    "contact": {"name": "IT", "email": "it@example.org"},
    "data_ingestion_settings": {
        "connection_secret_name": "terrafusion/benton_wa/source",
        "sync_schedule_cron": "30 2 * * ? *",
    },
}
MAPPING = """\
source_system_type: PACS_SQL_SERVER
target_schema_version: "1.1"
county_id_default: benton_wa
table_mappings:
  - source_table_name: vwPropertyMaster
    target_table_name: properties_operational
    primary_key_source_fields: [PARID]
    primary_key_target_fields: [property_id]
    field_map:
      - {source: PARID, target: property_id, type: string, required: true}
"""


@pytest.fixture(autouse=True)
def cloud(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "SCHEDULE_GROUP_NAME": "counties",
        "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
        "SCHEDULE_DEAD_LETTERS_ARN": "arn:aws:sqs:us-east-1:123456789012:dead-letters",
        "SYNC_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:sync",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        cognito = boto3.client("cognito-idp")
        pool = cognito.create_user_pool(
            PoolName="p", Schema=[{"Name": "counties", "AttributeDataType": "String", "Mutable": True}]
        )["UserPool"]["Id"]
        cognito.admin_create_user(UserPoolId=pool, Username="somebody")
        boto3.client("scheduler").create_schedule_group(Name="counties")
        monkeypatch.setenv("USER_POOL_ID", pool)
        settings.cache_clear()
        forget_clients()
        yield
    forget_clients()


def onboard(configuration: object = CONFIGURATION, mapping: str = MAPPING, **claims: Any) -> Answer:
    return call(
        handler,
        "POST",
        "/v1/counties",
        body={"configuration": configuration, "mapping": mapping},
        claims=claims_of(**({"role": Role.PLATFORM_OPERATOR, "counties": []} | claims)),
    )


def changed(**settings: Any) -> dict[str, Any]:
    configuration = copy.deepcopy(CONFIGURATION)
    configuration["data_ingestion_settings"] |= settings
    return configuration


def put(what: str, body: object, if_match: str = '"1"') -> Answer:
    return call(
        handler,
        "PUT",
        "/v1/counties/{county_id}/" + what,
        path={"county_id": "benton_wa"},
        body=body,
        headers={"If-Match": if_match},
        claims=claims_of(counties=["benton_wa"]),
    )


def schedules() -> list[Any]:
    schedules: list[Any] = boto3.client("scheduler").list_schedules(GroupName="counties")["Schedules"]
    return schedules


def schedule() -> dict[str, Any]:
    schedule: dict[str, Any] = boto3.client("scheduler").get_schedule(Name="benton_wa", GroupName="counties")  # type: ignore[assignment]
    return schedule


def test_onboarding_makes_the_county_its_schedule_and_its_first_user() -> None:
    answer = onboard()

    assert (answer.status, answer.headers["location"]) == (201, "/v1/counties/benton_wa")
    made = schedule()
    assert made["ScheduleExpression"] == "cron(30 2 * * ? *)"
    assert made["ScheduleExpressionTimezone"] == "America/Los_Angeles"
    assert json.loads(made["Target"]["Input"]) == {"county_id": "benton_wa", "trigger": "schedule"}
    user = boto3.client("cognito-idp").admin_get_user(UserPoolId=settings().user_pool_id, Username="somebody")
    assert {"Name": "custom:counties", "Value": "benton_wa"} in user["UserAttributes"]


def test_onboarding_again_finds_the_same_county_but_another_one_of_that_id_is_a_conflict() -> None:
    onboard()

    assert onboard().status == 201
    assert onboard(role=Role.IT_ADMIN, counties=["benton_wa"]).status == 201
    assert onboard(changed(mode="snapshot")).status == 409
    assert onboard(changed(mode="snapshot"), role=Role.IT_ADMIN, counties=["benton_wa"]).status == 409


def counties_of_the_caller() -> set[str]:
    user = boto3.client("cognito-idp").admin_get_user(UserPoolId=settings().user_pool_id, Username="somebody")
    attributes = {each["Name"]: each["Value"] for each in user["UserAttributes"]}
    return set(attributes.get("custom:counties", "").split())


def test_an_administrator_onboards_the_county_that_the_operator_gave_him_and_no_other() -> None:
    assert onboard(role=Role.IT_ADMIN, counties=["king_wa"]).status == 403
    assert onboard(role=Role.IT_ADMIN, counties=[]).status == 403
    assert schedules() == []

    assert onboard(role=Role.IT_ADMIN, counties=["benton_wa", "king_wa"]).status == 201


def test_a_foreign_id_answers_alike_whether_it_is_onboarded_or_not() -> None:
    def refused() -> list[Answer]:
        foreign = claims_of(Role.IT_ADMIN, ["king_wa"])
        at = {"county_id": "benton_wa"}
        path = "/v1/counties/{county_id}"
        body = {"configuration": changed(mode="snapshot"), "mapping": "no mapping"}
        return [
            call(handler, "POST", "/v1/counties", body=body, claims=foreign),
            call(handler, "GET", path, path=at, claims=foreign),
            call(handler, "PUT", path + "/mapping", path=at, body={"mapping": MAPPING}, claims=foreign),
            call(handler, "PUT", path + "/configuration", path=at, body=CONFIGURATION, claims=foreign),
        ]

    before = refused()
    onboard()

    assert refused() == before
    assert {(answer.status, answer.body["type"]) for answer in before} == {
        (403, "urn:terrafusion:problem:county-not-permitted")
    }


def test_a_permission_that_a_county_grants_onboards_no_other_county() -> None:
    granted = CONFIGURATION | {"rbac_settings": {"roles": {"Auditor": {"grant": ["manage_county"]}}}}
    onboard(granted)

    token = token_of("benton_wa", "Auditor")

    assert "terrafusion/manage_county" in token["scope"].split()
    configuration = changed(connection_secret_name="terrafusion/franklin_wa/source") | {"county_id": "franklin_wa"}
    body = {"configuration": configuration, "mapping": MAPPING}
    assert call(handler, "POST", "/v1/counties", body=body, claims=token).status == 403


@pytest.mark.parametrize(
    "roles",
    [
        {"Auditor": {"grant": ["onboard_county"]}},
        {"ITAdmin": {"revoke": ["onboard_county"]}},
        {"PlatformOperator": {"grant": ["view_properties"]}},
        {"ITAdmin": {"revoke": ["manage_county"]}},
        {
            "ITAdmin": {"revoke": ["manage_county"]},
            "Auditor": {"grant": ["manage_county"], "revoke": ["manage_county"]},
        },
    ],
)
def test_a_county_hands_out_nothing_of_the_platforms_and_keeps_somebody_who_manages_it(roles: dict[str, Any]) -> None:
    onboard()

    refined = CONFIGURATION | {"rbac_settings": {"roles": roles}}
    answer = put("configuration", refined)

    assert answer.status == 422
    assert all(fault["pointer"].startswith("/body/rbac_settings/roles") for fault in answer.body["errors"])
    assert onboard(refined | {"county_id": "benton_wa"}).status == 422
    handed_over = {"ITAdmin": {"revoke": ["manage_county"]}, "Assessor": {"grant": ["manage_county"]}}
    assert put("configuration", CONFIGURATION | {"rbac_settings": {"roles": handed_over}}).status == 200


def test_counties_onboarded_at_once_are_all_the_operators() -> None:
    ids = [f"county_{number}_wa" for number in range(6)]

    def take(county_id: str) -> int:
        configuration = changed(connection_secret_name=f"terrafusion/{county_id}/source") | {"county_id": county_id}
        county = OnboardRequest.model_validate({"configuration": configuration, "mapping": MAPPING})
        return counties.onboard(county, Caller.from_claims(claims_of(Role.PLATFORM_OPERATOR, []))).version

    with ThreadPoolExecutor(len(ids)) as pool:
        assert list(pool.map(take, ids)) == [1] * len(ids)

    assert counties_of_the_caller() == set(ids)


def test_a_county_that_its_operator_has_lost_is_his_again_when_he_onboards_it_again() -> None:
    onboard()
    boto3.client("cognito-idp").admin_update_user_attributes(
        UserPoolId=settings().user_pool_id,
        Username="somebody",
        UserAttributes=[{"Name": "custom:counties", "Value": ""}],
    )

    assert onboard().status == 201

    assert counties_of_the_caller() == {"benton_wa"}


def test_a_user_without_room_for_a_further_county_is_told_so() -> None:
    boto3.client("cognito-idp").admin_update_user_attributes(
        UserPoolId=settings().user_pool_id,
        Username="somebody",
        UserAttributes=[{"Name": "custom:counties", "Value": " ".join(f"county_{n:03}_wa" for n in range(146))}],
    )

    answer = onboard()

    assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:too-many-counties")
    assert onboard(role=Role.IT_ADMIN, counties=["benton_wa"]).status == 201


@pytest.mark.parametrize(
    "name",
    [
        "terrafusion/benton_wa",
        "terrafusion/benton_wa/",
        "terrafusion/benton_wa2/source",
        "terrafusion/benton_wa/../king_wa/source",
        "terrafusion/benton_wa/./source",
        "terrafusion/benton_wa//terrafusion/king_wa/source",
        "terrafusion/king_wa/source",
        "/terrafusion/benton_wa/source",
        "terrafusion\\benton_wa\\source",
        "terrafusion/benton_wa/source\u0000",
        "terrafusion/benton_wa/%2e%2e/king_wa/source",
        "Terrafusion/benton_wa/source",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:terrafusion/king_wa/source-AbCdEf",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["sql", "arcgis", "socrata"])
def test_a_county_names_no_secret_but_its_own(name: str, kind: str) -> None:
    sources: dict[str, dict[str, Any]] = {
        "sql": {},
        "arcgis": {"url": "https://example.org/FeatureServer", "layers": {"t": 0}},
        "socrata": {"domain": "data.example.org", "datasets": {"t": "abcd-1234"}},
    }
    source = sources[kind] | {"kind": kind, "secret_name": name}

    with pytest.raises(ValidationError):
        CountyConfiguration.model_validate(changed(connection_secret_name=None, source=source))

    source["secret_name"] = "terrafusion/benton_wa/nested/source-1"
    CountyConfiguration.model_validate(changed(connection_secret_name=None, source=source))


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("      - {source: A, target: no_such_column, type: string}\n", 11),
        ("\n      - {source: B, target: condition, type: string, transformations: [{type: make_nice}]}\n", 12),
    ],
)
def test_a_mapping_with_an_unknown_target_or_transformation_is_refused_with_its_line(line: str, place: int) -> None:
    answer = onboard(mapping=MAPPING + line)

    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:mapping-invalid")
    assert [error["line"] for error in answer.body["errors"]] == [place]
    with unit_of_work("benton_wa") as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM counties").scalar() == 0


@pytest.mark.parametrize(
    ("configuration", "pointer"),
    [
        (changed(connection_secret_name="terrafusion/king_wa/source"), "/body/configuration"),
        (changed(mode="magic"), "/body/configuration/data_ingestion_settings/mode"),
        (
            changed(mode_schedules={"snapshot": "30 25 * * ? *"}),
            "/body/configuration/data_ingestion_settings/mode_schedules/snapshot",
        ),
        (changed(sync_schedule_cron="every day"), "/body/configuration/data_ingestion_settings/sync_schedule_cron"),
        (CONFIGURATION | {"timezone": "Mars/Olympus"}, "/body/configuration/timezone"),
        (CONFIGURATION | {"county_id": "Benton; DROP"}, "/body/configuration/county_id"),
        (CONFIGURATION | {"colour": "red"}, "/body/configuration/colour"),
    ],
)
def test_a_bad_configuration_is_refused_with_its_place(configuration: object, pointer: str) -> None:
    answer = onboard(configuration)

    assert answer.status == 422, answer.body
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_each_mode_can_have_a_schedule_of_its_own_and_loses_it_again() -> None:
    onboard()
    nightly = {"incremental": "30 2 ? * MON-SAT *", "snapshot": "30 2 ? * SUN *"}

    put("configuration", changed(sync_schedule_cron=None, mode_schedules=nightly))

    scheduler = boto3.client("scheduler")
    made = {item["Name"]: item for item in scheduler.list_schedules(GroupName="counties")["Schedules"]}
    assert made.keys() == {"benton_wa.incremental", "benton_wa.snapshot"}
    weekly = scheduler.get_schedule(Name="benton_wa.snapshot", GroupName="counties")
    assert weekly["ScheduleExpression"] == "cron(30 2 ? * SUN *)"
    event = {"county_id": "benton_wa", "trigger": "schedule", "mode": "snapshot"}
    assert json.loads(weekly["Target"]["Input"]) == event
    assert put("configuration", changed(mode_schedules={}), '"2"').status == 200
    assert [item["Name"] for item in scheduler.list_schedules(GroupName="counties")["Schedules"]] == ["benton_wa"]


def test_a_county_says_when_its_next_sync_is() -> None:
    onboard()

    shown = put("configuration", changed(mode_schedules={"snapshot": "45 2 * * ? *"})).body

    times = [datetime.fromisoformat(item["next_run_at"]) for item in shown["schedules"]]
    assert times == sorted(times)
    assert datetime.fromisoformat(shown["next_run_at"]) == times[0]
    pacific = ZoneInfo("America/Los_Angeles")
    at = {item["mode"]: datetime.fromisoformat(item["next_run_at"]).astimezone(pacific) for item in shown["schedules"]}
    assert {mode: (time.hour, time.minute) for mode, time in at.items()} == {"full": (2, 30), "snapshot": (2, 45)}
    assert all(datetime.now(UTC) < time <= datetime.now(UTC) + timedelta(days=2) for time in times)
    assert put("configuration", changed(sync_schedule_cron=None), '"2"').body["next_run_at"] is None


def test_changing_the_configuration_changes_the_schedule_and_removes_it() -> None:
    onboard()

    later = put("configuration", changed(sync_schedule_cron="0 4 * * ? *"))
    assert (later.status, later.headers["etag"]) == (200, '"2"')
    assert (schedule()["ScheduleExpression"], schedule()["State"]) == ("cron(0 4 * * ? *)", "ENABLED")
    assert schedule()["Target"]["DeadLetterConfig"]["Arn"].endswith(":dead-letters")

    assert put("configuration", changed(sync_schedule_cron=None), '"2"').status == 200
    assert boto3.client("scheduler").list_schedules(GroupName="counties")["Schedules"] == []


def test_a_stale_version_changes_nothing() -> None:
    onboard()

    assert put("mapping", {"mapping": MAPPING + "\n"}, '"9"').status == 412
    assert put("mapping", {"mapping": MAPPING + "\n"}, '"1"').headers["etag"] == '"2"'


def test_a_county_shows_itself_and_is_in_its_users_list_only() -> None:
    onboard()

    claims = claims_of(counties=["benton_wa"])
    answer = call(handler, "GET", "/v1/counties/{county_id}", path={"county_id": "benton_wa"}, claims=claims)
    assert answer.body["configuration"]["data_ingestion_settings"]["guards"]["max_removed_share"] == "0.05"
    assert answer.headers["etag"] == '"1"'
    assert [c["county_id"] for c in call(handler, "GET", "/v1/counties", claims=claims).body] == ["benton_wa"]
    assert call(handler, "GET", "/v1/counties", claims=claims_of(counties=["king_wa"])).body == []


def test_the_token_of_a_user_carries_what_the_county_allows_the_role() -> None:
    refined = CONFIGURATION | {"rbac_settings": {"roles": {"Assessor": {"revoke": ["edit_property"]}}}}
    onboard(refined)

    token = token_of("benton_wa king_wa", "Assessor", "not-a-role")

    assert token["counties"] == "benton_wa king_wa"
    assert json.loads(token["withheld"]) == {"benton_wa": ["edit_property"]}
    assert "terrafusion/edit_property" in token["scope"].split()
    assert "terrafusion/manage_county" not in token["scope"].split()


def test_the_platforms_permission_is_withheld_by_no_county_and_is_nobodys_but_the_operators() -> None:
    onboard()

    operator = token_of("benton_wa king_wa", "PlatformOperator")

    assert operator["scope"].split() == [
        f"terrafusion/{name}" for name in ("manage_county", "onboard_county", "sign_in")
    ]
    assert "withheld" not in operator
    assert "terrafusion/onboard_county" not in token_of("benton_wa", "ITAdmin")["scope"].split()


def token_of(counties: str, *groups: str) -> dict[str, str]:
    """The claims of the access token of a user with these counties and groups."""
    event = pre_token(
        {
            "triggerSource": "TokenGeneration_Authentication",
            "userName": "somebody",
            "request": {
                "userAttributes": {"custom:counties": counties},
                "groupConfiguration": {"groupsToOverride": list(groups)},
            },
        },
        None,
    )
    access = event["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]
    claims: dict[str, str] = access["claimsToAddOrOverride"]
    return claims | {"sub": "s", "username": "somebody", "scope": " ".join(access["scopesToAdd"])}


def show(what: str, **query: str) -> Answer:
    resource = "/v1/counties/{county_id}/" + what
    claims = claims_of(Role.AUDITOR, counties=["benton_wa"])
    return call(handler, "GET", resource, path={"county_id": "benton_wa"}, query=query, claims=claims)


def test_every_version_of_configuration_and_mapping_can_be_read_with_who_made_it_and_when() -> None:
    onboard()
    second, third = changed(sync_schedule_cron="0 4 * * ? *"), MAPPING + "# another\n"
    put("configuration", second)
    put("mapping", {"mapping": third}, if_match='"2"')

    configuration, mapping = show("configuration"), show("mapping")
    assert (configuration.headers["etag"], mapping.headers["etag"]) == ('"3"', '"3"')
    cron = configuration.body["data_ingestion_settings"]["sync_schedule_cron"]
    assert (cron, mapping.body) == ("0 4 * * ? *", {"mapping": third, "version": 3})
    assert put("configuration", configuration.body, if_match=configuration.headers["etag"]).status == 200

    kept = show("configuration/versions").body["items"]
    assert [(v["version"], v["changed"], v["changed_by"]) for v in kept] == [
        (4, "configuration", "somebody"),
        (2, "configuration", "somebody"),
        (1, "both", "somebody"),
    ]
    assert all(datetime.fromisoformat(v["changed_at"]) <= datetime.now(UTC) for v in kept)
    assert [v["version"] for v in show("mapping/versions").body["items"]] == [3, 1]
    first = show("configuration", version="1")
    assert first.headers["etag"] == '"1"'
    assert first.body["data_ingestion_settings"]["sync_schedule_cron"] == "30 2 * * ? *"
    assert show("mapping", version="2").body == {"mapping": MAPPING, "version": 2}


def test_versions_are_paged_each_once() -> None:
    onboard()
    for version in range(1, 5):
        put("mapping", {"mapping": f"{MAPPING}# {version}\n"}, if_match=f'"{version}"')
    seen: list[int] = []
    token: dict[str, str] = {}
    while True:
        page = show("mapping/versions", page_size="2", **token).body
        seen += [item["version"] for item in page["items"]]
        if page["next_page_token"] is None:
            break
        token = {"page_token": page["next_page_token"]}
    assert seen == [5, 4, 3, 2, 1]


def test_a_county_of_before_versions_were_kept_shows_how_it_stands_and_keeps_that() -> None:
    onboard()
    with unit_of_work("benton_wa") as connection:
        connection.execute(text("UPDATE counties SET version = 7"))

    assert [v["version"] for v in show("mapping/versions").body["items"]] == [7, 1]
    put("mapping", {"mapping": MAPPING + "# another\n"}, if_match='"7"')

    kept = show("mapping/versions").body["items"]
    assert [(v["version"], v["changed_by"]) for v in kept] == [(8, "somebody"), (7, None), (1, "somebody")]
    assert show("mapping", version="7").body["mapping"] == MAPPING


def test_a_refused_change_makes_no_version() -> None:
    onboard()
    assert put("mapping", {"mapping": "nonsense: ["}).status == 422
    assert put("mapping", {"mapping": MAPPING}, if_match='"9"').status == 412

    assert [v["version"] for v in show("mapping/versions").body["items"]] == [1]


@pytest.mark.parametrize("version", ["2", "2147483647", "99999999999"])
def test_a_version_that_there_is_not_is_not_found(version: str) -> None:
    onboard()

    assert show("mapping", version=version).status == 404
    assert show("configuration", version=version).status == 404


@pytest.mark.parametrize("version", ["0", "-1", "x", "1.5", ""])
def test_what_is_no_version_is_refused(version: str) -> None:
    onboard()

    answer = show("configuration", version=version)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/query/version")


def test_a_configuration_that_this_release_does_not_understand_is_gone_and_no_failure() -> None:
    onboard()
    put("configuration", changed(sync_schedule_cron="0 4 * * ? *"))
    with unit_of_work("benton_wa") as connection:
        connection.execute(
            text(
                "INSERT INTO county_versions SELECT county_id, 0, changed, '{}', mapping, changed_by, changed_at"
                " FROM county_versions WHERE version = 1"
            )
        )
    with pytest.raises(Gone):
        versions.configuration("benton_wa", 0)
