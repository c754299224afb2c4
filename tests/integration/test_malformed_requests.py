"""Malformed requests to every route, none of them a failure of ours. TERRAFUSION_REQUESTS=10000 sends so many."""

import importlib
import json
import os
import random
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from urllib.parse import unquote

import pytest

from infra.functions import REGISTRY
from infra.local.gateway.events import ApiIdentity, Request, proxy_answer, proxy_event
from infra.local.gateway.routing import Router
from infra.local.rest_api import Route
from shared import paging
from shared.access import Permission, Role
from shared.api.problems import PROBLEM_JSON
from tests.api_county import api_county
from tests.conftest import MigratedDatabase
from tests.gateway import LambdaContext, claims_of
from tests.malformed_requests import MalformedRequest, requests

COUNT = int(os.environ.get("TERRAFUSION_REQUESTS", "600"))
SEED = int(os.environ.get("TERRAFUSION_SEED", "1"))
LARGEST_PROBLEM = 300_000
SOURCE_SLUGS = ("source-secret-missing", "source-unavailable")
"""A county's own system that cannot be read is a 502 of its own, and no failure of ours."""
UNREADABLE_PATH = ("not-utf-8", "nul-character")
"""A path that is no text is refused before its county is looked at."""


@pytest.fixture
def platform(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(paging, "_digest", lambda _: "0" * 16)  # every made-up token is of the right query
    with api_county(monkeypatch):
        yield


def test_no_malformed_request_is_a_failure_of_ours_and_none_without_permission_is_answered(platform: None) -> None:
    apis = {spec.name: importlib.import_module(spec.module_path).api for spec in REGISTRY.api}
    router = Router(Route(route.method, route.path, name, None) for name, api in apis.items() for route in api.routes)
    permissions = {
        (name, route.method, route.path): route.permission for name, api in apis.items() for route in api.routes
    }
    chance = random.Random(SEED)  # noqa: S311 - no secret
    failures: list[str] = []
    statuses: Counter[int] = Counter()
    refused = 0

    for request in islice(requests(SEED), COUNT):
        match = router.match(request.method, request.path)
        if match is None or match.route.function is None:
            continue
        claims = _claims(chance)
        event = proxy_event(
            _as_request(request), match.route.path, match.parameters, ApiIdentity("api", "test"), "request-1", claims
        )
        try:
            status, headers, body = proxy_answer(apis[match.route.function].handler(event, LambdaContext()))
        except Exception:
            failures.append(f"{request}\n{traceback.format_exc()[-1500:]}")
            continue
        statuses[status] += 1
        permission = permissions[match.route.function, match.route.method, match.route.path]
        county_id = unquote(match.parameters.get("county_id", ""))
        fault = _fault(status, dict(headers), body) or _refusal_fault(permission, claims, county_id, status, body)
        refused += status == HTTPStatus.FORBIDDEN
        if fault:
            failures.append(f"{fault}: {str(request)[:1500]}\n{body[:500]!r}")

    print(dict(sorted(statuses.items())))
    assert refused > COUNT / 20, "the callers without permission were not refused"
    assert not failures, f"{len(failures)} of {COUNT}:\n" + "\n\n".join(failures[:20])


def _claims(chance: random.Random) -> dict[str, str]:
    """Mostly every scope, so that requests reach the routes' code; a fourth have a role's, a tenth another county."""
    claims = claims_of(chance.choice(list(Role)), ["king_wa"] if chance.random() < 0.9 else ["other_wa"])
    if chance.random() < 0.25:
        return claims
    return claims | {"scope": claims_of(Role.IT_ADMIN)["scope"]}


def _refusal_fault(
    permission: Permission | None, claims: Mapping[str, str], county_id: str, status: int, body: bytes
) -> str | None:
    """Why a refusal is missing, too much, or says more than that it is one."""
    problem = json.loads(body) if status >= 400 else {}
    slug = str(problem.get("type", "")).rpartition(":")[2]
    lacks = permission is not None and permission.scope not in claims["scope"].split()
    if lacks != (slug == "permission-missing"):
        return f"{status} {slug} for a caller who {'lacks' if lacks else 'has'} {permission}"
    if lacks:
        message = f"This needs the permission {permission}, which none of your roles has."
        refusal = (HTTPStatus.FORBIDDEN, message, None)
        return None if (status, problem["detail"], problem.get("errors")) == refusal else "a refusal that tells"
    foreign = permission is not None and county_id not in ("", claims["counties"])
    if foreign and slug not in ("county-not-permitted", *UNREADABLE_PATH):
        return f"{status} {slug} for a caller of another county"
    return None


def _fault(status: int, headers: dict[bytes, bytes], body: bytes) -> str | None:
    if status < 400:
        return None
    if not headers.get(b"content-type", b"").startswith(PROBLEM_JSON.encode()):
        return f"{status} is no problem document"
    problem = json.loads(body)
    slug = problem["type"].rpartition(":")[2]
    if status >= 500 and slug not in SOURCE_SLUGS:
        return f"{status} {slug}"
    if len(body) > LARGEST_PROBLEM:
        return f"a problem of {len(body)} bytes"
    if slug == "validation" and not problem.get("errors"):
        return "a validation problem that names no field"
    return None


def _as_request(request: MalformedRequest) -> Request:
    return Request(request.method, request.path, request.query, request.headers, request.body, "127.0.0.1", "HTTP/1.1")
