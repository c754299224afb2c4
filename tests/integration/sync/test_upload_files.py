"""Files of uploads that are not what they should be: each refused with a clear answer, and nothing of it kept."""

import gzip
import io
import zipfile
from typing import Any

import openpyxl
import polars as pl
import pytest

from functions.uploads.service import content
from shared.settings import settings
from tests.aws import make_machine
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.sync_steps import carry_out
from tests.integration.sync.upload_steps import (
    announced,
    asked,
    compared,
    confirm,
    inspect,
    inspected,
    inspection_asked,
    stored,
)

ROWS = b"property_id,year_built\r\n000001,1961\r\n"


@pytest.fixture(autouse=True)
def jobs_machine(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    make_machine(monkeypatch, "jobs")
    settings.cache_clear()


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in members.items():
            made.writestr(name.replace("__", "/").replace("_DOT_", "."), body)
    return buffer.getvalue()


def encrypted_archive() -> bytes:
    made = bytearray(archive(a_DOT_csv=ROWS))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(signature) + flags] |= 1
    return bytes(made)


BOOK = workbook(("property_id", "year_built"), ("000001", 1961))
WITH_MACROS = archive(xl__workbook_DOT_xml=b"<workbook/>", xl__vbaProject_DOT_bin=b"macro")
CASES: dict[str, tuple[str, bytes, str, str]] = {
    "an extension that lies": ("list.csv", BOOK, "file-extension-differs", "called .csv"),
    "text called a workbook": ("list.xlsx", ROWS, "file-extension-differs", "its content is delimited text"),
    "a workbook with macros": ("list.xlsm", WITH_MACROS, "file-with-macros", "with macros"),
    "macros under another name": ("list.xlsx", WITH_MACROS, "file-with-macros", "with macros"),
    "an encrypted workbook": ("list.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600), "file-unreadable", "a password protects"),
    "an encrypted archive": ("list.zip", encrypted_archive(), "file-encrypted", "without one"),
    "no header": ("list.csv", b"000001,1961\r\n000002,1962\r\n", "file-without-header", "'000001'"),
    "a workbook without a header": ("l.xlsx", workbook((1, 1961), (2, 1962)), "file-without-header", "no header"),
    "a header alone": ("list.csv", b"property_id,year_built\r\n", "file-empty", "no rows"),
    "blanks": ("list.csv", b"\r\n\r\n", "file-empty", "empty"),
    "a column twice": ("list.csv", b"a,b,a\r\n1,2,3\r\n", "file-columns-twice", "two columns named a"),
    "a file that is cut off": ("list.csv", b"property_id,year_built\r\n000001,1961\r\n00", "file-truncated", "cut off"),
    "a damaged workbook": ("list.xlsx", BOOK[: len(BOOK) // 2], "file-unreadable", "damaged"),
    "a damaged archive": ("list.csv.gz", gzip.compress(ROWS * 50)[:-20], "file-unreadable", "cut off"),
    "two files in an archive": ("l.zip", archive(a_DOT_csv=ROWS, b_DOT_csv=ROWS), "file-unreadable", "one file"),
    "a page of HTML": ("list.csv", b"<html><table></table></html>", "file-unreadable", "HTML"),
    "a picture": ("list.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "file-unreadable", "binary"),
    "something called Parquet": ("list.parquet", b"PAR1" + bytes(50) + b"PAR1", "file-unreadable", "Parquet"),
}


def test_a_file_that_cannot_be_read_is_refused_with_the_reason_and_nothing_of_it_is_kept(county: County) -> None:
    for case, (filename, body, slug, message) in CASES.items():  # in one county, which takes seconds to make
        upload = inspected(body, filename)
        assert (upload["status"], upload["error"]["type"]) == ("refused", slug), (case, upload["error"])
        assert message in upload["error"]["detail"], case
        assert upload["id"] not in upload["error"]["detail"], case  # the name is the one that its owner gave it
        for folder in ("uploads", "sync-files", "sync-unpacked"):
            assert county.object_keys(folder) == [], case
        assert asked("POST", "/confirm", upload["id"], body=None).status == 409, case
    assert county.query("SELECT count(*) FROM audit_events WHERE action = 'upload.refused'") == [(len(CASES),)]


def test_a_bomb_is_refused_before_it_is_unpacked_anywhere(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_UNPACKED_BYTES", 1 << 20)
    body = b"property_id,note\r\n" + b"1,0\r\n" * 500_000
    for filename, bomb in (("list.csv.gz", gzip.compress(body)), ("list.zip", archive(list_DOT_csv=body))):
        assert len(bomb) < 20_000
        upload = inspected(bomb, filename)
        assert (upload["status"], upload["error"]["type"]) == ("refused", "file-too-large")
        assert county.object_keys("sync-unpacked") == []


def test_limits_of_the_county_hold(county: County) -> None:
    limits = '{"plugin_settings": {"file_ingestion": {"max_megabytes": 1, "max_rows": 2, "formats": ["csv"]}}}'
    county.query(
        "UPDATE counties SET configuration = configuration || CAST(:limits AS jsonb) RETURNING 1", limits=limits
    )
    too_large = asked("POST", body={"filename": "a.csv", "size_bytes": (1 << 20) + 1, "sha256": "0" * 64})
    assert (too_large.status, too_large.body["errors"][0]["pointer"]) == (422, "/body/size_bytes")
    assert inspected(ROWS + b"1,1950\r\n2,1950\r\n")["error"]["type"] == "file-too-many-rows"
    assert inspected(BOOK, "list.xlsx")["error"]["type"] == "file-format-not-taken"
    for size in (0, -1, 10**12):
        assert asked("POST", body={"filename": "a.csv", "size_bytes": size, "sha256": "0" * 64}).status == 422
    for name in ("../a.csv", "a/b.csv", "a\\b.csv", "", "a\x00.csv", "x" * 300):
        answer = asked("POST", body={"filename": name, "size_bytes": 1, "sha256": "0" * 64})
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/body/filename"), name


def test_another_content_than_announced_is_refused(county: County) -> None:
    created = announced(ROWS).body
    upload_id, signed = created["id"], created["send"]["url"].partition("X-Amz-SignedHeaders=")[2].partition("&")[0]
    assert {"content-length", "x-amz-checksum-sha256", "if-none-match"} <= set(signed.split("%3B"))
    stored(upload_id, ROWS.replace(b"1961", b"1962"), "corrections.csv")
    inspection_asked(upload_id)
    inspect(upload_id)
    assert asked("GET", "", upload_id).body["error"]["type"] == "file-altered"
    assert county.object_keys("uploads") == []


def test_formulas_are_values_and_texts_that_look_like_formulas_stay_texts(county: County) -> None:
    county.sync()
    content_ = b"property_id,legal_description\r\n000001,=1+1\r\n000002,@SUM(A1)\r\n"
    apply_of = compared(content_)
    shown = {item["key"]: item["fields"][0]["new"] for item in asked("GET", "/changes", apply_of).body["items"]}
    assert shown == {"000001": "=1+1", "000002": "@SUM(A1)"}
    uncalculated = workbook(("property_id", "year_built"), ("000001", "=1900+61"), ("000002", 1962))
    upload = inspected(uncalculated, "list.xlsx")
    run_id = confirm(upload["id"])
    assert carry_out(COUNTY, run_id) == "awaiting_approval"
    assert asked("GET", "", upload["id"]).body["counts"] == {
        "rows": 2, "added": 0, "changed": 1, "unchanged": 0, "rejected": 1,
    }  # fmt: skip


PARQUET = io.BytesIO()
pl.DataFrame({"property_id": ["000001"], "year_built": [1961]}).write_parquet(PARQUET)
GOOD: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "workbook": ("list.xlsx", BOOK, {}),
    "parquet": ("list.parquet", PARQUET.getvalue(), {}),
    "gzip": ("list.csv.gz", gzip.compress(ROWS), {}),
    "zip": ("list.zip", archive(list_DOT_csv=ROWS), {}),
    "tabs, no ending": ("list", ROWS.replace(b",", b"\t"), {}),
    "cp1252": ("list.txt", b"property_id;year_built;note\r\n000001;1961;Stra\xdfe\r\n", {}),
    "utf-16": ("list.csv", "property_id,year_built\r\n000001,1961\r\n".encode("utf-16"), {}),
    "no header, described": (
        "list.csv",
        b"000001,1961\r\n",
        {"description": {"format": "csv", "file": "x", "header": False, "columns": ["property_id", "year_built"]}},
    ),
    "fixed width, described": (
        "list.txt",
        b"0000011961\r\n",
        {
            "description": {
                "format": "fixed_width",
                "file": "x",
                "columns": [
                    {"name": "property_id", "start": 1, "length": 6},
                    {"name": "year_built", "start": 7, "length": 4},
                ],
            }
        },
    ),
}


def test_every_format_is_read_and_compared(county: County) -> None:
    county.sync()
    for case, (filename, body, more) in GOOD.items():
        upload_id = compared(body, filename, target_table="properties_operational", **more)
        (change,) = asked("GET", "/changes", upload_id).body["items"]
        changed = {"field": "year_built", "old": 1901, "new": 1961}
        assert (change["key"], change["fields"]) == ("000001", [changed]), case
