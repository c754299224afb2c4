"""The page of reports is true, and its new type is one: a file and a line in a copy of the module."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from functions.reporting.domain.parameters import MAX_PRINTED_ROWS
from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.schemas import ReportFormat
from infra.settings import ROOT

MODULE = ROOT / "functions/reporting"
PAGE = (MODULE / "README.md").read_text()
FORMATS = get_args(ReportFormat)

REQUEST = """
import json, sys
from datetime import UTC, datetime
from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.domain.heading import Heading
from functions.reporting.reports.request import ReportRequest
from functions.reporting.service.build_report import file_content

heading = Heading("king_wa", "King County", "job", datetime(2026, 1, 1, tzinfo=UTC))
files = {}
for file_format in sys.argv[2:]:
    document = {"report_type": sys.argv[1], "format": file_format, "parameters": {"subject": "Appeals of 2026"}}
    request = ReportRequest.model_validate(document)
    report = REPORT_TYPES[request.report_type].build(heading, request.parameters)
    files[file_format] = file_content(heading, request, report).decode("latin-1")
schema = ReportRequest.model_json_schema()["properties"]["report_type"]["enum"]
print(json.dumps({"schema": schema, "files": files}))
"""


def rows(first_column: str) -> list[list[str]]:
    """The rows of the table whose first column has this title."""
    table = PAGE.partition(f"\n| {first_column} |")[2].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def code_block(after: str) -> str:
    """The block of code that follows these words."""
    block = re.search(r"```\w+\n(.*?)```", PAGE.partition(after)[2], re.DOTALL)
    assert block is not None, after
    return block.group(1)


@pytest.fixture
def copied_project(tmp_path: Path) -> Path:
    """A project whose reports are a copy, and all else is this one's."""
    (tmp_path / "functions").mkdir()
    for path in (ROOT / "functions").iterdir():
        if path != MODULE:
            (tmp_path / "functions" / path.name).symlink_to(path)
    (tmp_path / "shared").symlink_to(ROOT / "shared")
    shutil.copytree(MODULE, tmp_path / "functions/reporting", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_types_are_those_of_the_registry_with_their_titles_and_parameters() -> None:
    types = {
        name.strip("`"): (title, re.findall(r"`(\w+)`", parameters)) for name, title, parameters, _ in rows("type")
    }
    assert types == {name: (kind.title, list(kind.parameters.model_fields)) for name, kind in REPORT_TYPES.items()}


def test_the_formats_are_those_of_the_api_and_the_limit_of_print_that_of_the_code() -> None:
    assert [name.strip("`") for name, _ in rows("format")] == list(FORMATS)
    assert f"its {MAX_PRINTED_ROWS:,} largest rows" in PAGE


def test_the_files_that_the_page_names_exist() -> None:
    paths = {path.strip("`") for path, _ in rows("file")}
    assert paths
    assert [path for path in paths if not (MODULE / path).is_file()] == []


def test_every_type_and_no_other_has_a_module() -> None:
    modules = {path.stem for path in (MODULE / "reports").glob("*.py") if "\nREPORT_TYPE = " in path.read_text()}
    assert modules == REPORT_TYPES.keys()


def test_a_new_type_is_a_file_and_a_line(copied_project: Path) -> None:
    reporting = copied_project / "functions/reporting"
    (reporting / "reports/cover_sheet.py").write_text(code_block("`reports/cover_sheet.py`"))
    registry = reporting / "reports/registry.py"
    names, rest = registry.read_text().split("\n)\n", 1)
    registry.write_text(f"{names}\n{code_block('the line in `reports/registry.py`')})\n{rest}")
    output = subprocess.run(
        [sys.executable, "-c", REQUEST, "cover_sheet", *FORMATS],
        cwd=copied_project,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    answer = json.loads(output)
    assert answer["schema"] == [*REPORT_TYPES, "cover_sheet"]
    assert answer["files"]["pdf"].startswith("%PDF")
    assert answer["files"]["html"].startswith("<!DOCTYPE html>")
    assert answer["files"]["xlsx"].startswith("PK")
    assert answer["files"]["csv"].splitlines()[1] == "king_wa,Appeals of 2026"
    assert json.loads(answer["files"]["json"])["subject"] == "Appeals of 2026"
