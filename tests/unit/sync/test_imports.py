"""Imports of the sync's functions at their start: nothing that their layers lack, or that a cold start would wait
for."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "pandas", "polars", "pyarrow", "pymysql", "pytds", "scipy", "shapely")
"""Libraries that take a tenth of a second and more to import, or connect to one kind of source only."""


def _imported_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_api_imports_neither_polars_nor_a_driver() -> None:
    imported = _imported_by("functions.sync.handler")
    assert imported.isdisjoint(HEAVY)
    assert "pyogrio" not in imported


def test_the_api_does_not_import_the_engine() -> None:
    code = "import sys, functions.sync.handler; print(*(n for n in sys.modules if '.sync.engine' in n))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_the_conversion_imports_nothing_that_its_layer_lacks() -> None:
    assert _imported_by("functions.sync.tasks.conversion").isdisjoint(("polars", "pymysql", "pytds"))


@pytest.mark.parametrize("name", ["polars", "orjson"])
def test_the_machine_imports_what_it_needs_before_its_first_event(name: str) -> None:
    assert name in _imported_by("functions.sync.tasks.machine")
