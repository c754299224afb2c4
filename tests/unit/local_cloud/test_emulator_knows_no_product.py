"""The emulator serves whatever template it is given: its sources know nothing of TerraFusion."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import ROOT

SOURCES = sorted((ROOT / "infra" / "local").rglob("*.py"))
PRODUCT_WORDS = re.compile(
    r"count(y|ies)|parcel|assess|apprais|valuation|ratio stud|terra ?fusion|king_wa|lucas_oh"
    r"|\bcama\b|\b_?sync(s|_|\b)",
    re.IGNORECASE,
)
GENERAL_MODULES = {
    "shared.db.driver",  # the driver of PostgreSQL
    "shared.counties.schedule_expression",  # EventBridge's cron and rate expressions
}
OTHER_MEANINGS = re.compile(r"PRAGMA synchronous|--no-sync|uv sync|shared\.counties\.schedule_expression|fsync")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_the_emulator_names_nothing_of_the_product(source: Path) -> None:
    text = OTHER_MEANINGS.sub("", source.read_text())
    assert [line for line in text.splitlines() if PRODUCT_WORDS.search(line)] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_the_emulator_imports_nothing_of_the_product(source: Path) -> None:
    ours = {name for name in _imported(source) if name.split(".")[0] in {"functions", "shared"}}
    assert ours <= GENERAL_MODULES


def _imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
