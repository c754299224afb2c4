"""The generated modules are those of the API as it is, and importing the client is quick."""

import json
import subprocess
import sys

import pytest

from infra.client_generator import PACKAGE, modules
from infra.openapi import DOCUMENT
from infra.openapi_operations import operations
from terrafusion import async_api, sync_api

DESCRIBED = json.loads(DOCUMENT.read_text())


def test_the_generated_modules_are_up_to_date() -> None:
    stale = [name for name, text in modules(DESCRIBED).items() if (PACKAGE / name).read_text() != text]
    assert stale == [], "run python -m infra.openapi"


@pytest.mark.parametrize(("module", "prefix"), [(sync_api, ""), (async_api, "Async")])
def test_every_operation_has_a_method(module: object, prefix: str) -> None:
    for operation in operations(DESCRIBED):
        owner = f"{prefix}{'County' if operation.of_county else 'Platform'}Operations"
        assert callable(getattr(getattr(module, owner), operation.name)), operation.path


def test_two_operations_of_one_name_are_refused() -> None:
    paths = {**DESCRIBED["paths"], "/v1/counties/{county_id}/other": DESCRIBED["paths"]["/v1/counties/{county_id}"]}
    with pytest.raises(ValueError, match=r"would both be get_county: give one function another name"):
        operations({**DESCRIBED, "paths": paths})


def test_importing_the_client_imports_nothing_of_the_platform_and_no_http() -> None:
    code = "import sys, terrafusion; terrafusion.Client; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"functions", "infra", "shared", "pydantic", "boto3", "aws_cdk", "httpcore", "anyio", "asyncio", "httpx"}
    assert heavy.isdisjoint(done.stdout.split())
