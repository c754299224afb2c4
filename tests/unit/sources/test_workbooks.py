"""Cells of workbooks by their types, on workbooks written by hand as programs write them."""

import io
import os
import random
import zipfile
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.mapping import READ_FAULT, ROW_NUMBER, VALUE_FAULTS
from shared.problems import Problem
from tests.unit.sources.bucket import source_of, table, whole

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_DOCUMENT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
DAMAGED = int(os.environ.get("DAMAGED_WORKBOOKS", "60"))
"""Workbooks with bytes changed at random; more of them on request."""


def written(
    *rows: str, styles: str = "", texts: str = "", workbook: str = "", main: str = MAIN, document: str = DOCUMENT
) -> bytes:
    """A workbook whose first row names the columns a, b and c."""
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in "abc")
    sheet = "".join(f'<row r="{number}">{row}</row>' for number, row in enumerate((header, *rows), start=1))
    related = f'<Relationship Id="r1" Type="{document}/worksheet" Target="worksheets/sheet1.xml"/>'
    parts = {
        "_rels/.rels": f'<Relationships><Relationship Id="r" Type="{document}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{document}">{workbook}'
        '<sheets><sheet name="Roll" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    for name, content in (("styles", styles), ("sharedStrings", texts)):
        if content:
            parts[f"xl/{name}.xml"] = content
            related += f'<Relationship Id="{name}" Type="{document}/{name}" Target="{name}.xml"/>'
    parts["xl/_rels/workbook.xml.rels"] = f"<Relationships>{related}</Relationships>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read(content: bytes, **more: Any) -> pl.DataFrame:
    return whole(source_of(content, format="xlsx", **more), 100)


STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="170" formatCode="[$-409]mmm d, yyyy;@"/>'
    '<numFmt numFmtId="171" formatCode="&quot;day &quot;0.00_d"/><numFmt numFmtId="172" formatCode="[h]:mm"/></numFmts>'
    '<fills><fill/></fills><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/>'
    '<xf numFmtId="172"/></cellXfs></styleSheet>'
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<c><v>100</v></c>", "100"),
        ("<c><v>100.0</v></c>", "100"),
        ("<c><v>1.1000000000000001</v></c>", "1.1"),
        ("<c><v>159000000000000123</v></c>", "159000000000000123"),
        ("<c><v>1.59E+17</v></c>", "159000000000000000"),
        ("<c><v>1E-7</v></c>", "0.0000001"),
        ('<c t="b"><v>1</v></c>', "true"),
        ('<c t="d"><v>2024-03-05T09:30:00</v></c>', "2024-03-05 09:30:00"),
        ('<c t="str"><f>"x"</f><v>a_x000D_b</v></c>', "a\rb"),
        ('<c t="str"><f>""</f><v></v></c>', None),
        ('<c t="s"><v>0</v></c>', "LOT 1"),
        ('<c s="1"><v>45356</v></c>', "2024-03-05 00:00:00"),
        ('<c s="1"><v>59</v></c>', "1900-02-28 00:00:00"),
        ('<c s="2"><v>45356.5</v></c>', "2024-03-05 12:00:00"),
        ('<c s="3"><v>45356</v></c>', "45356"),
        ('<c s="4"><v>1.25</v></c>', "30:00:00"),
        ('<c s="1"><v>0.395833333333333</v></c>', "09:30:00"),
        ('<c t="inlineStr"><is><r><t>a</t></r><rPh><t>x</t></rPh><r><t>b</t></r></is></c>', "ab"),
        ("<c/>", None),
    ],
)
def test_a_cell_is_read_by_its_type(cell: str, text: str | None) -> None:
    texts = f'<sst xmlns="{MAIN}"><si><r><t>LOT</t></r><r><t xml:space="preserve"> 1</t></r></si></sst>'
    finding = read(written(f"<c><v>1</v></c>{cell}", styles=STYLES, texts=texts))
    assert finding["b"].to_list() == [text]
    assert finding[VALUE_FAULTS].to_list() == [None]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('<c t="e"><v>#N/A</v></c>', "cell B2 is an error (#N/A), which is no value"),
        ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "cell B2 is an error (#DIV/0!)"),
        ("<c><f>D2+E2</f></c>", "cell B2 is a formula without a saved value: open the workbook in Excel and save it"),
        ("<c><f>D2+E2</f><v></v></c>", "cell B2 is a formula without a saved value"),
        ('<c t="str"><f>D2</f></c>', "cell B2 is a formula without a saved value"),
        ('<c t="s"><v>9</v></c>', "cell B2 refers to text 9 of the workbook, which has 0"),
        ("<c><v>12a</v></c>", "cell B2 holds '12a' as a number"),
        ('<c s="1"><v>3000000</v></c>', "cell B2 holds 3000000 as a day"),
    ],
)
def test_a_cell_without_a_value_that_should_have_one_is_named(cell: str, said: str) -> None:
    finding = read(written(f"<c><v>1</v></c>{cell}", styles=STYLES))
    assert finding["b"].to_list() == [None]
    assert finding[VALUE_FAULTS][0].startswith(f"b\t{said}")


def test_a_zero_that_a_program_wrote_for_a_formula_is_no_result_until_the_workbook_was_calculated() -> None:
    row = "<c><v>1</v></c><c><f>D2+E2</f><v>0</v></c>"
    assert read(written(row))["b"].to_list() == ["0"]
    rows_read = read(written(row, workbook='<calcPr fullCalcOnLoad="1"/>'))
    assert (rows_read["b"][0], "without a saved value" in rows_read[VALUE_FAULTS][0]) == (None, True)


def test_a_strict_document_is_read() -> None:
    assert read(written("<c><v>7</v></c>", main=STRICT_MAIN, document=STRICT_DOCUMENT))["a"].to_list() == ["7"]


def test_a_stray_cell_far_away_costs_nothing() -> None:
    content = written("<c><v>1</v></c>", '<c r="XFD3"><v>9</v></c>')
    assert read(content)[READ_FAULT].to_list() == [None, "the row has a value beyond the last named column: 9"]


def test_a_column_of_numbers_alone_is_one() -> None:
    content = written(
        '<c><v>1</v></c><c t="inlineStr"><is><t>x</t></is></c>', "<c><v>2</v></c><c><v>3</v></c><c><v>4</v></c>"
    )
    columns = source_of(content, format="xlsx").schema(table()).columns
    assert [columns[name] for name in ("a", "b", "c", ROW_NUMBER)] == ["number", "cell", "number", "integer"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "Excel 97 to 2003"),
        (b"<html><table>", "a page of HTML"),
        (b"PIN,VALUE\n", "begins like"),
    ],
)
def test_a_file_of_another_format_is_refused_with_its_name(content: bytes, said: str) -> None:
    with pytest.raises(Problem, match=rf"parcels\.dat is no workbook .*{said}.*Open it and save it as \.xlsx"):
        read(content)


cells = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**14), 10**14), st.floats(-1e14, 1e14, allow_nan=False),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12),
)  # fmt: skip


@settings(max_examples=40)
@given(rows=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=6))
def test_what_another_library_writes_is_read_as_it_reads_it_again(rows: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate([["a", "b", "c"], *rows], start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # not a formula, whatever it begins with
    buffer = io.BytesIO()
    book.save(buffer)
    again = openpyxl.load_workbook(io.BytesIO(buffer.getvalue())).worksheets[0]
    expected = [row for row in again.iter_rows(min_row=2, values_only=True) if any(map(has_text, row))]

    rows_read = read(buffer.getvalue()).select("a", "b", "c").rows() if expected else []

    assert len(rows_read) == len(expected)
    for texts, values in zip(rows_read, expected, strict=True):
        assert all(map(is_same, texts, values)), (texts, values)


def has_text(value: Any) -> bool:
    return value is not None and bool(str(value).strip())


def is_same(text: str | None, value: Any) -> bool:
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, int | float):
        return text is not None and "e" not in text and float(text) == value
    return text == (value if has_text(value) else None)


@pytest.mark.parametrize("seed", range(DAMAGED))
def test_a_damaged_workbook_is_read_or_refused_with_file_place_and_remedy(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - damage is no secret
    rows = [
        f'<c r="A{n}"><v>{n}</v></c><c r="B{n}" t="s"><v>{n % 2}</v></c><c r="C{n}" s="1"><v>4535{n % 10}</v></c>'
        for n in range(2, 30)
    ]
    texts = f'<sst xmlns="{MAIN}"><si><t>LOT 1</t></si><si><t>LOT 2</t></si></sst>'
    content = bytearray(written(*rows, styles=STYLES, texts=texts))
    for _ in range(chance.choice([1, 1, 3, 20])):
        content[chance.randrange(len(content))] = chance.randrange(256)
    refusal_text = refusal(bytes(content))
    assert refusal_text is None or (
        "parcels.dat" in refusal_text and any(advice in refusal_text for advice in ADVICE)
    ), refusal_text


ADVICE = ("save it", "Name one", "Send it", "say where", "two columns named", "name of a column")


def refusal(content: bytes) -> str | None:
    """The reason for which a workbook is refused; None where it is read."""
    try:
        read(content)
    except Problem as problem:
        return problem.detail
    return None
