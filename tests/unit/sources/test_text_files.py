"""Delimited and fixed-width files, as counties send them."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.counties.source_description import CsvFile
from shared.mapping import READ_FAULT
from shared.problems import Conflict, Problem, SourceUnavailable, Unprocessable
from shared.sources import Ability, KeyRange, Since, SourceTable
from shared.sources.files.delimited import DelimitedReader
from shared.storage import StoredObject
from tests.unit.sources.bucket import files_source, frames, put, source_of, table, whole

texts = st.text(
    st.one_of(st.sampled_from("\",;|\t\n\r' é—😀"), st.characters(codec="utf-8", exclude_characters="\x00")), max_size=8
)
tables = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(texts, min_size=width, max_size=width), max_size=9))


@dataclass(frozen=True)
class InMemory(StoredObject):
    """An object in memory, for many examples."""

    content: bytes = b""

    def range(self, start: int, end: int) -> bytes:
        return self.content[start:end]

    def chunks(self, start: int = 0, size: int = 7) -> Iterator[bytes]:
        for index in range(start, self.size, size):
            yield self.content[index : min(self.size, index + size)]


def written(field: str, *, always: bool) -> str:
    return '"' + field.replace('"', '""') + '"' if always or set(field) & set('",;|\t\r\n') else field


@settings(max_examples=150)
@given(
    rows=tables,
    delimiter=st.sampled_from(",;|\t"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    always=st.booleans(),
    ended=st.booleans(),
    at_once=st.integers(1, 4),
)
def test_whatever_was_written_is_read_again(
    rows: list[list[str]], delimiter: str, line_end: str, encoding: str, always: bool, ended: bool, at_once: int
) -> None:
    names = [f"c{number}" for number in range(len(rows[0]) if rows else 2)]
    lines = [delimiter.join(written(field, always=always) for field in row) for row in (names, *rows)]
    content = (line_end.join(lines) + (line_end if ended else "")).encode(encoding)
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    description = CsvFile.model_validate({"file": "x.csv", "delimiter": delimiter, "encoding": declared})
    reader = DelimitedReader(InMemory("x.csv", "etag", len(content), content), description)

    index = reader.index(at_once)
    edges = [None, *index.ends, None]
    parts = [reader.read(names, start, end) for start, end in pairwise(edges)]

    assert index.rows == len(rows)
    assert all(part.rows == at_once for part in parts[:-1])
    rows_read = [row for part in parts for row in part.frame().rows()]
    assert rows_read == [tuple(field or None for field in row) for row in rows]


@settings(max_examples=int(os.environ.get("CSV_TEXTS", "300")))
@given(
    text=st.text(st.sampled_from('",;ab1 \t\n\r\x1a\x00'), max_size=40),
    quote=st.sampled_from(['"', None]),
    at_once=st.integers(1, 3),
)
def test_a_sync_and_a_preview_read_the_same_of_any_text(text: str, quote: str | None, at_once: int) -> None:
    content = b"a,b\n" + text.encode()
    reader = DelimitedReader(InMemory("x.csv", "etag", len(content), content), CsvFile(file="x.csv", quote=quote))
    try:
        index = reader.index(at_once)
    except Unprocessable:  # it ends within a record
        return
    parts = [reader.read(["a", "b"], *edge) for edge in pairwise([None, *index.ends, None])]
    synced = pl.concat([part.frame() for part in parts], how="diagonal")
    previewed = reader.sample(1000).frame
    assert synced.height == index.rows
    assert synced.to_dicts() == previewed.select(synced.columns).to_dicts()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "end", ["", "\x1a", "\n\x1a", "\r\n\x1a\x1a\x1a", "\n\x1a\r\n", "\n\x1a\x00\x00", "\n\x00\x00"]
)
def test_the_end_of_file_mark_of_dos_is_no_data(end: str, encoding: str) -> None:
    content = f"id,note\n1,a\n2,b{end}".encode(encoding)
    assert whole(source_of(content, format="csv", encoding=encoding)).rows() == [("1", "a"), ("2", "b")]


def test_a_mark_of_dos_within_a_file_stays() -> None:
    assert whole(source_of(b"id,note\n1,a\x1a\n2,b\n", format="csv")).rows() == [("1", "a\x1a"), ("2", "b")]


def test_lines_of_blanks_are_no_records() -> None:
    assert whole(source_of(b"id,note\n1,a\n   \n\t\n2,b\n  ", format="csv")).rows() == [("1", "a"), ("2", "b")]


def test_ranges_end_between_records_also_where_line_ends_are_mixed_and_lines_blank() -> None:
    content = b'id,note\n1,a\r\n2,"b\r\nc"\n\n3,d\r4,"e"\r\n\r\n5,f'
    parts = frames(source_of(content, format="csv"), 2)
    assert [part.rows() for part in parts] == [
        [("1", "a"), ("2", "b\r\nc")], [("3", "d"), ("4", "e")], [("5", "f")],
    ]  # fmt: skip


def test_a_stray_quote_is_a_character() -> None:
    content = b'id,note,size\n1,12" pipe,3\n2,"a ""b"" c",4\n3,14" pipe,5\n'
    assert whole(source_of(content, format="csv")).rows() == [
        ("1", '12" pipe', "3"), ("2", 'a "b" c', "4"), ("3", '14" pipe', "5"),
    ]  # fmt: skip


def test_a_record_with_a_wrong_number_of_fields_has_a_fault_and_the_rest_is_read() -> None:
    frame = whole(source_of(b"id,note\n1,a\n2,b,c\n3\n4,d\n", format="csv"), 10)
    assert frame.get_column("id").to_list() == ["1", "2", "3", "4"]
    assert frame.get_column(READ_FAULT).to_list() == [
        None, "the record has 3 fields and the header 2: 2,b,c", "the record has 1 fields and the header 2: 3", None,
    ]  # fmt: skip


def test_code_pages_are_read() -> None:
    content = "id,owner\n1,Peña–Ö\n".encode("cp1252")
    assert whole(source_of(content, format="csv", encoding="cp1252")).rows() == [("1", "Peña–Ö")]


def test_a_file_without_a_header_is_read_by_the_names_given() -> None:
    source = source_of(b"1\ta\n2\tb\n", format="csv", delimiter="\t", header=False, columns=["id", "note"])
    assert whole(source).to_dicts() == [{"id": "1", "note": "a"}, {"id": "2", "note": "b"}]


def test_a_file_of_a_header_alone_is_a_table_without_rows() -> None:
    source = source_of(b"id,note\n", format="csv")
    assert source.cut(table(), 10) == (0, [])
    assert whole(source).columns == ["id", "note"]


@pytest.mark.parametrize(
    ("content", "slug", "said"),
    [
        (b"", "file-empty", "no header line"),
        (b"id,note,size\n1,a,2\n2,b", "file-truncated", "its last line has 2 of 3 fields and no line end"),
        (b'id,note\n1,a\n2,"b\n3,c\n4,d\n', "file-truncated", "begins in line 2"),
        ("id,note\n1,a\n2,Peña\n".encode("cp1252"), "file-encoding", "0xf1 is no utf-8; is the file cp1252"),
        (b"id,id\n1,2\n", "file-columns-twice", "two columns named id"),
        ("id,n\n1,2".encode("utf-16-le")[:-1], "file-encoding", "is no utf-16-le"),
    ],
)
def test_a_truncated_file_is_refused_with_the_place(content: bytes, slug: str, said: str) -> None:
    source = source_of(content, format="csv", encoding="utf-16-le" if "n\0" in content.decode("latin-1") else "utf-8")
    with pytest.raises(Unprocessable, match=said) as refused:
        whole(source)
    assert refused.value.slug == slug


def test_a_digest_changes_with_the_rows_or_the_names_and_not_otherwise() -> None:
    def digest(content: bytes) -> str:
        source = source_of(content, format="csv")
        return source.read(table(), source.schema(table()), KeyRange(None, None)).digest

    assert digest(b"id,a\n1,2\n") == digest(b"id,a\n1,2\n")
    assert len({digest(b"id,a\n1,2\n"), digest(b"id,a\n1,3\n"), digest(b"a,id\n1,2\n")}) == 3


def test_a_file_that_is_replaced_between_two_reads_is_a_conflict() -> None:
    source = source_of(b"id,a\n1,2\n3,4\n5,6\n", format="csv")
    _, ends = source.cut(table(), 1)
    shape = source.schema(table())
    put("parcels.dat", b"id,a\n1,2\n9,4\n5,6\n")
    with pytest.raises(Conflict, match="was replaced while it was read"):
        source.read(table(), shape, KeyRange(ends[0], ends[1]))
    later = files_source(described("parcels.dat")["tables"])
    with pytest.raises(Conflict, match="was replaced while it was read"):
        later.read(table(), shape, KeyRange(ends[0], ends[1]))


def test_a_dropped_or_renamed_column_is_not_in_the_schema() -> None:
    before = source_of(b"id,kept,spare\n1,2,3\n", format="csv").schema(table()).columns
    after = source_of(b"id,renamed\n1,2\n", format="csv").schema(table()).columns
    assert set(before) ^ set(after) == {"kept", "spare", "renamed"}


def test_a_file_source_gives_reasons_for_missing_abilities() -> None:
    source = source_of(b"id\n1\n", format="csv")
    assert not any(source.capabilities.can(ability) for ability in Ability)
    refusals: list[Callable[[], object]] = [
        lambda: source.watermark(table(), "id"),
        lambda: source.change_version(table()),
        lambda: source.count(SourceTable("parcels", None, ("id",), Since("id", "1"))),
        lambda: source.schema(SourceTable(None, "SELECT 1", ("id",))),
        lambda: source.schema(table("sales")),
    ]
    for refusal in refusals:
        with pytest.raises(Unprocessable):
            refusal()


def test_a_file_that_is_not_there_is_an_unavailable_source() -> None:
    source = files_source(described("missing.csv")["tables"])
    with pytest.raises(SourceUnavailable, match=r"no file missing\.csv below incoming/"):
        source.schema(table())


def test_the_keys_of_all_rows_come_alone() -> None:
    keys = list(source_of(b"id,a\n1,2\n3,4\n", format="csv").keys(table(), ["id"]))
    assert [frame.rows() for frame in keys] == [[("1",), ("3",)]]


FIXED = {
    "format": "fixed_width",
    "columns": [
        {"name": "id", "start": 1, "length": 3},
        {"name": "owner", "start": 4, "length": 6},
        {"name": "value", "start": 10, "length": 4},
    ],
}


def test_fixed_width_counts_characters_and_takes_blanks_for_null() -> None:
    content = "HEADER\n001Peña  1200\n002        20\n\n003Öz\n".encode()
    frame = whole(source_of(content, **FIXED, skip_lines=1), 2)
    assert frame.rows() == [("001", "Peña  ", "1200"), ("002", None, "  20"), ("003", "Öz", None)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_fixed_width_is_cut_between_lines(line_end: str, encoding: str, rows: int) -> None:
    lines = [f"{number:03}{'é' * 6}{number:4}" for number in range(7)]
    content = line_end.join(lines).encode(encoding)
    frame = whole(source_of(content, **FIXED, encoding=encoding), rows)
    assert frame.get_column("id").to_list() == [f"{number:03}" for number in range(7)]
    assert set(frame.get_column("owner")) == {"é" * 6}


def test_a_fixed_width_file_that_ends_early_is_refused() -> None:
    with pytest.raises(Problem, match="its last line has 5 characters and no line end, the others have 13"):
        whole(source_of(b"001abcdef1200\n002abcdef1200\n003ab", **FIXED))


def described(file: str) -> dict[str, Any]:
    return {"kind": "files", "tables": {"parcels": {"format": "csv", "file": file}}}
