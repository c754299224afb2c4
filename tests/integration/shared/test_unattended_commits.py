"""A transaction that its client has left to the server."""

from shared.db.engine import connect
from tests.conftest import MigratedDatabase
from tests.polling import eventually

NOTICES = "DO $$ BEGIN FOR n IN 1..50 LOOP RAISE NOTICE 'a notice'; PERFORM pg_sleep(0.01); END LOOP; END $$"


def test_a_notice_does_not_end_a_transaction_whose_client_has_gone(database: MigratedDatabase) -> None:
    watching, leaving = connect(database.owner_url), connect(database.owner_url)
    watching.execute_simple("CREATE TABLE written (number integer)")
    leaving.execute_simple("BEGIN")

    ended = leaving.commit_with(["SELECT pg_sleep(0.5)", NOTICES, "INSERT INTO written VALUES (1)"], timeout_s=0.1)
    leaving.close()

    assert ended is False
    assert eventually(lambda: watching.execute_simple("SELECT number FROM written").rows == [[1]], seconds=20)
    watching.close()
