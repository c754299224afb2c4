"""The README is true: what it names exists, and what exists is named in it."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from infra.cli.main import main_group
from infra.documentation import PAGES, with_sections
from infra.settings import ROOT
from shared.counties.configuration import CountyConfiguration
from tests.benchmarks.__main__ import BENCHMARKS

README = (ROOT / "README.md").read_text()


def _fields(model: type[BaseModel]) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        names.append(name)
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                names += _fields(inner)
    return names


def _commands() -> list[str]:
    return [f"terrafusion {' '.join(words)}" for words in _below(main_group(), ())]


def _below(group: Any, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in group.commands:
        _, command, _ = group.resolve_command(None, [name])
        found += _below(command, (*words, name)) if hasattr(command, "commands") else [(*words, name)]
    return found


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_derived_sections_are_what_the_code_says(page: Path) -> None:
    text = page.read_text()
    assert all(f"<!-- {section} -->" in text for section in PAGES[page])
    assert with_sections(text, PAGES[page]) == text, "run: uv run python -m infra.documentation"


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    *group, name = command.split()
    lines = [line for line in README.splitlines() if " ".join(group) in line]
    assert any(command in line or f"`{group[-1]} {name}`" in line for line in lines)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", sorted(set(_fields(CountyConfiguration))))
def test_every_setting_of_a_county_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


def test_every_path_that_the_readme_names_exists() -> None:
    paths = re.findall(r"`((?:functions|shared|infra|layers|tests|\.ci)/[\w./-]*)`", README)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
