"""API Gateway's methods, derived from the routes that modules declare."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk.aws_apigateway import AwsIntegration, Integration, RestApi
from aws_cdk.aws_iam import ServicePrincipal

from infra.best_practices import accept
from infra.constructs.authorizers import Authorizers
from infra.constructs.service_function import ServiceFunction
from infra.functions import routes_of
from shared.access import Access, Permission

_PUBLIC = dict.fromkeys(
    ("AwsSolutions-APIG4", "AwsSolutions-COG4"),
    "The route comes before a token: signing in, health, or the API's description.",
)
_KEYS = {"AwsSolutions-COG4": "Our authorizer verifies the pool's tokens too, and the keys that users make."}


class RouteError(ValueError):
    """Two routes that exclude each other in one REST API."""


@dataclass(frozen=True)
class OwnedRoute:
    """A route and the name of the function that serves it."""

    method: str
    path: str
    permission: Permission | None
    function: str
    access: Access = Access.TOKEN


def check_routes(routes: Sequence[OwnedRoute]) -> None:
    """Raise RouteError for a route declared twice, or for two names of a parameter in the same place.

    API Gateway's tree has one variable child a node, so `/runs/{id}` and `/runs/{run_id}/approve` exclude
    each other; it would say so only at deployment.
    """
    owners: dict[tuple[str, str], str] = {}
    variables: dict[str, str] = {}
    for route in routes:
        key = (route.method, route.path)
        if key in owners:
            raise RouteError(f"{route.method} {route.path} is declared by {owners[key]} and by {route.function}")
        owners[key] = route.function
        parent = ""
        for part in route.path.strip("/").split("/"):
            if part.startswith("{") and variables.setdefault(parent, part) != part:
                raise RouteError(f"below {parent} a parameter is called {variables[parent]} and {part}: choose one")
            parent = f"{parent}/{part}"


def add_routes(api: RestApi, authorizers: Authorizers, functions: Sequence[ServiceFunction]) -> None:
    """Add each module's routes to `api`. A route without a permission needs no token; one that changes something needs
    a token with exactly the permission's scope, and one that reads such a token, or a key, as our authorizer decides.
    """
    check_routes(
        [
            OwnedRoute(route.method, route.path, route.permission, function.spec.name)
            for function in functions
            for route in routes_of(function.spec)
        ]
    )
    for function in functions:
        integration = _integration(api, function)
        for route in routes_of(function.spec):
            resource = api.root.resource_for_path(route.path)
            if route.permission is None:
                accept(resource.add_method(route.method, integration), _PUBLIC)
            elif route.access is Access.TOKEN:
                resource.add_method(
                    route.method,
                    integration,
                    authorizer=authorizers.of(route.access),
                    authorization_scopes=[route.permission.scope],
                )
            else:
                authorizer = authorizers.of(route.access)
                accept(resource.add_method(route.method, integration, authorizer=authorizer), _KEYS)


def _integration(api: RestApi, function: ServiceFunction) -> Integration:
    """One permission a function: the CDK's own integration makes two a method, and a stack holds 500 resources."""
    function.alias.add_permission(
        "Gateway",
        principal=ServicePrincipal("apigateway.amazonaws.com"),
        source_arn=Stack.of(api).format_arn(
            service="execute-api", resource=api.rest_api_id, resource_name=f"{api.deployment_stage.stage_name}/*/*"
        ),
    )
    return AwsIntegration(
        service="lambda", proxy=True, path=f"2015-03-31/functions/{function.alias.function_arn}/invocations"
    )
