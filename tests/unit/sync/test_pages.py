"""The pages of the sync name what there is: states, guards, sources with their abilities, files."""

import re
from dataclasses import fields
from typing import get_args

from sqlalchemy.engine import make_url

from functions.sync.domain.guards import MAX_COUNT_DRIFT
from functions.sync.domain.partitioning import MAX_PARTITION_GROWTH, PARTITION_ROWS
from functions.sync.engine.apply import MAX_HANDOFFS
from functions.sync.schemas.runs import RunMode
from infra.function_specs import SyncFunctions
from infra.functions import REGISTRY
from infra.settings import ROOT
from shared.contracts.sync_run import GuardFinding
from shared.counties.configuration import Guards
from shared.counties.source_description import KINDS, FilesDescription
from shared.sources import Ability, Source
from shared.sources.files.source import FilesSource
from shared.sources.network import request_timeouts, run_timeouts
from shared.sources.sql import SqlSource
from shared.sources.web.arcgis import ArcGisSource
from shared.sources.web.socrata import SocrataSource

SYNC = ROOT / "functions/sync"
SHARED_SOURCES = ROOT / "shared/sources"
PAGE = (SYNC / "README.md").read_text()
SOURCES = (SHARED_SOURCES / "README.md").read_text()


def _rows(page: str, first_column: str) -> list[list[str]]:
    """The rows of the table whose first column has this title."""
    table = page.partition(f"\n| {first_column} |")[2].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_states_are_those_of_the_machine_with_their_files() -> None:
    states = {state.lower(): file.strip("`") for state, file, _ in _rows(PAGE, "state")}
    assert list(states) == [field.name for field in fields(SyncFunctions)]
    assert all(file == f"engine/{state}.py" and (SYNC / file).exists() for state, file in states.items())


def test_each_state_is_an_entry_of_the_registry() -> None:
    for field in fields(SyncFunctions):
        assert getattr(REGISTRY.sync, field.name).entry.rpartition(".")[2] == field.name


def test_the_guards_are_those_of_the_api_and_their_limits_those_of_a_county() -> None:
    guards = {guard.strip("`"): text for guard, text in _rows(PAGE, "guard")}
    assert guards.keys() == set(get_args(GuardFinding.model_fields["guard"].annotation))
    limits = set(re.findall(r"`(max_\w+)`", " ".join(guards.values())))
    assert limits == Guards.model_fields.keys() - {"columns"}


def test_the_modes_are_those_of_a_run() -> None:
    assert {row[0].strip("`") for row in _rows(PAGE, "mode")} == set(get_args(RunMode)) - {"replay"}


def test_the_sources_are_the_configurable_ones_with_their_abilities() -> None:
    files = FilesDescription.model_validate({"kind": "files", "tables": {"t": {"format": "csv", "file": "t.csv"}}})
    sources: dict[str, Source] = {
        "sql": SqlSource(make_url("postgresql+pg8000://reader@127.0.0.1/cama?sslmode=disable")),
        "files": FilesSource("county", files, lambda table, rows: f"{table}-{rows}"),
        "arcgis": ArcGisSource("https://127.0.0.1/FeatureServer", {"parcels": 0}, None),
        "socrata": SocrataSource("https://127.0.0.1", {"parcels": "abcd-1234"}, None),
    }
    sql_server = SqlSource(make_url("mssql+pytds://reader@127.0.0.1/cama?sslmode=disable"))
    rows = {row[0].strip("`"): row[3:] for row in _rows(SOURCES, "kind")}
    assert rows.keys() == sources.keys() == KINDS.keys()
    for kind, cells in rows.items():
        abilities = {ability: "yes" if sources[kind].capabilities.can(ability) else "no" for ability in Ability}
        if kind == "sql":
            assert sql_server.capabilities.can(Ability.CHANGE_TRACKING)
            abilities[Ability.CHANGE_TRACKING] = "SQL Server"
        assert dict(zip(Ability, cells, strict=True)) == abilities


def test_the_files_that_the_pages_name_exist() -> None:
    for page, folder in ((PAGE, SYNC), (SOURCES, SHARED_SOURCES)):
        paths = re.findall(r"`([\w/]+(?:\.py|/))`", page)
        assert paths
        assert [path for path in paths if not (folder / path).exists() and not (ROOT / path).exists()] == []


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"partitions of {PARTITION_ROWS:,} rows" in PAGE
    assert f"outgrown {PARTITION_ROWS * MAX_PARTITION_GROWTH:,.0f} rows" in PAGE
    assert f"after {MAX_HANDOFFS} transactions" in PAGE
    assert f"more than {MAX_COUNT_DRIFT * 100:.0f} %" in PAGE
    assert f"A run waits {run_timeouts().silence_seconds} s" in SOURCES
    assert f"a preview {request_timeouts().total_seconds} s in total" in SOURCES
