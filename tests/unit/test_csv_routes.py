"""Every route that hands out CSV writes it by the writers that disarm formulas, and a new one is noticed."""

import json
import re
from pathlib import Path
from typing import Any

from infra.openapi import document
from infra.settings import ROOT

WRITTEN_BY_GDAL = {"gis_export_export_layers": "gis_export/test_formats.py::test_no_cell_of_a_csv_is_a_formula"}
"""Of map layers, whose cells are neutralized before GDAL gets them."""
TESTED = {
    "sync_export_rejected_rows": "sync/test_quarantine.py::test_a_formula_of_the_source_is_a_text_in_the_export",
    "valuation_download_valuation_results": "valuation/test_runs.py::test_a_formula_in_a_property_is_a_text_in_the_csv",
    "market_analysis_download_analysis": "market_analysis/test_market_analyses.py"
    "::test_a_neighborhood_that_is_a_formula_is_a_text_in_the_csv",
    "notices_download_print_list": "notices/test_batches.py"
    "::test_hostile_names_and_long_descriptions_are_printed_as_they_are",
    "reporting_make_report": "reporting/test_roll_reports.py"
    "::test_a_hostile_class_is_text_in_the_table_and_breaks_no_page",
}
"""By operation the test that puts formulas into its data, and reads the file that comes out."""


def test_every_operation_that_offers_csv_has_a_test_of_its_formulas() -> None:
    described = document()

    offering = {
        operation["operationId"]
        for path in described["paths"].values()
        for operation in path.values()
        if _offers_csv(operation, described["components"]["schemas"]) and not _is_list(operation)
    }

    assert offering == set(TESTED | WRITTEN_BY_GDAL)
    for test_path in (TESTED | WRITTEN_BY_GDAL).values():
        file, _, name = test_path.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / "integration" / file).read_text()


def test_every_list_is_written_as_csv_by_one_function_whose_formulas_are_tested() -> None:
    lists = ROOT / "tests" / "integration" / "test_list_formats.py"

    assert "def test_a_formula_of_the_county_is_a_text_in_every_file(" in lists.read_text()
    assert "neutralized" in (ROOT / "shared" / "tables" / "csv_file.py").read_text()


def test_csv_is_written_for_people_in_two_places_only() -> None:
    """The type of a CSV file is said once; who uses it has to have the rows from one of the two writers."""
    using = []
    for path in sorted([*(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]):
        text = path.read_text()
        if path != ROOT / "shared" / "csv_export" / "tables.py":
            assert "text/csv" not in text, path
        if path.is_relative_to(ROOT / "shared" / "tables"):
            continue
        if re.search(r"from shared.csv_export.tables import .*\bCSV\b", text):
            using.append(path)
            assert _writes_safely(path), path
    assert len(using) == len(TESTED)


def _writes_safely(path: Path) -> bool:
    """True if a module's folder writes CSV by one of the two writers, and by no other."""
    module = path.relative_to(ROOT / "functions").parts[0]
    texts = "".join(file.read_text() for file in (ROOT / "functions" / module).rglob("*.py"))
    return "to_csv(" in texts or "export_csv(" in texts


def _is_list(operation: dict[str, Any]) -> bool:
    return "text/csv" in operation["responses"].get("200", {}).get("content", {})


def _offers_csv(operation: dict[str, Any], schemas: dict[str, Any]) -> bool:
    described = json.dumps(operation)
    for name in re.findall(r'#/components/schemas/([^"]+)', json.dumps(operation.get("requestBody", {}))):
        described += json.dumps(schemas[name].get("properties", {}).get("format", {}))
    return "csv" in described.lower()
