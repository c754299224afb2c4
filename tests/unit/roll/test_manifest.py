"""Manifests: exact bytes, whatever texts the rows have."""

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from functions.roll.domain.manifest import apply_supplement, certified_rows, manifest, row_lines


def copied(*columns: object) -> bytes:
    """A row as COPY writes JSON in text format: backslashes doubled, NULL as a mark."""
    texts = (r"\N" if column is None else json.dumps(column).replace("\\", "\\\\") for column in columns)
    return "\t".join(texts).encode() + b"\n"


def digest(content: object) -> str:
    return sha256(json.dumps(content).encode()).hexdigest()


@given(st.dictionaries(st.text(), st.lists(st.one_of(st.none(), st.text(), st.integers())), max_size=5))
def test_a_manifest_has_the_digest_of_each_rows_json(rows: dict[str, list[object]]) -> None:
    lines = row_lines("assessments", b"".join(copied(key, content) for key, content in rows.items()))
    stored = manifest({"b": 1, "a": "x"}, lines)
    assert stored.startswith(b'{"a":"x","b":1}\n')
    assert certified_rows(stored) == {("assessments", key): digest(content) for key, content in rows.items()}


def test_supplements_add_change_and_remove_rows_and_name_those_that_they_do_not_fit() -> None:
    rows = {("assessments", "A"): digest(1), ("assessments", "B"): digest(2)}
    supplement = manifest({}, row_lines("assessments", copied("A", 1, None) + copied("C", None, 3) + copied("B", 9, 4)))
    assert apply_supplement(rows, supplement) == [("assessments", "B")]
    assert rows == {("assessments", "C"): digest(3), ("assessments", "B"): digest(4)}
