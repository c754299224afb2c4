"""The page to try the API: Swagger UI, served by the platform's own handler, with nothing from elsewhere."""

import re

import pytest

from functions.platform.handler import handler
from tests.gateway import Answer, call

MAX_ANSWER = 6 * 1024 * 1024
"""Bytes that a Lambda function may answer with."""
PAGE = call(handler, "GET", "/v1/docs")
REFERENCES: list[str] = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', PAGE.body)
ASSETS = [reference.removeprefix("docs/") for reference in REFERENCES]


def asset(name: str, **headers: str) -> Answer:
    return call(handler, "GET", "/v1/docs/{asset}", path={"asset": name}, headers=headers)


def test_the_page_names_its_own_files_only_and_holds_no_script_or_style_itself() -> None:
    assert REFERENCES == [f"docs/{name}" for name in ASSETS] != []
    assert [text for text in re.findall(r"<script[^>]*>([^<]*)</script>", PAGE.body) if text] == []
    assert "<style" not in PAGE.body
    assert "style=" not in PAGE.body


def test_a_browser_may_run_files_of_this_origin_and_connect_to_it_alone() -> None:
    policy = dict(directive.split(maxsplit=1) for directive in PAGE.headers["content-security-policy"].split("; "))
    assert policy.pop("img-src") == "data:"
    assert {name for name, source in policy.items() if source == "'self'"} == {"script-src", "style-src", "connect-src"}
    assert set(policy.values()) == {"'self'", "'none'"}
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("name", ASSETS)
def test_a_file_is_of_its_type_and_fits_into_an_answer(name: str) -> None:
    answered = asset(name)
    assert answered.status == 200
    assert answered.headers["content-type"] == f"text/{'css' if name.endswith('.css') else 'javascript'}; charset=utf-8"
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert 0 < len(answered.body.encode()) < MAX_ANSWER


def test_the_viewer_is_the_one_that_the_script_of_the_page_begins() -> None:
    assert "SwaggerUIBundle" in asset("swagger-ui-bundle.js").body
    assert "SwaggerUIBundle(" in asset("initializer.js").body
    assert ".swagger-ui" in asset("swagger-ui.css").body


@pytest.mark.parametrize("name", ["swagger-ui.js", "openapi.json", "../handler.py", ".."])
def test_another_file_is_not_found(name: str) -> None:
    answered = asset(name)
    assert answered.status == 404
    assert answered.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/docs", "/v1/openapi.json", *(f"/v1/docs/{name}" for name in ASSETS)])
def test_a_browser_that_has_a_file_is_answered_without_it(path: str) -> None:
    def request(**headers: str) -> Answer:
        _, _, name = path.removeprefix("/").partition("docs/")
        return asset(name, **headers) if name else call(handler, "GET", path, headers=headers)

    whole = request()
    kept = request(**{"if-none-match": f'W/"other", {whole.headers["etag"]}'})
    changed = request(**{"if-none-match": '"other"'})

    assert whole.headers["cache-control"] == "no-cache"
    assert (kept.status, kept.body) == (304, "")
    assert kept.headers["etag"] == whole.headers["etag"]
    assert kept.headers["content-security-policy"] == whole.headers["content-security-policy"]
    assert (changed.status, changed.body) == (200, whole.body)
