"""Numbers that decide about a value, a verdict or a flag stand in `parameters.py`, each with its reason."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import ROOT

FOLDER = ROOT / "shared" / "appraisal"
PARAMETERS = (FOLDER / "parameters.py", FOLDER / "avm" / "parameters.py")
MODULES = sorted(set(FOLDER.rglob("*.py")) - set(PARAMETERS))
TECHNICAL = (
    "_BATCH_SIZE",
    "_THREADS",
    "_EPSILON",
    "_ROWS",
    "_CELLS",
    "_BITS",
    "_SIZE",
    "_DEVIATIONS",
    "_COLUMNS",
    "VERSION",
    "_POSITION",
)
"""Endings of names that decide how something is computed, and not what."""
COUNTS = ("OF_PRICE", "_RATES", "_CHUNK", "_GROUP", "_EPOCH_ORDINAL", "_LONG_AGO")
"""Numbers that say how many parts a structure has, or where a calendar begins."""
PLAIN = {0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 12, 100, 365, 1970}
"""Numbers that a formula or a unit may have: none of them is a limit."""
SMALLEST = 1e-5
"""Smaller ones keep a division from dividing by zero."""


def _numbers(node: ast.AST) -> Iterator[float]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, int | float) and not isinstance(part.value, bool):
            yield part.value


def _constants(path: Path) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                yield target.id, node.value


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_other_module_has_a_constant_that_decides(path: Path) -> None:
    items = [
        name
        for name, value in _constants(path)
        if not name.endswith(TECHNICAL)
        and name not in COUNTS
        and any(number not in PLAIN and abs(number) > SMALLEST for number in _numbers(value))
    ]
    assert items == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_function_decides_by_a_number_of_its_own(path: Path) -> None:
    items = [
        (function.name, number)
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Compare) or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        for number in _numbers(node)
        if number not in PLAIN and abs(number) > SMALLEST
    ]
    assert items == []


@pytest.mark.parametrize("path", PARAMETERS, ids=lambda path: path.parent.name)
def test_every_parameter_is_followed_by_its_reason(path: Path) -> None:
    body = ast.parse(path.read_text()).body[1:]
    assigned = [isinstance(node, ast.Assign) for node in body]
    assert assigned[0]
    assert not assigned[-1], "the last parameter has no reason"
    assert all(isinstance(node, ast.Assign) or _is_text(node) for node in body)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@pytest.mark.parametrize("path", PARAMETERS, ids=lambda path: path.parent.name)
def test_every_parameter_is_used(path: Path) -> None:
    source = "\n".join(module.read_text() for module in MODULES)
    assert [name for name, _ in _constants(path) if not re.search(rf"\b{name}\b", source)] == []
