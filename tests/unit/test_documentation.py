"""The pages are true: what they name exists, and what exists is named where it belongs."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from infra.cli.main import main_group
from infra.documentation import PAGES, with_sections
from infra.openapi import DOCUMENT
from infra.settings import ROOT
from shared.access import Permission, Role
from shared.appraisal.codes import VerdictCode
from shared.counties.configuration import CountyConfiguration
from tests.benchmarks.__main__ import BENCHMARKS

FOLDERS = ("functions", "infra", "shared", "tests", "layers")
ALL_PAGES = [ROOT / "README.md", *sorted(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
TEXTS = {page: page.read_text() for page in ALL_PAGES}
COMMAND_LINE = ROOT / "infra/cli/README.md"
README_LINES = 110
"""A page and a half: what does not fit belongs to its subject's page."""


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _fields(model: type[BaseModel]) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        names.append(name)
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                names += _fields(inner)
    return names


def _commands() -> dict[str, Any]:
    """Every command by its words, the groups among them."""
    return {" ".join(words): command for words, command in _below(main_group(), ())}


def _below(group: Any, words: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    commands: list[tuple[tuple[str, ...], Any]] = []
    for name in group.commands:
        _, command, _ = group.resolve_command(None, [name])
        commands.append(((*words, name), command))
        if hasattr(command, "commands"):
            commands += _below(command, (*words, name))
    return commands


COMMANDS = _commands()
SINGLE_COMMANDS = [words for words, command in COMMANDS.items() if not hasattr(command, "commands")]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_derived_sections_are_what_the_code_says(page: Path) -> None:
    text = page.read_text()
    assert all(f"<!-- {section} -->" in text for section in PAGES[page])
    assert with_sections(text, PAGES[page]) == text, "run: uv run python -m infra.documentation"


@pytest.mark.parametrize("page", ALL_PAGES, ids=_name)
def test_links_lead_to_files_of_the_repository(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", TEXTS[page])
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", ALL_PAGES, ids=_name)
def test_the_paths_that_a_page_names_exist(page: Path) -> None:
    paths = re.findall(rf"`((?:{'|'.join(FOLDERS)}|\.ci)/[\w./-]*)`", TEXTS[page])
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", ALL_PAGES, ids=_name)
def test_the_commands_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"(?<!from )terrafusion ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", TEXTS[page])
    unknown = [
        (group, command)
        for group, command in named
        if group not in COMMANDS or (command and hasattr(COMMANDS[group], "commands") and not _known(group, command))
    ]
    assert unknown == []


def _known(group: str, command: str) -> bool:
    """A group may take its default command's arguments: `sync hood_or` is `sync run hood_or`."""
    return f"{group} {command}" in COMMANDS or group == "sync"


@pytest.mark.parametrize("page", ALL_PAGES, ids=_name)
def test_every_page_but_the_first_can_be_reached_from_it(page: Path) -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        current = waiting.pop()
        if current not in reached and current in TEXTS:
            reached.add(current)
            waiting += [(current.parent / link).resolve() for link in re.findall(r"\]\(([^)#:]+)", TEXTS[current])]
    assert page in reached or page.is_relative_to(ROOT / "tests/data")


def test_the_tests_that_prove_a_promise_exist() -> None:
    promises = TEXTS[ROOT / "infra/README.md"].partition("## What is promised")[2].partition("\n## ")[0]
    named = re.findall(r"`(tests/[\w./]+\.py)::(\w+)`", promises)
    assert len(named) == len(re.findall(r"^\| (?!promise|---)", promises, re.MULTILINE)) > 0
    assert [name for file, name in named if f"def {name}(" not in (ROOT / file).read_text()] == []


def test_the_first_page_is_a_page_and_a_half() -> None:
    assert len(TEXTS[ROOT / "README.md"].splitlines()) <= README_LINES


@pytest.mark.parametrize("command", SINGLE_COMMANDS)
def test_every_command_is_on_the_command_lines_page(command: str) -> None:
    *group, name = command.split()
    lines = [line for line in TEXTS[COMMAND_LINE].splitlines() if " ".join(group) in line]
    assert any(f"terrafusion {command}" in line or f"`{' '.join(group)} {name}`" in line for line in lines)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_has_its_figures(name: str) -> None:
    assert f"| `{name}` |" in TEXTS[ROOT / "tests/benchmarks/README.md"]


@pytest.mark.parametrize("name", sorted(set(_fields(CountyConfiguration))))
def test_every_setting_of_a_county_is_described(name: str) -> None:
    assert f"`{name}`" in TEXTS[ROOT / "shared/counties/README.md"]


def _terms() -> list[str]:
    """Words of the field or of our own that the API speaks: tags, roles, permissions, statistics, kinds of jobs."""
    paths = json.loads(DOCUMENT.read_text())["paths"].values()
    tags = {tag for path in paths for operation in path.values() for tag in operation["tags"]}
    statistics = {code.partition("_against")[0] for code in get_args(VerdictCode)}
    return sorted({*tags, *map(str, Role), *map(str, Permission), *statistics})


@pytest.mark.parametrize("term", _terms())
def test_every_term_of_the_api_is_in_the_glossary(term: str) -> None:
    assert f"`{term}`" in TEXTS[ROOT / "infra/GLOSSARY.md"]
