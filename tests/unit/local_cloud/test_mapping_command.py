"""`terrafusion mapping check` on a folder."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.commands.mapping import app
from tests.unit.mapping.mappings import mapping_text

FIELDS = (
    "{source: pin, target: parcel_number, type: string, transformations: [{type: strip_whitespace}]}",
    "{source: built, target: year_built, type: integer}",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "mapping.yaml").write_text(mapping_text(*FIELDS))
    (tmp_path / "sample.csv").write_text('id,pin,built\n1," 12-34 ",1950\n2,,19x7\n')
    return tmp_path


def check(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *map(str, words)])
    return result.exit_code, result.output


def test_a_mapping_without_fault_says_so(folder: Path) -> None:
    code, output = check(folder)
    assert code == 0
    assert "1 table(s), no fault" in output.replace("\n", "")


def test_every_fault_is_told_with_line_and_column(folder: Path) -> None:
    text = mapping_text(FIELDS[0].replace("strip_whitespace", "strip_whitespac"), FIELDS[1].replace("built,", "b,"))
    (folder / "mapping.yaml").write_text(text.replace("year_built", "year_bilt"))
    code, output = check(folder)
    assert code == 1
    assert "mapping.yaml:11:" in output
    assert "did you mean strip_whitespace?" in output


def test_a_sample_is_shown_source_result_and_reasons_side_by_side(folder: Path) -> None:
    code, output = check(folder, "--sample", folder / "sample.csv")
    assert code == 0
    (line,) = [line for line in output.splitlines() if "parcel_number" in line]
    assert " 12-34 " in line
    assert "row 2: rejected" in output
    assert "rejected by type of year_built: '19x7' is not a valid integer" in output
    assert "2 row(s): 1 good, 1 rejected." in output


def test_a_sample_without_a_column_is_refused_by_its_name(folder: Path) -> None:
    (folder / "sample.csv").write_text("id,pin\n1,2\n")
    code, output = check(folder, "--sample", folder / "sample.csv")
    assert code == 2
    assert "no column built" in output


def test_a_short_record_of_a_sample_is_rejected_as_a_sync_rejects_it(folder: Path) -> None:
    (folder / "sample.csv").write_text("id,pin,built\n1,a,1950\n2,b\n3,c,1951,x\n")
    code, output = check(folder, "--sample", folder / "sample.csv")
    assert code == 0
    assert "the record has 2 fields and the header 3" in output
    assert "3 row(s): 1 good, 2 rejected." in output
