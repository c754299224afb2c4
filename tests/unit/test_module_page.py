"""The page of modules is true, and its new module is one: its files and two lines in a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.settings import ROOT

PAGE = (ROOT / "functions/README.md").read_text()
MODULE = "parcel_inventory"
REGISTRY = Path("infra/functions.py")
FILES = ("__init__", "schemas", "repository", "service", "job_kinds", "handler", "tasks")

CONTRACTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
DERIVED = """
import importlib, json, sys
from infra.function_specs import routes_of
from infra.functions import REGISTRY
from infra.openapi import audit_actions, document

package = f"functions.{sys.argv[1]}"
(spec,) = (spec for spec in REGISTRY.api if spec.package == package)
(task,) = (spec for spec in REGISTRY.jobs if spec.package == package)
described = document()["paths"]
print(json.dumps({
    "functions": [spec.name, task.name],
    "event_handlers": [hasattr(importlib.import_module(s.module_path), "handler") for s in (spec, task)],
    "kinds": [kind.name for kind in task.job_kinds],
    "routes": {f"{r.method} {r.path}": r.permission for r in routes_of(spec)},
    "described": [f"{r.method} {r.path}" for r in routes_of(spec) if r.method.lower() in described[r.path]],
    "actions": [action for action in json.loads(audit_actions()) if sys.argv[1] in action],
}))
"""


def code_block(after: str) -> str:
    """The block of code that follows these words."""
    block = re.search(r"```\w+\n(.*?)```", PAGE.partition(after)[2], re.DOTALL)
    assert block is not None, after
    return block.group(1)


def insert_into(registry: str, group: str, line: str) -> str:
    """The registry with one more line in a group, which ends with a parenthesis of its own."""
    before, begin, rest = registry.partition(f"\n    {group}=(\n")
    assert begin, group
    entries, end, after = rest.partition("\n    ),\n")
    return f"{before}{begin}{entries}\n{line.rstrip()}{end}{after}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, the page's module added as the page says."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("functions", "infra", "shared"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    folder = copy / "functions" / MODULE
    folder.mkdir()
    for name in FILES:
        (folder / f"{name}.py").write_text(code_block(f"`{name}.py`:\n"))
    registry = (copy / REGISTRY).read_text()
    for group in ("api", "jobs"):
        registry = insert_into(registry, group, code_block(f"line in `{group}`"))
    (copy / REGISTRY).write_text(registry)
    return copy


def run(project: Path, *command: str) -> str:
    """The output of Python in the copy."""
    ran = subprocess.run([sys.executable, *command], cwd=project, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_import_contracts_hold_the_new_module(project: Path) -> None:
    assert " 0 broken" in run(project, "-c", CONTRACTS, "--no-cache")


def test_the_functions_routes_and_descriptions_of_the_new_module_derive_from_it(project: Path) -> None:
    derived: dict[str, Any] = json.loads(run(project, "-c", DERIVED, MODULE))
    jobs = "/v1/counties/{county_id}/parcel-inventories"
    routes = {
        f"POST {jobs}": "edit_property",
        f"POST {jobs}/{{inventory_id}}/cancel": "edit_property",
        f"POST {jobs}/{{inventory_id}}/resume": "edit_property",
        f"GET {jobs}/{{inventory_id}}": "view_properties",
        f"GET {jobs}/{{inventory_id}}/results": "view_properties",
        "GET /v1/counties/{county_id}/parcel-total": "view_properties",
    }
    assert derived["functions"] == ["parcel-inventory", "parcel-inventory-task"]
    assert derived["event_handlers"] == [True, True]
    assert derived["kinds"] == ["parcel_inventory"]
    assert derived["routes"] == routes
    assert derived["described"] == list(derived["routes"])
    assert derived["actions"] == ["parcel_inventory.cancelled"]
