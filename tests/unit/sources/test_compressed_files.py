"""Compressed text files, and the row numbers of files."""

import bz2
import gzip
import io
import zipfile

import pytest

from shared.mapping import ROW_NUMBER
from shared.problems import Unprocessable
from shared.sources.files import compressed
from shared.sources.files.source import FilesSource
from tests.unit.sources.bucket import source_of, table, whole

CONTENT = b"id,note\n" + b"".join(b"%d,a\n" % number for number in range(7))


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [gzip.compress(CONTENT), zipped(pairs=CONTENT), zipped(**{"pairs": CONTENT, "__MACOSX/x": b""})],
    ids=["gzip", "zip", "zip of macOS"],
)
def test_a_compressed_file_is_read_as_if_it_were_not(content: bytes) -> None:
    frame = whole(source_of(content, format="csv"), 3)
    assert frame.get_column("id").to_list() == [str(number) for number in range(7)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bz2.compress(CONTENT), "compressed with bzip2; send it as it is, or as .gz or .zip"),
        (zipped(a=CONTENT, b=CONTENT), "holds a, b: an archive has to hold one file"),
        (gzip.compress(CONTENT)[:-9], "damaged or cut off"),
        (zipped(pairs=CONTENT)[:-30], "damaged or cut off"),
    ],
    ids=["bzip2", "two members", "cut gzip", "cut zip"],
)
def test_what_cannot_be_unpacked_is_refused_with_the_reason(content: bytes, said: str) -> None:
    with pytest.raises(Unprocessable, match=said):
        whole(source_of(content, format="csv"))


def test_a_file_that_unpacks_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "MAX_UNPACKED_BYTES", 10_000)
    with pytest.raises(Unprocessable, match="unpacks to more than"):
        whole(source_of(gzip.compress(b"0" * 1_000_000), format="csv"))


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_rows_are_numbered_through_the_whole_file(rows: int) -> None:
    source: FilesSource = source_of(CONTENT, format="csv")
    source.cut(table(), rows)
    keys = [number for frame in source.keys(table(), [ROW_NUMBER]) for number in frame[ROW_NUMBER]]
    assert keys == [str(number) for number in range(1, 8)]
    assert source.sample(table(), 2).frame[ROW_NUMBER].to_list() == ["1", "2"]
