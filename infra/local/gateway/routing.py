"""Routes of the API, looked up by method and path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infra.local.rest_api import Route


@dataclass(frozen=True)
class Match:
    """A route, and the values of its path parameters, percent-encoded as they were sent."""

    route: Route
    parameters: Mapping[str, str]


@dataclass
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: tuple[str, "_Node"] | None = None
    proxy: tuple[str, "_Node"] | None = None
    methods: dict[str, Route] = field(default_factory=dict)


class Router:
    """A literal part beats a parameter, a parameter beats `{proxy+}`; a method beats `ANY`."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def match(self, method: str, path: str) -> Match | None:
        """The route of `path`, or None. Nothing is decoded: a REST API hands on the path as it was sent, and takes one
        that ends in a slash for the same without it.
        """
        stripped = path[1:].removesuffix("/")
        parts = stripped.split("/") if stripped else []
        parameters: dict[str, str] = {}
        route = _find(self._root, method, parts, 0, parameters)
        return Match(route, parameters) if route else None

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.path.strip("/").split("/"):
            if not part:
                continue
            if part.startswith("{") and part.endswith("+}"):
                node.proxy = node.proxy or (part[1:-2], _Node())
                node = node.proxy[1]
            elif part.startswith("{"):
                node.parameter = node.parameter or (part[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.literals.setdefault(part, _Node())
        node.methods[route.method] = route


def _find(node: _Node, method: str, parts: list[str], depth: int, parameters: dict[str, str]) -> Route | None:
    if depth == len(parts):
        return node.methods.get(method) or node.methods.get("ANY")
    part = parts[depth]
    literal = node.literals.get(part)
    if literal and (method_route := _find(literal, method, parts, depth + 1, parameters)):
        return method_route
    if node.parameter and part and (method_route := _find(node.parameter[1], method, parts, depth + 1, parameters)):
        parameters[node.parameter[0]] = part
        return method_route
    if node.proxy and part:
        name, remainder = node.proxy
        method_route = remainder.methods.get(method) or remainder.methods.get("ANY")
        if method_route:
            parameters[name] = "/".join(parts[depth:])
        return method_route
    return None
