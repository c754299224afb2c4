"""Values found in another table of the source."""

import polars as pl
import pytest

from infra.settings import ROOT
from shared.mapping import parse_mapping
from shared.mapping.compile import lookups as module
from shared.mapping.compile.lookups import build_lookup
from shared.mapping.compile.tables import CompiledTable, compile_table, mapping_digest
from shared.problems import Unprocessable
from tests.unit.mapping.mappings import TODAY, frame, mapping_text

LOOKUPS = """
lookups:
  owners: {source_table_name: owner, key: [owner_id, tax_year], columns: name}
  uses: {source_query: SELECT * FROM use_codes, key: code, columns: [meaning, grp]}
"""
FIELDS = (
    (
        "{source: [a, b], target: legal_description, type: string,"
        " transformations: [{type: lookup, table: owners, column: name}]}"
    ),
    (
        "{source: c, target: property_class, type: string,"
        " transformations: [{type: lookup, table: uses, column: grp, default: null}]}"
    ),
)


def rows(**columns: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


OWNERS = rows(owner_id=["7", "7 ", "8", None], tax_year=["2015", "2016", "2015", "2015"], name=["Ann", "Bo", None, "X"])
USES = rows(code=["11", "91"], meaning=["single", "vacant"], grp=["residential", "land"])


def compiled(owners: pl.DataFrame = OWNERS) -> CompiledTable:
    mapping = parse_mapping(mapping_text(*FIELDS) + LOOKUPS)
    figures = {
        "owners": build_lookup("owners", mapping.lookups["owners"], [owners.head(2), owners.slice(2)]),
        "uses": build_lookup("uses", mapping.lookups["uses"], [USES]),
    }
    return compile_table(mapping, "properties_operational", today=TODAY, lookups=figures)


def test_a_value_is_found_by_its_key_with_blanks_around_dropped() -> None:
    mapped_rows = compiled().apply(
        frame(a=["7", " 7", "8", None, " "], b=["2015", "2016", "2015", "2015", "1"], c=["11", "91 ", "12", None, ""])
    )
    assert mapped_rows.rejected.is_empty()
    assert mapped_rows.good["legal_description"].to_list() == ["Ann", "Bo", None, None, None]
    assert mapped_rows.good["property_class"].to_list() == ["residential", "land", None, None, None]


def test_a_key_that_is_not_there_rejects_its_row_unless_there_is_a_default() -> None:
    mapped_rows = compiled().apply(frame(a=["9"], b=["2015"], c=["zz"]))
    assert "'9, 2015' is no key of the lookup owners" in mapped_rows.rejected["reasons"][0]
    assert mapped_rows.rejected["reasons"][0].count("rule") == 1


def test_two_rows_of_a_key_are_refused_by_the_key() -> None:
    with pytest.raises(Unprocessable, match="owners has several rows with the key 7/2015"):
        compiled(pl.concat([OWNERS, OWNERS.head(1)]))


def test_a_lookup_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LOOKUP_ROWS", 3)
    with pytest.raises(Unprocessable, match="more than 3 rows"):
        compiled()


def test_what_a_lookup_says_is_part_of_the_mappings_digest() -> None:
    mapping = parse_mapping(mapping_text(*FIELDS) + LOOKUPS)

    def digest(name: str) -> str:
        uses = build_lookup("uses", mapping.lookups["uses"], [USES.with_columns(grp=pl.lit(name))])
        return mapping_digest(mapping, "properties_operational", {"uses": uses})

    assert digest("a") == digest("a") != digest("b")


@pytest.mark.parametrize(
    ("step", "lookups", "said"),
    [
        ("{type: lookup, table: ownrs, column: name}", LOOKUPS, "no lookup named 'ownrs'; did you mean owners?"),
        ("{type: lookup, table: owners, column: nme}", LOOKUPS, "did you mean name?"),
        ("{type: lookup, table: owners, column: name}", LOOKUPS, "has 2 column(s), and there are 1 source(s)"),
        (
            "{type: lookup, table: u, column: b}",
            "\nlookups: {u: {key: a, columns: b}}",
            "give either `source_table_name` or `source_query`",
        ),
        (
            "{type: lookup, table: u, column: a}",
            "\nlookups: {u: {source_table_name: t, key: a, columns: a}}",
            "a column stands in the key or among the columns twice",
        ),
    ],
)
def test_a_fault_of_a_lookup_is_told(step: str, lookups: str, said: str) -> None:
    field = f"{{source: a, target: condition, type: string, transformations: [{step}]}}"
    with pytest.raises(ValueError, match="line") as refused:
        parse_mapping(mapping_text(field) + lookups)
    assert said in str(refused.value)


def test_the_page_names_the_largest_lookup() -> None:
    page = (ROOT / "shared/mapping/README.md").read_text()
    assert f"{module.MAX_LOOKUP_ROWS:,} rows" in page
