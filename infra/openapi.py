"""The OpenAPI document, derived from the routes that the modules declare.

It is kept beside the function that serves it (functions/platform/openapi.json), so that a change of the API is
seen in review; a test compares the two. `python -m infra.openapi` writes it anew, and with it the actions that the
audit trail's route describes, the kinds of jobs that the list of jobs knows, the routes that the gateway's
authorizer knows, and the generated modules of the client.
"""

import importlib
import json
from http import HTTPStatus
from typing import Any, get_args

from infra import client_generator
from infra.functions import REGISTRY
from infra.settings import ROOT
from shared.access import Access
from shared.api import Api, Route
from shared.api.problems import PROBLEM_JSON
from shared.audit import ResourceAction
from shared.tables.formats import TABLE_FORMATS

DOCUMENT = ROOT / "functions" / "platform" / "openapi.json"
AUDIT_ACTIONS = ROOT / "functions" / "audit" / "actions.json"
JOB_KINDS = ROOT / "functions" / "jobs" / "kinds.json"
REPEATABLE_KINDS = ROOT / "functions" / "schedules" / "kinds.json"
READ_ROUTES = ROOT / "functions" / "keys" / "read_routes.json"
TITLE = "TerraFusion"
VERSION = "1"

_DESCRIPTION = (
    "County property assessment: synchronization, valuation, ratio studies, reporting and GIS export. Money is exact "
    "decimal (a string), times carry their offset, areas are square feet, coordinates are WGS 84 longitude and "
    "latitude. Errors are RFC 9457 problem details."
)
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of what you read, or *.",
    "schema": {"type": "string"},
}
_LOCATION = {"description": "The address to take it from", "schema": {"type": "string", "format": "uri"}}
_FILE = {"type": "string", "description": "The whole list, a column for each field of its items."}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body again find what the first request made.",
    "schema": {"type": "string", "maxLength": 200},
}
_PROBLEM = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "urn:terrafusion:problem: and the problem's name"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer to the fault"},
                    "detail": {"type": "string"},
                    "rule": {"type": "string"},
                    "line": {"type": "integer"},
                },
            },
        },
    },
}


def document() -> dict[str, Any]:
    """The whole API as OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    for api in _apis():
        described = _with_names_of_its_own(_described(api), api.module, schemas)
        schemas |= described.get("components", {}).get("schemas", {})
        for route in api.routes:
            operation = described["paths"][route.path][route.method.lower()]
            paths.setdefault(route.path, {})[route.method.lower()] = _completed(operation, route)
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "access_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access_token of POST /v1/auth/login.",
                },
                "access_key": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A key of POST /v1/keys as the password, with any user name; or as a bearer token.",
                },
            },
        },
    }


def rendered() -> str:
    """The document as it is kept and served."""
    return json.dumps(document(), indent=1, sort_keys=False, default=str) + "\n"


def _apis() -> list[Api]:
    return [importlib.import_module(spec.module_path).api for spec in REGISTRY.api]


def _described(api: Api) -> dict[str, Any]:
    schema = api.resolver.get_openapi_json_schema(title=TITLE, version=VERSION)
    described: dict[str, Any] = json.loads(schema)
    return described


def _with_names_of_its_own(described: dict[str, Any], module: str, known: dict[str, Any]) -> dict[str, Any]:
    """A module's description, its name before each schema that a module before it describes otherwise."""
    schemas: dict[str, Any] = described.get("components", {}).get("schemas", {})
    text = json.dumps(described)
    prefix = "".join(word.title() for word in module.split("_"))
    for name in [name for name, schema in schemas.items() if known.get(name, schema) != schema]:
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{prefix}{name}"')
        text = text.replace(f'"{name}": {{', f'"{prefix}{name}": {{')
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def _completed(operation: dict[str, Any], route: Route) -> dict[str, Any]:
    responses: dict[str, Any] = {str(route.status): _success(operation["responses"]["200"], route)}
    if route.items is not None:
        responses["303"] = {"description": "A file that is larger than an answer", "headers": {"Location": _LOCATION}}
    responses["default"] = {
        "description": "A problem",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    completed = {**operation, "responses": responses, "security": []}
    if route.permission is None:
        return completed
    completed["security"] = [{"access_token": [route.permission.scope]}]
    if route.access is not Access.TOKEN:
        completed["security"].append({"access_key": []})
    if route.access is Access.OPEN:
        completed["security"].append({})
    completed["x-permission"] = route.permission.value
    extra = _headers_of(route)
    if route.query_prefix is not None:
        extra = [*extra, _prefixed(route.query_prefix)]
    if extra:
        completed["parameters"] = [*operation.get("parameters", []), *extra]
    return completed


def _prefixed(prefix: str) -> dict[str, Any]:
    """Query parameters whose names have a prefix: as an object, of which each member is a parameter."""
    return {
        "name": prefix.removesuffix(".") or "parameters",
        "in": "query",
        "required": False,
        "description": f"{prefix}NAME=VALUE for each.",
        "style": "form",
        "explode": True,
        "schema": {
            "type": "object",
            "propertyNames": {"pattern": f"^{prefix.replace('.', '[.]')}.+$"},
            "additionalProperties": {"type": "string"},
        },
    }


def _headers_of(route: Route) -> list[dict[str, Any]]:
    """The headers that a change wants: a new thing, or a job, is made once; what is there is changed as it was read."""
    if route.method == "POST" or (route.method == "PUT" and route.status == HTTPStatus.ACCEPTED):
        return [_IDEMPOTENCY_KEY]
    changes = route.method in ("PUT", "PATCH") or (route.method == "DELETE" and route.status == HTTPStatus.OK)
    return [_IF_MATCH] if changes else []


def _success(described: dict[str, Any], route: Route) -> dict[str, Any]:
    """The successful response: without a body where it is empty, of the route's own media types where it has some."""
    if route.status == HTTPStatus.NO_CONTENT:
        return {"description": described["description"]}
    if route.status == HTTPStatus.SEE_OTHER:
        return {"description": described["description"], "headers": {"Location": _LOCATION}}
    if route.items is not None:
        files = {table.media_type: {"schema": _FILE} for table in TABLE_FORMATS}
        return {**described, "content": {**described["content"], **files}}
    if route.media_types:
        return {**described, "content": {name: {"schema": {"type": "string"}} for name in route.media_types}}
    return described


def audit_actions() -> str:
    """The actions that the audit trail can hold, as kept: on resources, and the cancelling of each job kind."""
    actions = {*get_args(ResourceAction), *(kind.cancellation for kind in REGISTRY.job_kinds)}
    return json.dumps(sorted(actions), indent=1) + "\n"


def listed_job_kinds() -> str:
    """The kinds of the list of jobs, as kept: of each its collection, its links, and who may see it."""
    kinds = {
        kind.name: {"collection": kind.collection, "linked": kind.linked, "view": kind.view}
        for kind in REGISTRY.job_kinds
    }
    return json.dumps(kinds, indent=1, sort_keys=True) + "\n"


def repeatable_job_kinds() -> str:
    """The kinds of jobs that schedules repeat, as kept: of each its collection, its links, who submits and sees it."""
    kinds = {
        kind.name: {"collection": kind.collection, "linked": kind.linked, "run": kind.run, "view": kind.view}
        for kind in REGISTRY.job_kinds
        if kind.repeatable
    }
    return json.dumps(kinds, indent=1, sort_keys=True) + "\n"


def read_routes() -> str:
    """The routes that keys open, as kept: permission and access of each, by its path."""
    routes = (route for api in _apis() for route in api.routes if route.access in (Access.KEY, Access.OPEN))
    described = {route.path: {"permission": route.permission, "access": route.access} for route in routes}
    return json.dumps(described, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    JOB_KINDS.write_text(listed_job_kinds())
    REPEATABLE_KINDS.write_text(repeatable_job_kinds())
    READ_ROUTES.write_text(read_routes())
    AUDIT_ACTIONS.write_text(audit_actions())  # first: the audit trail's route describes them
    DOCUMENT.write_text(rendered())
    client_generator.write(json.loads(rendered()))
