"""The REST API as one document: OpenAPI 3.0 with the extensions of API Gateway.

As resources of CloudFormation a method would be two of the 500 of a stack, and API Gateway would make them five a
second. An import of the document replaces all of it at once, so what is not in it is not part of the API: the gateway's
own error responses are in it too.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk.aws_cognito import IUserPool
from aws_cdk.aws_lambda import IFunction

from infra.constructs.gateway_problems import gateway_responses
from infra.constructs.routes import require_distinct_routes
from infra.constructs.service_function import ServiceFunction
from infra.function_specs import routes_of
from shared.access import Access, Permission

AUTHORIZER_CACHE_S = 30
"""Seconds for which the gateway keeps what the authorizer has decided about a header and a route. With the authorizer's
own memory of keys (`REMEMBERED_S` in `functions.keys`, 30 too) a revoked key opens nothing more after a minute."""
TOKEN_CACHE_S = 300

Document = dict[str, Any]


def rest_api_definition(
    stack: Stack, functions: Sequence[ServiceFunction], user_pool: IUserPool, authorizer: ServiceFunction
) -> Document:
    """The definition of the routes that modules declare.

    A route without a permission needs no credentials; one that changes something needs a token with exactly the
    permission's scope, and one that reads such a token, or a key, as our authorizer decides. Raises RouteError for
    routes that exclude each other.
    """
    require_distinct_routes(functions)
    paths: dict[str, Document] = {}
    for function in functions:
        integration = _integration(stack, function.alias)
        for route in routes_of(function.spec):
            operation: Document = {"x-amazon-apigateway-integration": integration, "responses": {}}
            if route.permission is not None:
                operation["security"] = [{route.access.value: _scopes(route.access, route.permission)}]
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.0.1",
        "info": {"title": "TerraFusion", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": _security_schemes(stack, user_pool, authorizer.alias)},
        "x-amazon-apigateway-gateway-responses": gateway_responses(),
    }


def _integration(stack: Stack, function: IFunction) -> Document:
    return {"type": "aws_proxy", "httpMethod": "POST", "uri": _invocation_uri(stack, function)}


def _invocation_uri(stack: Stack, function: IFunction) -> str:
    return (
        f"arn:{stack.partition}:apigateway:{stack.region}:lambda:path/2015-03-31/functions/"
        f"{function.function_arn}/invocations"
    )


def _scopes(access: Access, permission: Permission) -> list[str]:
    """The scopes that the user pool's authorizer demands; our own knows the permissions of the routes itself."""
    return [permission.scope] if access is Access.TOKEN else []


def _security_schemes(stack: Stack, user_pool: IUserPool, authorizer: IFunction) -> dict[str, Document]:
    """The authorizers by the access of the routes that they open: Cognito's own for access tokens alone, and a function
    of ours for what keys open too.

    The function's answers are kept by header and route, so that each policy is of one route. Of what is open without a
    header none are kept: the gateway demands every identity source of an authorizer whose answers it keeps.
    """
    header = {"type": "apiKey", "name": "Authorization", "in": "header"}
    function = {"type": "request", "authorizerUri": _invocation_uri(stack, authorizer)}
    return {
        Access.TOKEN.value: header
        | {
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {
                "type": "cognito_user_pools",
                "providerARNs": [user_pool.user_pool_arn],
                "authorizerResultTtlInSeconds": TOKEN_CACHE_S,
            },
        },
        Access.KEY.value: header
        | {
            "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": function
            | {
                "identitySource": "method.request.header.Authorization, context.resourcePath",
                "authorizerResultTtlInSeconds": AUTHORIZER_CACHE_S,
            },
        },
        Access.OPEN.value: header
        | {
            "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": function | {"authorizerResultTtlInSeconds": 0},
        },
    }
