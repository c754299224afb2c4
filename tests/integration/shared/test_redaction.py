"""Errors of the database, without the values that they quote."""

import traceback

import pytest
from pg8000.native import literal
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import unit_of_work
from tests.conftest import MigratedDatabase

SECRET = "Mrs. O'Hara, 5 Elm St"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT CAST(:value AS integer)",
        "SELECT :value::date",
        "SELECT CAST(:value AS jsonb)",
        "INSERT INTO counties (county_id, friendly_name) VALUES ('king_wa', :value)",
        "SELECT no_such_column FROM counties WHERE friendly_name = :value",
        "INSERT INTO counties VALUES ('king_wa', :value, '{}', :value, 1), ('king_wa', :value, '{}', :value, 1)",
        "SELECT 1 / 0 FROM (SELECT :value) AS x",
    ],
)
@pytest.mark.parametrize("written", ["as a parameter", "as a literal"])
def test_no_value_is_in_an_error_or_in_what_caused_it(database: MigratedDatabase, statement: str, written: str) -> None:
    parameters = {"value": SECRET} if written == "as a parameter" else None
    if parameters is None:
        statement = statement.replace(":value", literal(SECRET))

    with pytest.raises(DBAPIError) as raised, unit_of_work("king_wa") as connection:
        connection.execute(text(statement.replace(":value::date", "CAST(:value AS date)")), parameters)

    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(raised.value.orig)
    assert "Hara" not in shown
    assert "Elm St" not in shown
    assert raised.value.orig is not None
    assert raised.value.orig.args[0]["C"]
