"""Every Lambda entry of the registry: decorated, and importing what its layers carry and nothing else."""

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec

import pytest

from infra.function_specs import FunctionSpec, Layer
from infra.functions import REGISTRY
from infra.settings import ROOT

EAGER: Mapping[str, frozenset[str]] = {
    "features": frozenset({"cql2", "numpy", "shapely"}),  # it reads filters and shapes in requests
    "valuation": frozenset({"numpy", "threadpoolctl"}),  # it computes values in requests
}
"""Packages beyond the core layer that functions of the API import at their start. The others import them where they are
used: NumPy and Polars take some hundred milliseconds of a cold start each."""
RUNTIME = frozenset({"botocore"})
"""Of Lambda's own runtime: Powertools registers itself with botocore, whose clients are another matter."""
OPTIONAL = frozenset({"pygments"})
"""Imported by Mako where it is there; no layer carries it."""

_PROBE = """
import sys
at_start = set(sys.modules)  # an interpreter's .pth files import what they like: setuptools' among them
import importlib, json, os
import pydantic, sqlalchemy, pg8000, orjson, aws_lambda_powertools, shared.api, shared.db  # what nearly every entry has
for entry in json.load(sys.stdin):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        module, _, name = entry.rpartition(".")
        decorated = getattr(getattr(importlib.import_module(module), name), "is_lambda_entry", False)
        packages = {
            name.partition(".")[0] for name, module in sys.modules.items()
            if name not in at_start and "site-packages" in (getattr(module, "__file__", None) or "")
        }
        found = {"decorated": decorated, "packages": sorted(packages), "clients": "botocore.client" in sys.modules}
        os.write(write, json.dumps(found).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        print(json.dumps([entry, json.loads(stream.read() or "null")]))
    os.waitpid(pid, 0)
"""
"""Each entry in a process of its own, forked where the common packages are imported: own interpreters take a minute."""


@cache
def _imported() -> dict[str, dict[str, object]]:
    entries = sorted({spec.entry for spec in REGISTRY})
    ran = subprocess.run(
        [sys.executable, "-c", _PROBE], input=json.dumps(entries), capture_output=True, text=True, check=True, cwd=ROOT
    )
    return dict(json.loads(line) for line in ran.stdout.splitlines())


@cache
def _packages(layer: Layer) -> frozenset[str]:
    """The import names of what a layer's requirements pin."""
    lines = (ROOT / "layers" / layer / "requirements.txt").read_text().splitlines()
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    return frozenset(
        package
        for package, distributions in packages_distributions().items()
        if pinned & {name.lower().replace("_", "-") for name in distributions}
    )


@pytest.mark.parametrize("spec", list(REGISTRY), ids=lambda spec: spec.name)
def test_an_entry_has_a_correlation_id_a_trace_and_its_settings_checked(spec: FunctionSpec) -> None:
    assert _imported()[spec.entry]["decorated"]


@pytest.mark.parametrize("spec", list(REGISTRY), ids=lambda spec: spec.name)
@pytest.mark.skipif(find_spec("pandas") is not None, reason="pyogrio imports pandas where benchmarks' peers are")
def test_an_entry_imports_no_package_by_accident(spec: FunctionSpec) -> None:
    imported = _imported()[spec.entry]
    assert isinstance(imported["packages"], list)
    answers_requests = spec in REGISTRY.api or spec is REGISTRY.pre_token
    layers = (Layer.CORE,) if answers_requests else spec.layers
    allowed = frozenset[str]().union(*map(_packages, layers)) | EAGER.get(spec.name, frozenset()) | RUNTIME | OPTIONAL
    assert set(imported["packages"]) <= allowed
    assert not imported["clients"], "clients of AWS are made at their first use: see shared.aws"


def test_the_exceptions_are_still_true() -> None:
    for name, packages in EAGER.items():
        (spec,) = (spec for spec in REGISTRY.api if spec.name == name)
        imported = _imported()[spec.entry]["packages"]
        assert isinstance(imported, list)
        assert packages <= set(imported)
