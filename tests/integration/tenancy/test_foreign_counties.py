"""Each endpoint attacked by a caller of another county: by path, filter, body, page token, key and file name."""

import base64
import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import boto3
import pytest
from sqlalchemy import text

from infra.functions import REGISTRY
from infra.local.postgres import LocalPostgres
from infra.openapi import document
from shared import paging
from shared.access import Permission, Role
from shared.api import Api, Route
from shared.db import unit_of_work
from tests.aws import aws_in_this_process, make_machine
from tests.conftest import database_like
from tests.foreign_county import CANARY, FIRST_YEAR, IDS, OTHER, add_foreign_county, bodies, text_of
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, add_county, add_evidence

APIS: dict[str, Api] = {spec.name: importlib.import_module(spec.module_path).api for spec in REGISTRY.api}
ROUTES = [(api, route) for api in APIS.values() for route in api.routes]
OF_COUNTIES = [(api, route) for api, route in ROUTES if "{county_id}" in route.path]
DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]
OUTSIDER, INSIDER = claims_of(counties=[COUNTY]), claims_of(counties=[OTHER])
EVERYTHING = " ".join(permission.scope for permission in Permission)
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)|X-Amz-[A-Za-z]+=[^&\"]+|\d{8}T\d{6}Z")


def _name(case: tuple[Api, Route]) -> str:
    return f"{case[1].method} {case[1].path}"


@dataclass(frozen=True)
class Identifiers:
    """Values for the parameters of a request: those of a row of the other county, or made up in the same form."""

    number: int
    invented: bool = False

    @property
    def id(self) -> UUID:
        return uuid5(IDS[self.number], "invented") if self.invented else IDS[self.number]

    @property
    def text(self) -> str:
        return f"INVENT-{self.number}" if self.invented else text_of(self.number)

    @property
    def year(self) -> str:
        return str(FIRST_YEAR + self.number + (40 if self.invented else 0))

    def of(self, name: str, schema: dict[str, Any]) -> str | None:
        """The value of a parameter, None for one that names no row."""
        schemas = [schema, *schema.get("anyOf", ())]
        if name == "roll_year":
            return self.year
        if any(part.get("format") == "uuid" for part in schemas):
            return str(self.id)
        named = [part for part in schemas if part.get("type") == "string" and not {"format", "enum"} & set(part)]
        return self.text if named else None

    def hidden(self, answer: Answer) -> tuple[int, str, str]:
        """An answer without what differs by itself: the ids that were asked for, ids of what was made, and times."""
        texts = []
        for shown in (answer.headers.get("location", ""), json.dumps(answer.body, sort_keys=True)):
            timeless = _UUID.sub("ID", _TIME.sub("TIME", shown.replace(str(self.id), "ID").replace(self.text, "TEXT")))
            # audit events of all counties have one count, and the search for a text finds the attacker's own
            numberless = re.sub(r'"event_id": \d+', '"event_id": N', timeless)
            texts.append(re.sub(rf"\b{self.year}\b", "YEAR", numberless))
        return answer.status, texts[0], texts[1]


@dataclass(frozen=True)
class Injection(Identifiers):
    """A text that is SQL, in every place of a text."""

    injected: str = ""

    @property
    def text(self) -> str:
        return self.injected


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return operation


def _parameters(route: Route, location: str) -> list[dict[str, Any]]:
    return [p for p in _operation(route).get("parameters", ()) if p["in"] == location and p["name"] != "county_id"]


def _path(route: Route, county_id: str, identifiers: Identifiers) -> dict[str, str]:
    named = {p["name"]: identifiers.of(p["name"], p["schema"]) or "x" for p in _parameters(route, "path")}
    return {"county_id": county_id, **named}


def _bodies(route: Route, identifiers: Identifiers) -> list[Any]:
    content = _operation(route).get("requestBody", {}).get("content")
    if content is None:
        return [None]
    schema = next(iter(content.values()))["schema"]
    return list(bodies(schema, SCHEMAS, identifiers.text, identifiers.id))


def _queries(route: Route, identifiers: Identifiers) -> list[dict[str, str]]:
    required = {
        p["name"]: "2025" if p["schema"].get("type") == "integer" else "2025-01-01"
        for p in _parameters(route, "query")
        if p.get("required")
    }
    named = [
        {p["name"]: value}
        for p in _parameters(route, "query")
        if p["name"] != "page_token" and (value := identifiers.of(p["name"], p["schema"])) is not None
    ]
    return [required, *(required | query for query in named)]


def _asked(api: Api, route: Route, claims: dict[str, str], path: dict[str, str], **options: Any) -> Answer:
    return call(api.handler, route.method, route.path, path=path, claims=claims, headers={"if-match": "*"}, **options)


@pytest.fixture(scope="module")
def counties(postgres_server: LocalPostgres, migrated_template: str) -> Iterator[None]:
    """One county with parcels and sales, and the other with rows in every table."""
    with (
        pytest.MonkeyPatch.context() as patch,
        database_like(migrated_template, postgres_server, patch),
        aws_in_this_process(patch, "jobs"),
    ):
        make_machine(patch, "sync")
        patch.setenv("USER_POOL_ID", boto3.client("cognito-idp").create_user_pool(PoolName="p")["UserPool"]["Id"])
        patch.setenv("USER_POOL_CLIENT_ID", "c")
        add_county()
        add_evidence()
        add_foreign_county()
        yield


def test_no_endpoint_answers_a_caller_of_another_county(counties: None) -> None:
    failures = []
    for api, route in OF_COUNTIES:
        for county_id in (OTHER, "nowhere_wa"):
            answer = _asked(api, route, OUTSIDER, _path(route, county_id, Identifiers(0)), body={})
            detail = f"{county_id} is not one of your counties."
            if (answer.status, answer.body["detail"], answer.body.get("errors")) != (403, detail, None):
                failures.append((_name((api, route)), county_id, answer))
    assert failures == []


def test_a_row_of_another_county_is_as_unknown_as_one_that_nobody_has(counties: None) -> None:
    """By path, filter and body, within the caller's own county."""
    failures: list[str] = []
    attacks = 0
    for api, route in OF_COUNTIES:
        for number in range(len(IDS)):
            real, invented = Identifiers(number), Identifiers(number, invented=True)
            cases = zip(
                ((body, query) for body in _bodies(route, real) for query in _queries(route, real)),
                ((body, query) for body in _bodies(route, invented) for query in _queries(route, invented)),
                strict=True,
            )
            for (body, query), (other_body, other_query) in cases:
                path, other_path = _path(route, COUNTY, real), _path(route, COUNTY, invented)
                if number and str(real.id) not in str((path, query, body)):
                    continue  # every row is named alike, or none
                if (path, query, body) == (other_path, other_query, other_body):
                    continue
                attacks += 1
                answer = real.hidden(_asked(api, route, OUTSIDER, path, query=query, body=body))
                other = invented.hidden(_asked(api, route, OUTSIDER, other_path, query=other_query, body=other_body))
                if answer != other or CANARY in str(answer):
                    failures.append(f"{_name((api, route))} {query} {body}:\n {answer}\n {other}")
    assert failures == [], "\n".join(failures[:20])
    assert attacks > 5 * len(OF_COUNTIES)


HELD_ELSEWHERE = (
    "GET /v1/counties/{county_id}/users/{username}",
    "GET /v1/counties/{county_id}/reports/{report_id}/approval",
    "GET /v1/counties/{county_id}/notice-batches/{batch_id}/files/{file_no}",
    "GET /v1/counties/{county_id}/properties/{property_id}/taxable-value",
)
"""Of users, who are Cognito's (test_users), of approvals, whose ids are made of the county's (test_approvals), of
files by their number in a batch (test_batches), and of values of 2025 (test_exemptions)."""


def test_the_attacks_are_with_rows_that_the_other_county_has(counties: None) -> None:
    """Else an endpoint would pass because there is nothing to leak."""
    passed = []
    for api, route in OF_COUNTIES:
        named = {p["name"] for p in _parameters(route, "path")}
        if route.method != "GET" or not named or named == {"asset"}:
            continue
        required = _queries(route, Identifiers(0))[0]
        numbers = range(len(IDS)) if str(IDS[0]) in str(_path(route, OTHER, Identifiers(0))) else (0,)
        known = [
            Identifiers(number).hidden(
                _asked(api, route, INSIDER, _path(route, OTHER, Identifiers(number)), query=required)
            )
            != (invented := Identifiers(number, invented=True)).hidden(
                _asked(api, route, INSIDER, _path(route, OTHER, invented), query=required)
            )
            for number in numbers
        ]
        if not any(known):
            passed.append(_name((api, route)))
    assert sorted(passed) == sorted(HELD_ELSEWHERE)


def test_a_page_token_of_another_county_is_refused(counties: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token that a list of the other county would give, used in the caller's own."""
    digests: list[str] = []
    digest_of = paging._digest

    def noted(query: object) -> str:
        digests.append(digest_of(query))
        return digests[-1]

    monkeypatch.setattr(paging, "_digest", noted)
    untried = []
    for api, route in OF_COUNTIES:
        if "page_token" not in {p["name"] for p in _parameters(route, "query")}:
            continue
        digests.clear()
        for number in range(len(IDS)):
            query = {**_queries(route, Identifiers(number))[0], "page_token": _token("0" * 16)}
            _asked(api, route, INSIDER, _path(route, OTHER, Identifiers(number)), query=query)
        if not digests:
            untried.append(_name((api, route)))
        for number, digest in enumerate(dict.fromkeys(digests)):
            query = {**_queries(route, Identifiers(number))[0], "page_token": _token(digest)}
            answer = _asked(api, route, OUTSIDER, _path(route, COUNTY, Identifiers(number)), query=query)
            assert answer.status in (400, 404), (_name((api, route)), answer)
            assert CANARY not in Identifiers(number).hidden(answer)[2]
    assert untried == []


def _token(digest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, ["a"]]).encode()).rstrip(b"=").decode()


def test_an_idempotency_key_of_another_county_finds_nothing(counties: None) -> None:
    """The same user of two counties, with the same key: each county has a job of its own."""
    both = claims_of(counties=[COUNTY, OTHER])
    made = 0
    for api, route in OF_COUNTIES:
        if route.method != "POST":
            continue
        for body in _bodies(route, Identifiers(0))[:1]:
            answers = [
                call(
                    api.handler,
                    "POST",
                    route.path,
                    path=_path(route, county_id, Identifiers(0)),
                    claims=both,
                    headers={"idempotency-key": "the-same", "if-match": "*"},
                    body=body,
                )
                for county_id in (OTHER, COUNTY)
            ]
            if all(answer.status in (201, 202) and "id" in answer.body for answer in answers):
                made += 1
                assert answers[0].body["id"] != answers[1].body["id"], _name((api, route))
            assert CANARY not in Identifiers(0).hidden(answers[1])[2], (_name((api, route)), answers[1])
    assert made >= 4


INJECTIONS = (
    f"' OR county_id = '{OTHER}' --",
    f"x') OR county_id = '{OTHER}' OR ('' = '",
    f"'; SET app.county_id = '{OTHER}'; --",
    f"x' UNION SELECT mapping FROM counties WHERE county_id = '{OTHER}' --",
    "\\' OR 1 = 1 --",
    "%",
    "$$; SELECT 1; $$",
)


def test_no_text_of_a_request_becomes_sql(counties: None) -> None:
    failures = []
    for api, route in OF_COUNTIES:
        for injected in INJECTIONS:
            attack = Injection(0, injected=injected)
            for body in _bodies(route, attack):
                for query in _queries(route, attack):
                    if json.dumps(injected)[1:-1] not in json.dumps([_path(route, COUNTY, attack), query, body]):
                        continue
                    answer = _asked(api, route, OUTSIDER, _path(route, COUNTY, attack), query=query, body=body)
                    if CANARY in str(answer) or (answer.status >= 500 and answer.status != 502):
                        failures.append((_name((api, route)), query, body, answer))
    assert failures == []
    with unit_of_work(OTHER) as connection:
        assert connection.scalar(text("SELECT count(*) FROM jobs")) >= len(IDS)


OUTSIDE = ("../lucas_oh/uploads", "..", "/", "../../counties/lucas_oh", "a/../../lucas_oh/uploads", "%2e%2e/lucas_oh")


def test_no_name_of_a_file_leads_out_of_the_county(counties: None) -> None:
    files, path, resource = APIS["counties"].handler, {"county_id": COUNTY}, "/v1/counties/{county_id}/files"
    for outside in OUTSIDE:
        listed = call(files, "GET", resource, path=path, query={"prefix": outside})
        assert CANARY not in json.dumps(listed.body)
        for named in ({"prefix": outside, "name": "a.csv"}, {"prefix": "uploads", "name": f"{outside}/a.csv"}):
            answer = call(files, "POST", resource, path=path, body={**named, "size_bytes": 1})
            assert answer.status == 422, (named, answer)


@pytest.mark.parametrize("role", Role)
def test_a_role_is_refused_at_exactly_the_routes_that_its_permissions_do_not_open(counties: None, role: Role) -> None:
    claims = claims_of(role)
    granted = claims["scope"].split()
    wrong = []
    for api, route in ROUTES:
        answer = _asked(api, route, claims, _path(route, COUNTY, Identifiers(0, invented=True)), body=None)
        slug = str(answer.body.get("type", "")).rpartition(":")[2] if isinstance(answer.body, dict) else ""
        lacks = route.permission is not None and route.permission.scope not in granted
        if (answer.status == 403 and slug == "permission-missing") != lacks:
            wrong.append((_name((api, route)), answer.status, slug))
    assert wrong == []


def test_a_county_that_withholds_a_permission_withholds_every_route_of_it(counties: None) -> None:
    wrong = []
    for api, route in OF_COUNTIES:
        for withheld in Permission:
            claims = {**OUTSIDER, "scope": EVERYTHING, "withheld": json.dumps({COUNTY: [withheld]})}
            if withheld not in (route.permission, Permission.SIGN_IN):
                continue
            answer = _asked(api, route, claims, _path(route, COUNTY, Identifiers(0, invented=True)), body=None)
            slug = str(answer.body.get("type", "")).rpartition(":")[2] if isinstance(answer.body, dict) else ""
            if (slug == "permission-withheld") != (withheld == route.permission):
                wrong.append((_name((api, route)), withheld, answer.status, slug))
    assert wrong == []
