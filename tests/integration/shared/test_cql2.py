"""Filters on PostgreSQL: the standard's own predicates, and random trees against a plain evaluation."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Connection, literal_column, select, text

from infra.local.postgres import LocalPostgres
from shared.cql2 import Queryable, Queryables, compile_filter, read_filter
from shared.cql2.spatial import matches
from shared.cql2.text_encoding import text_to_json
from shared.db import unit_of_work
from shared.db.literals import literal_sql
from shared.layers.filters import queryables_of
from shared.layers.loaded import read_layers
from tests.conftest import database_like
from tests.cql2_layers import INCONSISTENT, StandardPredicate, add_standard_layers, standard_predicates

COUNTY = "hood_or"


@pytest.fixture(scope="module")
def layers(postgres_server: LocalPostgres, migrated_template: str) -> Iterator[Connection]:
    with (
        pytest.MonkeyPatch.context() as patch,
        database_like(migrated_template, postgres_server, patch),
        unit_of_work(COUNTY) as connection,
    ):
        add_standard_layers(connection, COUNTY)
        yield connection


def _count(connection: Connection, layer_name: str, content: object, language: str) -> int:
    layer = read_layers(connection, COUNTY)[layer_name]
    compiled = compile_filter(read_filter(content, language), queryables_of(layer))  # type: ignore[arg-type]
    tables, condition = (text(part.replace("{county_id}", f"'{COUNTY}'")) for part in (layer.tables, layer.condition))
    columns: list[ColumnElement[Any]] = [literal_column(layer.shape), *compiled.flags]
    statement = select(*columns).select_from(tables)
    rows = connection.execute(statement.where(condition, compiled.condition)).all()
    if compiled.residual is None:
        return len(rows)
    shapes = shapely.from_wkb(np.array([row[0] for row in rows], dtype=object))
    flags = [[row[number] for row in rows] for number in range(1, len(compiled.flags) + 1)]
    return int(matches(compiled.residual, flags, shapes).sum())


@pytest.mark.parametrize("language", ["cql2-text", "cql2-json"])
def test_each_predicate_of_the_standard_selects_its_features(layers: Connection, language: str) -> None:
    def selected(predicate: StandardPredicate) -> int:
        content = predicate.text if language == "cql2-text" else text_to_json(predicate.text)
        return _count(layers, predicate.layer, content, language)

    wrong = [
        (predicate.text, predicate.features, count)
        for predicate in standard_predicates()
        if (count := selected(predicate)) != predicate.features
    ]
    assert {predicate for predicate, _, _ in wrong} == INCONSISTENT
    assert {count for _, _, count in wrong} == {1, 3}


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30))
def test_a_condition_with_literals_means_what_it_means_with_bound_values(layers: Connection, value: str) -> None:
    queryables = Queryables({"value": Queryable("value", "text", "t.value")})
    document = {"op": "=", "args": [{"property": "value"}, value]}
    condition = literal_sql(compile_filter(read_filter(document, "cql2-json"), queryables).condition)
    rows = text("SELECT 1 FROM (SELECT CAST(:value AS text) AS value) t WHERE " + condition.replace(":", "\\:"))
    assert layers.execute(rows, {"value": value}).scalar() == 1
