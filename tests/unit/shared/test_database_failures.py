"""Database errors, as callers and state machines know them."""

import ssl

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.db import DatabaseBusy, DatabaseUnavailable
from shared.db.failures import availability_problem


def of_code(code: str) -> DBAPIError:
    return DBAPIError("SELECT 1", None, DatabaseError({"C": code, "M": "the server's words"}))


@pytest.mark.parametrize(
    "code",
    [
        "08000",
        "08003",
        "08006",
        "08P01",
        "53000",
        "53100",
        "53200",
        "53300",
        "57P01",
        "57P02",
        "57P03",
        "57P05",
        "25006",
    ],
)
def test_a_server_that_goes_starts_or_is_full_is_unavailable(code: str) -> None:
    assert isinstance(availability_problem(of_code(code)), DatabaseUnavailable)


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "57014"])
def test_a_server_whose_others_hold_what_is_wanted_is_busy(code: str) -> None:
    assert isinstance(availability_problem(of_code(code)), DatabaseBusy)


@pytest.mark.parametrize("code", ["23505", "42P01", "42501", "22012", "28P01", "3D000", "57P04", ""])
def test_what_trying_again_does_not_help_is_neither(code: str) -> None:
    assert availability_problem(of_code(code)) is None


def test_a_write_in_a_transaction_that_reads_is_a_mistake_of_ours() -> None:
    assert availability_problem(of_code("25006"), reading=True) is None


@pytest.mark.parametrize(
    "error",
    [
        InterfaceError("network error"),
        InterfaceError("connection is closed"),
        InterfaceError("Can't create a connection to host db and port 5432 (timeout is 5 and source_address is None)."),
        InterfaceError("Server refuses SSL"),
        InterfaceError(f"Can't create a connection to db: {ssl.SSLEOFError('EOF occurred in violation of protocol')}"),
        DBAPIError("SELECT 1", None, InterfaceError("network error")),
        ConnectionResetError(),
        BrokenPipeError(),
        ValueError("write to closed file"),
    ],
)
def test_a_broken_connection_is_unavailable(error: Exception) -> None:
    assert isinstance(availability_problem(error), DatabaseUnavailable)


@pytest.mark.parametrize(
    "error",
    [InterfaceError("in failed transaction block"), ValueError("not a number"), OSError("disk full"), KeyError("x")],
)
def test_a_mistake_of_ours_is_neither(error: Exception) -> None:
    assert availability_problem(error) is None


def test_a_pool_without_a_connection_left_is_busy_and_what_is_known_stays_as_it_is() -> None:
    assert isinstance(availability_problem(PoolTimeoutError()), DatabaseBusy)
    known = DatabaseUnavailable("away")
    assert availability_problem(known) is known
