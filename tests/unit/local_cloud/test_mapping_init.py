"""`terrafusion mapping targets` and `init`, and the example of files."""

import json
from pathlib import Path

from typer.testing import CliRunner

from infra.cli.main import app
from infra.settings import ROOT
from shared.counties.configuration import CountyConfiguration
from shared.mapping import parse_mapping
from shared.mapping.targets import target_tables

EXAMPLE = ROOT / "infra" / "examples" / "counties" / "hood_or"


def run(*words: object) -> tuple[int, str]:
    ended = CliRunner().invoke(app, [str(word) for word in words])
    return ended.exit_code, ended.output


def test_every_column_that_a_mapping_can_fill_is_listed() -> None:
    code, output = run("mapping", "targets", "--json")

    listed = {(row["table"], row["column"]): row for row in json.loads(output)}
    assert code == 0
    assert set(listed) == {(table.name, name) for table in target_tables().values() for name in table.columns}
    assert listed[("sales", "sale_price")]["required"]
    assert listed[("sales", "sale_date")]["types"] == ["date"]


def test_one_table_is_listed_and_an_unknown_one_is_refused() -> None:
    code, output = run("mapping", "targets", "owners")
    assert (code, "owner_id" in output, "sale_id" in output) == (0, True, False)

    code, output = run("mapping", "targets", "parcels")
    assert code == 2
    assert "there is no table parcels: properties_operational" in " ".join(output.replace("│", "").split())


def test_a_proposed_mapping_of_the_example_s_files_passes_the_check(tmp_path: Path) -> None:
    code, output = run(
        "mapping",
        "init",
        EXAMPLE / "parcels.csv",
        EXAMPLE / "sales.csv",
        "--county",
        "hood_or",
        "--out",
        tmp_path / "mapping.yaml",
    )
    assert code == 0, output
    written = (tmp_path / "mapping.yaml").read_text()
    assert '"parcels": {"format": "csv", "file": "parcels.csv"}' in written
    assert {table.target_table_name for table in parse_mapping(written).table_mappings} == {
        "properties_operational",
        "sales",
    }

    code, output = run("mapping", "check", tmp_path, "--sample", EXAMPLE / "parcels.csv")
    assert code == 0
    assert "2 row(s): 2 good, 0 rejected." in output


def test_files_that_are_not_there_or_of_no_known_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_text("x")
    for file, why in ((tmp_path / "none.csv", "there is no file"), (tmp_path / "a.doc", "is of no format")):
        code, output = run("mapping", "init", file, "--county", "hood_or")
        assert code == 2
        assert why in " ".join(output.replace("│", "").split())


def test_the_example_of_files_is_valid_and_maps_its_files() -> None:
    CountyConfiguration.model_validate_json((EXAMPLE / "configuration.json").read_text())

    code, output = run("mapping", "check", EXAMPLE, "--sample", EXAMPLE / "parcels.csv")

    assert code == 0, output
    assert "2 row(s): 2 good, 0 rejected." in output
    assert "residential" in output
