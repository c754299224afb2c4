"""Job kinds are declared in their modules, and nothing that modules share names a module."""

import ast
from pathlib import Path

import pytest

from infra.function_specs import routes_of
from infra.functions import REGISTRY
from infra.settings import ROOT
from shared.jobs import AnyJobKind
from shared.mapping.language.parsing import known_keys

MODULES = sorted(folder.name for folder in (ROOT / "functions").iterdir() if (folder / "__init__.py").exists())
ROUTES = {(route.method, route.path): route for spec in REGISTRY.api for route in routes_of(spec)}
KINDS = pytest.mark.parametrize("kind", REGISTRY.job_kinds, ids=lambda kind: kind.name)


def _strings(file: Path) -> set[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_names_and_collections_of_job_kinds_are_unique() -> None:
    for names in ([kind.name for kind in REGISTRY.job_kinds], [kind.collection for kind in REGISTRY.job_kinds]):
        assert len(names) == len(set(names))


@KINDS
def test_every_link_of_a_job_is_a_route_that_its_kind_lets_be_viewed(kind: AnyJobKind) -> None:
    for path in (kind.path, *(f"{kind.path}/{name}" for name in kind.linked)):
        assert ROUTES["GET", path].permission == kind.view


@KINDS
def test_every_job_is_cancelled_and_resumed_with_the_permission_to_submit_it(kind: AnyJobKind) -> None:
    for command in ("cancel", "resume"):
        assert ROUTES["POST", f"{kind.path}/{command}"].permission == kind.run


def test_every_kind_of_job_is_run_by_one_function_or_by_the_sync_machine() -> None:
    run = [
        *(kind for spec in REGISTRY.jobs for kind in spec.job_kinds),
        *(job.kind for job in REGISTRY.partitioned_jobs),
    ]
    assert sorted(kind.name for kind in run) == sorted({kind.name for kind in REGISTRY.job_kinds} - {"sync"})


@pytest.mark.parametrize("module", MODULES)
def test_neither_shared_nor_the_project_file_names_a_module(module: str) -> None:
    for file in (ROOT / "pyproject.toml", *(ROOT / "shared").rglob("*.py")):
        text = file.read_text()
        assert f"functions.{module}" not in text, file
        assert f"functions/{module}" not in text, file


def test_shared_names_no_kind_of_job_but_in_what_two_modules_agree_on() -> None:
    words = {word for kind in REGISTRY.job_kinds for word in (kind.name, kind.collection)} - known_keys()
    contracts = ROOT / "shared" / "contracts"
    for file in (ROOT / "shared").rglob("*.py"):
        assert contracts in file.parents or not words & _strings(file), file
