"""Every function's bundle, started as Lambda starts it: its asset, its layers and Lambda's runtime, and nothing else.

Of AWS nothing answers but the secret of a database, which refuses connections, so the fair answers
are a problem document and an error that the machines know.
"""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from infra.assets import PYTHON_VERSION, layer_bundle, module_bundle
from infra.function_specs import FunctionSpec, Layer, routes_of
from infra.functions import REGISTRY
from shared.access import key_secret
from tests.figures import RecordFigure
from tests.gateway import claims_of, proxy_event
from tests.infrastructure.assembly import Templates
from tests.infrastructure.runtime_api import runtime_api

pytestmark = [pytest.mark.bundling, pytest.mark.xdist_group("started_as_deployed")]

RUNTIME = ("awslambdaric==4.2.2", f"boto3=={version('boto3')}")
"""Packages of Lambda's own image: its runtime interface client and the SDK."""
LAMBDA_LIMIT = 250 * 2**20
"""Bytes, unzipped, of a function and its layers (AWS Lambda quotas)."""
COUNTY = "king_wa"
RUN = "00000000-0000-4000-8000-000000000001"
EXECUTION = {"executionArn": "arn:aws:states:us-east-1:123456789012:execution:jobs:1", "name": "1"}
UNREACHABLE = {"DatabaseUnavailable", "ServiceUnavailable"}
"""Errors of a task whose dependencies do not answer: the machines try it again."""
REFUSED = {"InterfaceError"}
"""Error of the migration: a deployment is not tried again, and reports the driver's own words."""
MAX_PROCESSOR_S = 2.5
"""Seconds of a processor, to start and to answer: half of what Cognito waits for the sign-in's trigger, because
Lambda's processors are slower, and fetching the bundle comes on top. It is 0.4 to 1.5 s here."""
MAX_MEMORY_MB = 256
"""Peak of a start with an event that ends at the database: half of what the smallest functions have (512 MB), so that
work has the other half. It is 60 to 140 MB."""


class Bundles:
    """Folders of modules and of sets of layers, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.machine = f"{platform.machine()}-manylinux_2_28"
        self.runtime = folder / "runtime"
        command = ["uv", "pip", "install", "--quiet", "--target", str(self.runtime), "--only-binary", ":all:"]
        wheels = ["--python-platform", self.machine, "--python-version", PYTHON_VERSION]
        subprocess.run([*command, *wheels, *RUNTIME], check=True)
        self.layer = cache(self._layer)
        self.layers = cache(self._layers)
        self.module = cache(self._module)

    def _layer(self, layer: Layer) -> Path:
        target = self._folder / layer.value
        layer_bundle(layer, with_shared=layer is Layer.CORE, machine=self.machine).fill(target)
        return target / "python"

    def _layers(self, layers: tuple[Layer, ...]) -> Path:
        """The layers one above the other, as Lambda lays them at /opt."""
        target = self._folder / "-".join(layers)
        for layer in layers:
            shutil.copytree(self.layer(layer), target / "opt", copy_function=os.link, dirs_exist_ok=True)
        return target / "opt"

    def _module(self, package: str) -> Path:
        target = self._folder / package
        module_bundle(package).fill(target)
        return target


@pytest.fixture(scope="module")
def bundles(lambda_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundles]:
    folder = tmp_path_factory.mktemp("bundles")
    yield Bundles(folder)
    shutil.rmtree(folder)


def _event(spec: FunctionSpec) -> dict[str, Any]:
    """An event that reaches the function's own code."""
    run = {"county_id": COUNTY, "run_id": RUN}
    if spec in REGISTRY.api:
        route = min(routes_of(spec), key=lambda route: (route.method != "GET", "{" in route.path, route.path))
        names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
        path = {name: COUNTY if name == "county_id" else RUN for name in names}
        return proxy_event(route.method, route.path, path=path, body={}, claims=claims_of())
    if spec is REGISTRY.pre_token:
        user = {"userAttributes": {"custom:counties": COUNTY}, "groupConfiguration": {"groupsToOverride": []}}
        return {"userName": "somebody", "triggerSource": "TokenGeneration_Authentication", "request": user}
    if spec is REGISTRY.authorizer:
        sent = {"Authorization": [f"Bearer {key_secret.new_secret()}"]}
        resource = "/v1/counties/{county_id}/properties"
        arn = f"arn:aws:execute-api:us-east-1:111122223333:api/dev/GET/v1/counties/{COUNTY}/properties"
        return {"type": "REQUEST", "methodArn": arn, "resource": resource, "multiValueHeaders": sent}
    if spec is REGISTRY.migrations:
        return {"RequestType": "Update"}
    if spec is REGISTRY.index_addresses:
        return {"detail": {"county_id": COUNTY, "run_id": RUN}}
    if spec in (REGISTRY.settle_job, REGISTRY.webhook_dispatch):
        given = json.dumps({"county_id": COUNTY, "job_id": RUN})
        return {"detail": {"status": "FAILED", "input": given, **EXECUTION}}
    kind = spec.job_kinds[0].name if spec.job_kinds else ""
    item = {"number": 0, "item": {}, "table_name": "parcels", "partition_no": 0}
    return run | {
        "job_id": RUN,
        "webhook_id": RUN,
        "delivery_id": RUN,
        "schedule_id": RUN,
        "scheduled_at": "2026-12-07T14:00:00Z",
        "kind": kind,
        "table": "parcels",
        "partition": item,
        "file": {"table_name": "parcels", "file_no": 0},
        "execution": {"id": EXECUTION["executionArn"], "name": "1"},
        **({"failure": {"Error": "States.Timeout", "Cause": ""}} if spec is REGISTRY.sync.fail else {}),
    }


def _environment(spec: FunctionSpec, templates: Templates, api: str, bundles: Bundles) -> dict[str, str]:
    declared = templates.functions()[spec.name].properties["Environment"]["Variables"]
    return {
        **{name: value if isinstance(value, str) else "not-there" for name, value in declared.items()},
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.name,
        "AWS_LAMBDA_LOG_STREAM_NAME": "started",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nobody",
        "AWS_ENDPOINT_URL": f"http://{api}",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
        "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
        "LAMBDA_TASK_ROOT": str(bundles.module(spec.package)),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(
            map(str, (bundles.module(spec.package), bundles.layers(spec.layers), bundles.runtime))
        ),
    }


def _processor_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")  # of its own code, and of the system for it


def _peak_memory_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("spec", list(REGISTRY), ids=lambda spec: spec.name)
def test_a_bundle_starts_on_lambdas_python_and_answers(
    spec: FunctionSpec,
    lambda_python: str,
    bundles: Bundles,
    templates: Templates,
    figure: RecordFigure,
) -> None:
    with runtime_api(_event(spec)) as api:
        environment = _environment(spec, templates, api.address, bundles)
        process = subprocess.Popen(
            [lambda_python, "-S", "-s", "-m", "awslambdaric", spec.entry],
            env=environment,
            cwd=bundles.module(spec.package),
            stdout=subprocess.DEVNULL,
        )
        try:
            kind, answer = api.answers.get(timeout=60)
            seconds, memory = _processor_seconds(process.pid), _peak_memory_mb(process.pid)
        finally:
            process.kill()
            process.wait()
    size = _size(bundles.module(spec.package)) + _size(bundles.layers(spec.layers))
    outcome = answer.get("statusCode", "answered") if kind == "response" else answer["errorType"]
    figure(f"{spec.name}: start and {outcome}, processor", seconds, "s", limit=MAX_PROCESSOR_S)
    figure(f"{spec.name}: memory", memory, "MB", limit=MAX_MEMORY_MB)
    figure(f"{spec.name}: unzipped", size >> 20, "MB", limit=LAMBDA_LIMIT >> 20)

    assert api.asked, answer
    assert size < LAMBDA_LIMIT
    assert seconds < MAX_PROCESSOR_S
    assert memory < MAX_MEMORY_MB
    errors = REFUSED if spec is REGISTRY.migrations else UNREACHABLE
    if spec in REGISTRY.api:
        assert (kind, answer["statusCode"] in {200, 503}) == ("response", True), answer
    else:
        assert (kind, answer.get("errorType") in errors) == ("error", True), answer
