"""The routes that modules declare, checked for what one REST API can hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.constructs.service_function import ServiceFunction
from infra.function_specs import routes_of
from shared.access import Access, Permission


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


def require_distinct_routes(functions: Sequence[ServiceFunction]) -> None:
    """Raise RouteError where routes of these functions exclude each other."""
    check_routes(
        [
            OwnedRoute(route.method, route.path, route.permission, function.spec.name)
            for function in functions
            for route in routes_of(function.spec)
        ]
    )
