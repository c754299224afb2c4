"""The statements for MySQL and MariaDB; `test_mariadb_source` reads a real server with them."""

import pytest
from sqlalchemy import create_engine

from shared.sources import KeyRange, Since, SourceTable
from shared.sources.secrets import ConnectionSecret
from shared.sources.sql import source_url
from shared.sources.sql.dialects import MySql
from shared.sources.sql.statements import Statements

SECRET = ConnectionSecret(dialect="mysql", host="h", dbname="cama", username="u", password="p")
TYPES = {"id": "long", "part": "var_string", "changed": "datetime", "seq": "longlong"}


def statements(since: Since | None = None) -> Statements:
    quote = create_engine(source_url(SECRET)).dialect.identifier_preparer.quote_identifier
    return Statements(MySql(), quote, SourceTable("cama.par`cel", None, ("id", "part"), since), TYPES)


def test_the_default_port_is_used_where_none_is_given() -> None:
    assert source_url(SECRET).port == 3306


def test_names_stand_in_backticks_which_end_nothing() -> None:
    assert statements().count().sql == "SELECT count(*) FROM `cama`.`par``cel` AS source"


def test_a_range_is_compared_column_by_column_and_the_first_has_the_rows_without_a_key() -> None:
    made = statements().read(KeyRange(None, [5, "b"]))
    assert made.sql == (
        "SELECT * FROM `cama`.`par``cel` AS source WHERE ((`id` <= :value_0 AND ((`id` < :value_0) OR"
        " (`id` = :value_0 AND `part` <= :value_1))) OR `id` IS NULL OR `part` IS NULL) ORDER BY `id`, `part`"
    )
    assert made.parameters == {"value_0": 5, "value_1": "b"}


@pytest.mark.parametrize(("field", "bound"), [("changed", "CAST(:value_0 AS DATETIME(6))"), ("seq", ":value_0")])
def test_a_watermark_is_compared_in_the_type_of_its_column(field: str, bound: str) -> None:
    assert statements(Since(field, "7")).count().sql == (
        f"SELECT count(*) FROM (SELECT * FROM `cama`.`par``cel` AS everything WHERE `{field}` >= {bound}) AS source"
    )
    assert statements().highest(field).sql.startswith(f"SELECT CAST(max(`{field}`) AS CHAR(64))")


def test_a_sample_is_limited() -> None:
    assert statements().sample(20).sql.endswith(" LIMIT 20")
