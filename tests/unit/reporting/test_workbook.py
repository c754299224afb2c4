"""Reports as workbooks: typed cells below a heading that stays in sight, sums as formulas, texts that stay texts."""

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from functions.reporting.domain.contents import Column, Contents, DataTable, Kind, Section
from functions.reporting.render.page import Page, page_of
from functions.reporting.render.workbook import write_workbook
from functions.reporting.reports.registry import REPORT_TYPES
from tests.unit.reporting.example_study import heading
from tests.unit.reporting.test_documents import page

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "x" * 40_000, "\x01\x0b", "محمد علي"]


def sheets(shown: Page, *, values: bool = False) -> dict[str, Worksheet]:
    book = openpyxl.load_workbook(BytesIO(write_workbook(shown)), data_only=values)
    return {sheet.title: sheet for sheet in book.worksheets}


def of_table(table: DataTable) -> Page:
    return page_of(heading(), "Table", Contents(facts=[("Fact", "=1+1")], sections=[Section("Names", [table])]))


@pytest.mark.parametrize("report_type", REPORT_TYPES)
def test_every_sum_is_a_formula_whose_value_is_the_sum_of_the_rows_above(report_type: str) -> None:
    calculated = sheets(page(report_type, "King"), values=True)
    for name, sheet in sheets(page(report_type, "King")).items():
        if name != "Summary":
            assert (sheet.freeze_panes, bool(sheet.auto_filter.ref)) == ("B2", True), name
        for number, cells in enumerate(sheet.iter_cols(), start=1):
            *rows, last = (cell.value for cell in cells[1:])
            if cells[-1].data_type != "f":
                continue
            letter = get_column_letter(number)
            assert last == f"=SUBTOTAL(109,{letter}2:{letter}{sheet.max_row - 1})"
            total: Any = sum(value for value in rows if value is not None)
            assert calculated[name].cell(sheet.max_row, number).value == pytest.approx(total)


def test_a_sum_is_the_total_that_the_report_gives() -> None:
    sheet = sheets(page("assessment_roll_summary", "King"), values=True)["By property class"]
    total = [cell.value for cell in sheet[sheet.max_row]]
    assert total[:5] == ["County", 6, 600601.5, 1500003, 2100604.5]
    assert sheet.cell(2, 4).number_format == "$#,##0.00"


def test_texts_that_begin_like_formulas_are_texts() -> None:
    sheet = sheets(of_table(DataTable([Column("=Name")], [[name] for name in HOSTILE])))["Names"]
    cells = [row[0] for row in sheet.iter_rows()]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in cells[:5]] == ["=Name", *HOSTILE[:4]]
    assert len(str(cells[6].value)) == 32_767


def test_the_same_report_is_the_same_workbook() -> None:
    assert write_workbook(page("assessment_roll_summary", "King")) == write_workbook(
        page("assessment_roll_summary", "King")
    )


def test_sheets_of_one_title_have_names_of_their_own() -> None:
    table = DataTable([Column("Parcels", Kind.COUNT, is_summed=True)], [[1], [2]])
    sections = [Section(title, [table]) for title in ("A" * 40, "a" * 40, "Summary", "[x]/y", "[x]/y")]
    names = list(sheets(page_of(heading(), "Table", Contents(facts=[], sections=sections))))
    assert names == ["Summary", "A" * 31, f"{'a' * 29} 2", "Summary 2", "x  y", "x  y 2"]
