"""The driver's connections, at their end."""

from contextlib import suppress

import pytest
from pg8000.exceptions import InterfaceError

from infra.local.postgres import LocalPostgres
from shared.db.driver import ClosingConnection, PreparingConnection, StreamClosing


@pytest.mark.parametrize("kind", [ClosingConnection, PreparingConnection])
def test_a_connection_that_the_server_has_ended_leaves_no_open_stream(
    postgres_server: LocalPostgres, kind: type[ClosingConnection]
) -> None:
    url = postgres_server.admin_url
    given = {"password": url.password, "host": url.host, "port": url.port, "database": url.database}
    connection, other = (kind(url.username, ssl_context=False, **given) for _ in range(2))
    stream = connection._sock
    ((pid,),) = connection.execute_simple("SELECT pg_backend_pid()").rows
    other.execute_simple(f"SELECT pg_terminate_backend({pid}, 5000)")
    other.close()

    for _ in range(2):  # the first message meets a server that is gone, the second is told so
        with suppress(InterfaceError, OSError):
            connection.execute_simple("SELECT 1")
    with suppress(InterfaceError, OSError):
        connection.close()

    assert stream.closed
    assert issubclass(kind, StreamClosing)
