"""The routes of a module, each declared once: method, path, permission, schemas.

API Gateway's methods with their scopes, the OpenAPI document and the checks of this file derive from it. The
work of routing and validating is Powertools'; what is added here is the permission, the caller and problems.
A resolver serves one request at a time in a process, as on AWS: Powertools keeps the event on the class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import cleandoc, signature
from re import Match
from typing import Any, TypeVar, get_args
from urllib.parse import unquote

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi import compat
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from pydantic import BaseModel

from shared.access import Access, Caller, Permission, access_of
from shared.api.answers import entity_tag, see_other
from shared.api.exact import form_faults
from shared.api.headers import add_security_headers
from shared.api.list_formats import in_formats, item_schema
from shared.api.problems import problem_response, shortened, validation_problem
from shared.api.request import JSON, json_body, path_of, path_parameters, require_storable
from shared.counties.request_budget import COUNTY_BUCKETS, KEY_BUCKETS, RequestBudget
from shared.db.engine import forget_connections
from shared.db.failures import DatabaseUnavailable, availability_problem
from shared.db.limits import REQUEST, limited
from shared.jobs.large_results import ResultsTooLargeError
from shared.observability import lambda_entry
from shared.problems import (
    BadRequest,
    Forbidden,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    Unprocessable,
    UnsupportedMediaType,
)

Function = TypeVar("Function", bound=Callable[..., Any])

# Powertools asks this of every parameter's annotation at every request (a tenth of its time); it cannot change
compat.field_annotation_is_complex = cache(compat.field_annotation_is_complex)  # type: ignore[assignment]

MAX_IDEMPOTENCY_KEY = 200
"""Characters; a UUID has 36. A choice."""
MAX_VERSION_DIGITS = 9
"""Versions are counted in PostgreSQL's integers."""


_county_budget = RequestBudget(COUNTY_BUCKETS)
_key_budget = RequestBudget(KEY_BUCKETS)


class _Resolver(APIGatewayRestResolver):
    """Powertools' routes match a path whose parameters are percent-encoded; functions get them as they are."""

    def _convert_matches_into_route_keys(self, match: Match[str]) -> dict[str, str]:
        return {name: unquote(text) for name, text in match.groupdict().items()}


@dataclass(frozen=True)
class Route:
    """A route as it was declared.

    `permission` None means that it needs no token, `status` is that of success, `media_types` those of an answer that
    is not JSON, `items` the schema of the items of a list: its answer is JSON, or a file of another format.
    `query_prefix` begins query parameters whose names are the county's own: `attributes.`. `access` is what opens it.
    """

    method: str
    path: str
    permission: Permission | None
    name: str
    status: int = 200
    takes_body: bool = False
    media_types: tuple[str, ...] = ()
    items: type[BaseModel] | None = None
    query_prefix: str | None = None
    access: Access = Access.TOKEN


class Api:
    """The routes of one module. `handler` is the module's Lambda entry."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.routes: list[Route] = []
        self.resolver = _Resolver(
            enable_validation=True, serializer=_to_json, json_body_deserializer=lambda _: self._body
        )
        self.resolver.use([self._refuse_unknown_query, _refuse_other_forms, self._refuse_invalid_key])
        self.resolver.exception_handler(Problem)(self._answer_problem)
        self.resolver.exception_handler(ResultsTooLargeError)(self._answer_elsewhere)
        self.resolver.exception_handler(RequestValidationError)(self._answer_invalid)
        self.resolver.exception_handler(RequestUnsupportedContentType)(self._answer_media_type)
        self._logger = Logger(service=module)
        self._caller: Caller | None = None
        self._body: Any = None
        self._connection_was_dead = False

    def get(
        self,
        path: str,
        *,
        permission: Permission | None,
        summary: str,
        status: int = 200,
        media_types: tuple[str, ...] = (),
        query_prefix: str | None = None,
        access: Access | None = None,
    ) -> Callable[[Function], Function]:
        """Declare a GET. The decorated function's docstring is the description.

        Access tokens and keys open one with a permission to view. One with `access=Access.OPEN` is called for everybody
        where the county has opened the path's `{collection_id}`, or anything at all: see README.md.
        """
        return self._route("GET", path, permission, summary, status, media_types, query_prefix, access)

    def post(
        self, path: str, *, permission: Permission | None, summary: str, status: int = 200
    ) -> Callable[[Function], Function]:
        """Declare a POST."""
        return self._route("POST", path, permission, summary, status)

    def put(
        self, path: str, *, permission: Permission | None, summary: str, status: int = 200
    ) -> Callable[[Function], Function]:
        """Declare a PUT."""
        return self._route("PUT", path, permission, summary, status)

    def patch(
        self, path: str, *, permission: Permission | None, summary: str, status: int = 200
    ) -> Callable[[Function], Function]:
        """Declare a PATCH."""
        return self._route("PATCH", path, permission, summary, status)

    def delete(
        self, path: str, *, permission: Permission | None, summary: str, status: int = 204
    ) -> Callable[[Function], Function]:
        """Declare a DELETE."""
        return self._route("DELETE", path, permission, summary, status)

    @property
    def caller(self) -> Caller:
        """The caller of the present request (routes with a permission only)."""
        if self._caller is None:
            raise LookupError("this route is public: it has no caller")
        return self._caller

    @property
    def bearer_token(self) -> str:
        """The access token of the present request, which the gateway has verified (routes with a permission only)."""
        return (self.header("authorization") or "").partition(" ")[2].strip()

    @property
    def idempotency_key(self) -> str | None:
        """The request's Idempotency-Key. Raises BadRequest for one that is too long, or no plain text."""
        key = self.header("idempotency-key")
        if key is not None and not (0 < len(key) <= MAX_IDEMPOTENCY_KEY and key.isprintable()):
            raise BadRequest(
                f"Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} printable characters.", slug="idempotency-key-invalid"
            )
        return key

    def required_version(self) -> int | None:
        """The version that If-Match names; None for `*`, which means whatever it is now.

        Raises PreconditionRequired without the header, PreconditionFailed for what is no ETag of ours.
        """
        tag = self.header("if-match")
        if tag is None:
            raise PreconditionRequired("Send If-Match with the ETag of what you read.")
        if tag.strip() == "*":
            return None
        version = tag.strip().removeprefix('"').removesuffix('"')
        counted = version.isdecimal() and len(version) <= MAX_VERSION_DIGITS
        if not counted or tag.strip() != entity_tag(int(version)):
            raise PreconditionFailed(f"If-Match {shortened(tag)} is not an ETag of this resource.")
        return int(version)

    def prefixed_query(self, prefix: str) -> dict[str, str]:
        """The query parameters whose names begin with a prefix, by the rest of their names."""
        parameters = self.resolver.current_event.query_string_parameters or {}
        return {name.removeprefix(prefix): text for name, text in parameters.items() if name.startswith(prefix)}

    def header(self, name: str) -> str | None:
        """A header of the request, by its lower-case name."""
        value: str | None = self.resolver.current_event.headers.get(name)
        return value

    @cached_property
    def handler(self) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        """The Lambda entry for API Gateway's proxy events."""

        @lambda_entry
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            return add_security_headers(self._handle(event, context))

        return handler

    def _handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        request_id = str(event["requestContext"].get("requestId", ""))
        try:
            with limited(REQUEST):
                return self._resolve(self._read(event), context)
        except Problem as problem:
            return _proxy_answer(problem_response(problem, request_id))
        except Exception as error:
            self._logger.exception("unexpected failure", request_id=request_id, resource=event.get("resource"))
            answered = availability_problem(error) or Problem("The failure is logged under the request id.")
            return _proxy_answer(problem_response(answered, request_id))
        finally:
            self._caller, self._body = None, None

    def _read(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event as Powertools takes it, its caller known and its texts and its body read."""
        route = self._route_of(event)
        caller = self._permitted_caller(route, event)
        parameters = path_parameters(event)
        if caller is not None and route.permission is not None and "county_id" in parameters:
            county_id = parameters["county_id"]
            if not caller.is_anonymous:
                caller.require_county(county_id, route.permission)
            if caller.key_id is not None:
                _key_budget.spend(county_id, caller.key_id)
            _county_budget.spend(county_id)
        self._caller = caller
        for name, values in (event.get("multiValueQueryStringParameters") or {}).items():
            require_storable("query", {name: "".join([name, *values])})
        require_storable("query", event.get("queryStringParameters") or {})
        self._body = json_body(event) if route.takes_body else None
        headers = {k: v for k, v in (event.get("headers") or {}).items() if k.lower() != "content-type"}
        return event | {
            "path": path_of(event, parameters),
            "pathParameters": parameters or None,
            "headers": {**headers, "content-type": JSON},
            "body": "read" if self._body is not None else None,  # what Powertools takes for it is self._body
            "isBase64Encoded": False,
        }

    def _resolve(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The answer; a GET whose pooled connection turned out to be dead is made once more, on a fresh one."""
        self._connection_was_dead = False
        answered = self.resolver.resolve(event, context)
        if self._connection_was_dead and event["httpMethod"] == "GET":
            forget_connections()
            return self.resolver.resolve(event, context)
        return answered

    def _route(
        self,
        method: str,
        path: str,
        permission: Permission | None,
        summary: str,
        status: int,
        media_types: tuple[str, ...] = (),
        query_prefix: str | None = None,
        access: Access | None = None,
    ) -> Callable[[Function], Function]:
        def declare(function: Function) -> Function:
            items = item_schema(function) if method == "GET" else None
            route = Route(
                method,
                path,
                permission,
                function.__name__,
                status=status,
                takes_body=_takes_body(function),
                media_types=media_types,
                items=items,
                query_prefix=query_prefix,
                access=access or access_of(method, permission),
            )
            self.routes.append(route)
            rule = path.replace("{", "<").replace("}", ">")
            register = getattr(self.resolver, method.lower())
            register(
                rule,
                summary=summary,
                description=cleandoc(function.__doc__ or summary),  # Python 3.13 dedents docstrings itself
                operation_id=f"{self.module}_{function.__name__}",
                tags=[self.module],
                middlewares=[] if items is None else [in_formats(function, path, items)],
            )(function)
            return function

        return declare

    @cached_property
    def _by_resource(self) -> dict[tuple[str, str], Route]:
        return {(route.method, route.path): route for route in self.routes}

    def _route_of(self, event: Mapping[str, Any]) -> Route:
        route = self._by_resource.get((event["httpMethod"], event["resource"]))
        if route is None:
            shown = shortened(f"{event['httpMethod']} {event['path']}")
            raise NotFound(f"{shown} is not part of this API.", slug="route-not-found")
        return route

    def _permitted_caller(self, route: Route, event: Mapping[str, Any]) -> Caller | None:
        """The caller, who has the route's permission. The gateway has checked token and scope; this is the second lock.

        It comes before anything else is read of the request, so that a refusal says nothing of what was asked for.
        """
        if route.permission is None:
            return None
        authorizer = event["requestContext"].get("authorizer") or {}
        caller = Caller.from_claims(authorizer.get("claims") or authorizer)  # of Cognito's authorizer, or of ours
        if caller.key_id is not None and route.access is Access.TOKEN:
            raise Forbidden("A key opens what can be read, and nothing else: sign in.", slug="key-not-accepted")
        if not (caller.is_anonymous and route.access is Access.OPEN):
            caller.require(route.permission)
        return caller

    def _refuse_unknown_query(self, app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
        """Refuse unknown query parameters: a misspelt filter that was ignored would answer with far too much."""
        parameters = app.current_event.query_string_parameters
        if parameters:
            declared = {parameter.alias for parameter in app.context["_route"].dependant.query_params}
            prefix = self._route_of(app.current_event.raw_event).query_prefix
            unknown = sorted(
                name for name in set(parameters) - declared if prefix is None or not name.startswith(prefix)
            )
            if unknown:
                known = [*sorted(declared), *([f"{prefix}NAME"] if prefix is not None else [])]
                raise BadRequest(
                    f"Unknown query parameter(s): {', '.join(unknown)}. Known here: {', '.join(known) or 'none'}.",
                    slug="unknown-parameter",
                )
        return next_middleware(app)

    def _refuse_invalid_key(self, app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
        """Refuse an Idempotency-Key in another form on every POST, also on those that are idempotent by themselves."""
        if self._caller is not None and app.current_event.http_method == "POST":
            _ = self.idempotency_key
        return next_middleware(app)

    def _answer_problem(self, problem: Problem) -> Response[str]:
        if isinstance(problem, DatabaseUnavailable):
            self._connection_was_dead = problem.unanswered
            self._logger.warning("database unavailable", request_id=self._request_id, cause=repr(problem.__cause__))
        return problem_response(problem, self._request_id)

    def _answer_elsewhere(self, results: ResultsTooLargeError) -> Response[Any]:
        return see_other(results.address)

    def _answer_invalid(self, error: RequestValidationError) -> Response[str]:
        return problem_response(validation_problem(error.errors()), self._request_id)

    def _answer_media_type(self, error: RequestUnsupportedContentType) -> Response[str]:
        return problem_response(UnsupportedMediaType(f"{error}: send application/json."), self._request_id)

    @property
    def _request_id(self) -> str:
        return str(self.resolver.current_event.request_context.request_id)


def _takes_body(function: Callable[..., Any]) -> bool:
    """True for a function with a parameter that is a model, or a union of models: Powertools reads it from the body."""

    def is_model(annotation: Any) -> bool:
        parts = get_args(annotation)
        if parts:
            return any(is_model(part) for part in parts)
        return isinstance(annotation, type) and issubclass(annotation, BaseModel)

    return any(is_model(parameter.annotation) for parameter in signature(function).parameters.values())


def _refuse_other_forms(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Refuse values that Powertools has parsed more leniently than the API describes them."""
    dependant, event = app.context["_route"].dependant, app.current_event
    faults = [
        *form_faults("path", dependant.path_params, event.path_parameters or {}),
        *form_faults("query", dependant.query_params, event.query_string_parameters or {}),
    ]
    if faults:
        raise Unprocessable(f"{len(faults)} parameter(s) are not valid; see errors.", faults=tuple(faults))
    return next_middleware(app)


def _proxy_answer(response: Response[str]) -> dict[str, Any]:
    headers = {name: [str(value)] for name, value in response.headers.items()}
    return {
        "statusCode": response.status_code,
        "body": response.body,
        "isBase64Encoded": False,
        "multiValueHeaders": {"Content-Type": [response.content_type], **headers},
    }


def _to_json(body: object) -> str:
    return orjson.dumps(body, default=str).decode()
