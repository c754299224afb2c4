"""API Gateway's methods, against the routes that the modules declare."""

import json
import re
from typing import Any

import pytest

from functions.keys.service.presented_keys import REMEMBERED_S
from infra.constructs.routes import OwnedRoute, RouteError, check_routes
from infra.function_specs import routes_of
from infra.functions import REGISTRY
from infra.openapi import READ_ROUTES, read_routes
from shared.access import VIEW_PERMISSIONS, Access
from tests.infrastructure.assembly import Templates, access_log_line

PUBLIC = {
    ("GET", "/v1/health"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/v1/docs"),
    ("GET", "/v1/docs/{asset}"),
    ("POST", "/v1/auth/login"),
    ("POST", "/v1/auth/challenge"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/auth/logout"),
}


def _document(templates: Templates) -> dict[str, Any]:
    body: dict[str, Any] = templates.one("AWS::ApiGateway::RestApi").properties["Body"]
    return body


def _methods(templates: Templates) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, operations in _document(templates)["paths"].items()
        for method, operation in operations.items()
    }


def _authorizer(templates: Templates, access: Access) -> dict[str, Any]:
    scheme = _document(templates)["components"]["securitySchemes"][access.value]
    authorizer: dict[str, Any] = scheme["x-amazon-apigateway-authorizer"]
    return authorizer


def _opened_by(templates: Templates, access: Access) -> set[tuple[str, str]]:
    return {key for key, method in _methods(templates).items() if access.value in (method.get("security") or [{}])[0]}


def _routes() -> dict[tuple[str, str], OwnedRoute]:
    return {
        (route.method, route.path): OwnedRoute(route.method, route.path, route.permission, spec.name, route.access)
        for spec in REGISTRY.api
        for route in routes_of(spec)
    }


def test_the_gateway_has_the_routes_that_modules_declare_and_no_others(templates: Templates) -> None:
    assert set(_methods(templates)) == set(_routes())


def test_every_kind_of_job_is_cancelled_and_gone_on_with(templates: Templates) -> None:
    jobs = {path.rpartition("/")[0]: path for method, path in _routes() if path.endswith("/cancel")}
    kept_below = {path.split("/")[4] for path in jobs}

    assert kept_below == {kind.collection for kind in REGISTRY.job_kinds}
    for path in jobs:
        assert _routes()["POST", f"{path}/resume"].permission == _routes()["POST", f"{path}/cancel"].permission


def test_every_method_asks_for_exactly_the_scope_of_its_routes_permission(templates: Templates) -> None:
    for key, route in _routes().items():
        security = _methods(templates)[key].get("security")
        match route.access:
            case Access.PUBLIC:
                assert security is None, key
            case Access.TOKEN:
                assert security == [{"token": [f"terrafusion/{route.permission}"]}], key
            case Access.KEY | Access.OPEN:
                assert security == [{route.access.value: []}], key


def test_tokens_are_verified_by_the_user_pool_and_keys_by_a_function_of_ours(templates: Templates) -> None:
    assert _authorizer(templates, Access.TOKEN)["type"] == "cognito_user_pools"
    assert len(_authorizer(templates, Access.TOKEN)["providerARNs"]) == 1
    authorizer = templates.functions()[REGISTRY.authorizer.name].logical_id
    (alias,) = (
        r.logical_id
        for r in templates.resources("AWS::Lambda::Alias")
        if r.properties["FunctionName"] == {"Ref": authorizer}
    )
    for access in (Access.KEY, Access.OPEN):
        assert _authorizer(templates, access)["type"] == "request"
        assert {"Ref": alias} in _authorizer(templates, access)["authorizerUri"]["Fn::Join"][1]


def test_keys_open_no_route_that_changes_anything(templates: Templates) -> None:
    opened = _opened_by(templates, Access.KEY) | _opened_by(templates, Access.OPEN)

    assert opened
    assert {method for method, _ in opened} == {"GET"}
    assert {_routes()[key].permission for key in opened} <= VIEW_PERMISSIONS


def test_what_the_authorizer_decides_is_kept_by_header_and_route_and_for_half_a_minute(templates: Templates) -> None:
    """Its policies are of one route; and with its own memory a revoked key opens nothing more after a minute."""
    authorizer = _authorizer(templates, Access.KEY)

    assert authorizer["identitySource"] == "method.request.header.Authorization, context.resourcePath"
    assert authorizer["authorizerResultTtlInSeconds"] + REMEMBERED_S <= 60


def test_what_is_open_without_a_header_is_asked_about_each_time(templates: Templates) -> None:
    authorizer = _authorizer(templates, Access.OPEN)

    assert (authorizer.get("identitySource"), authorizer["authorizerResultTtlInSeconds"]) == (None, 0)


def test_the_authorizer_knows_the_routes_as_modules_declare_them() -> None:
    assert READ_ROUTES.read_text() == read_routes(), "run `python -m infra.openapi`"


def test_only_health_the_description_and_signing_in_need_no_token(templates: Templates) -> None:
    public = {key for key, method in _methods(templates).items() if "security" not in method}

    assert public <= PUBLIC


def test_every_method_calls_the_function_of_its_own_module(templates: Templates) -> None:
    aliases = {r.properties["FunctionName"]["Ref"]: r.logical_id for r in templates.resources("AWS::Lambda::Alias")}
    functions = templates.functions()
    for key, route in _routes().items():
        integration = _methods(templates)[key]["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST"), key
        called = [part["Ref"] for part in integration["uri"]["Fn::Join"][1] if "Ref" in part]
        assert aliases[functions[route.function].logical_id] in called, key


def test_the_gateway_may_call_each_function_by_one_permission_of_this_api_alone(templates: Templates) -> None:
    permissions = list(templates.resources("AWS::Lambda::Permission", "Api"))

    assert len(permissions) == len(REGISTRY.api) + 1  # the authorizer
    for permission in permissions:
        assert permission.properties["Principal"] == "apigateway.amazonaws.com"
        assert {"Ref": templates.one("AWS::ApiGateway::RestApi").logical_id} in (
            permission.properties["SourceArn"]["Fn::Join"][1]
        )


def test_a_change_of_a_route_is_deployed(templates: Templates) -> None:
    """The deployment's name has a digest of the document, without which CloudFormation would leave the old one."""
    deployment = templates.one("AWS::ApiGateway::Deployment")

    assert re.fullmatch(r"ApiDeployment\w+[0-9a-f]{32}", deployment.logical_id)
    assert templates.one("AWS::ApiGateway::Stage").properties["DeploymentId"] == {"Ref": deployment.logical_id}


def test_the_gateways_own_answers_are_problem_documents_with_the_request_id(templates: Templates) -> None:
    answers = _document(templates)["x-amazon-apigateway-gateway-responses"]

    assert {"UNAUTHORIZED", "ACCESS_DENIED", "REQUEST_TOO_LARGE", "THROTTLED", "DEFAULT_4XX", "DEFAULT_5XX"} <= set(
        answers
    )
    assert answers["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "404"
    for kind, answer in answers.items():
        document = json.loads(answer["responseTemplates"]["application/json"])
        header = answer["responseParameters"]["gatewayresponse.header.Content-Type"]
        assert header == "'application/problem+json'", kind
        assert document["request_id"] == "$context.requestId", kind
        assert document["type"].startswith("urn:terrafusion:problem:"), kind
        assert str(document.get("status", "")) == answer.get("statusCode", ""), kind


def test_the_firewall_stands_before_the_stage_and_limits_each_address(templates: Templates) -> None:
    rules = templates.one("AWS::WAFv2::WebACL").properties["Rules"]
    managed = {r["Name"] for r in rules if "ManagedRuleGroupStatement" in r["Statement"]}
    limits = [r["Statement"]["RateBasedStatement"] for r in rules if "RateBasedStatement" in r["Statement"]]
    stage = templates.one("AWS::ApiGateway::Stage").logical_id

    assert {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= managed
    assert limits[0]["AggregateKeyType"] == "IP"
    assert {"Ref": stage} in templates.one("AWS::WAFv2::WebACLAssociation").properties["ResourceArn"]["Fn::Join"][1]


def test_what_the_firewall_refuses_or_counts_is_logged_without_tokens(templates: Templates) -> None:
    logging = templates.one("AWS::WAFv2::LoggingConfiguration").properties
    (kept,) = logging["LoggingFilter"]["Filters"]

    assert logging["LoggingFilter"]["DefaultBehavior"] == "DROP"
    assert {c["ActionCondition"]["Action"] for c in kept["Conditions"]} == {"BLOCK", "COUNT", "EXCLUDED_AS_COUNT"}
    assert logging["RedactedFields"] == [{"SingleHeader": {"Name": "authorization"}}]
    assert any(
        str(log.properties.get("LogGroupName")).startswith("aws-waf-logs-")
        for log in templates.resources("AWS::Logs::LogGroup", "Api")
    )


def test_requests_are_logged_with_the_id_that_problems_carry(templates: Templates) -> None:
    setting = templates.one("AWS::ApiGateway::Stage").properties
    line = access_log_line(setting["AccessLogSetting"]["Format"])

    assert line["request_id"] == "$context.requestId"
    assert setting["MethodSettings"][0]["ThrottlingRateLimit"] > 0


def test_a_route_declared_by_two_modules_is_refused() -> None:
    routes = [OwnedRoute("GET", "/v1/things", None, owner) for owner in ("first", "second")]

    with pytest.raises(RouteError, match="declared by first and by second"):
        check_routes(routes)


def test_two_names_of_a_parameter_in_one_place_are_refused() -> None:
    routes = [
        OwnedRoute("GET", "/v1/runs/{run_id}", None, "first"),
        OwnedRoute("POST", "/v1/runs/{id}/approve", None, "second"),
    ]

    with pytest.raises(RouteError, match=r"\{run_id\} and \{id\}"):
        check_routes(routes)
