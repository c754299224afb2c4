"""SQL Server: its statements, and the versions of its change tracking."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytds import tls
from sqlalchemy import create_engine

from shared.problems import Conflict, SourceUnavailable, Unprocessable
from shared.sources import ChangedSince, KeyRange, Since, SourceTable
from shared.sources.network import run_timeouts
from shared.sources.secrets import ConnectionSecret
from shared.sources.sql import SqlSource, change_tracking, source_url
from shared.sources.sql.dialects import SqlServer
from shared.sources.sql.statements import Statements

SECRET = ConnectionSecret(
    dialect="mssql", host="127.0.0.1", port=1, dbname="pacs", username="reader", password="pa55word", sslmode="disable"
)
TYPES = {"prop_id": "int", "prop_val_yr": "numeric(4,0)", "changed": "datetime", "version": "timestamp", "z": "date"}


def statements(table: SourceTable, primary_key: tuple[str, ...] = ()) -> Statements:
    quote = create_engine(source_url(SECRET)).dialect.identifier_preparer.quote_identifier
    return Statements(SqlServer(), quote, table, TYPES, primary_key)


PLAIN = SourceTable("dbo.property_val", None, ("prop_id", "prop_val_yr"))


def test_names_stand_in_brackets_which_end_nothing() -> None:
    made = statements(SourceTable("dbo.odd]name", None, ("prop_id",)))
    assert made.count().sql == "SELECT count(*) FROM [dbo].[odd]]name] AS source"


def test_rows_are_compared_column_by_column_after_a_term_that_an_index_answers() -> None:
    made = statements(PLAIN).read(KeyRange([7, "2015"], None))
    assert made.sql == (
        "SELECT * FROM [dbo].[property_val] AS source WHERE ([prop_id] >= :value_0 AND (([prop_id] > :value_0) OR"
        " ([prop_id] = :value_0 AND [prop_val_yr] > CAST(:value_1 AS numeric(4,0)))))"
        " AND [prop_id] IS NOT NULL AND [prop_val_yr] IS NOT NULL ORDER BY [prop_id], [prop_val_yr]"
    )
    assert made.parameters == {"value_0": 7, "value_1": "2015"}


def test_a_table_is_cut_by_row_numbers() -> None:
    assert statements(PLAIN).cut(50_000).sql == (
        "SELECT * FROM (SELECT [prop_id], [prop_val_yr],"
        " row_number() OVER (ORDER BY [prop_id], [prop_val_yr]) AS row_no"
        " FROM [dbo].[property_val] AS source) AS numbered WHERE row_no % 50000 = 0 ORDER BY row_no"
    )


@pytest.mark.parametrize(
    ("field", "compared"),
    [
        ("changed", "[changed] >= CAST(:value_0 AS datetime2)"),
        ("version", "[version] >= CAST(CAST(:value_0 AS bigint) AS binary(8))"),
        ("z", "[z] >= CAST(:value_0 AS date)"),
    ],
)
def test_a_watermark_is_compared_in_the_type_of_its_column(field: str, compared: str) -> None:
    table = SourceTable(None, "SELECT * FROM t -- all", ("prop_id",), Since(field, "x"))
    assert statements(table).count().sql == (
        f"SELECT count(*) FROM (SELECT * FROM (SELECT * FROM t -- all\n) AS everything WHERE {compared}) AS source"
    )


def test_a_row_versions_watermark_leaves_open_transactions_out() -> None:
    assert "CAST(MIN_ACTIVE_ROWVERSION() AS bigint) - 1" in statements(PLAIN).highest("version").sql
    assert statements(PLAIN).highest("changed").sql.startswith("SELECT CONVERT(varchar(40), max([changed]), 126)")


def test_changed_rows_are_joined_with_the_table_by_primary_key() -> None:
    table = SourceTable("dbo.property_val", None, ("prop_id",), ChangedSince(12))
    made = statements(table, ("prop_id", "prop_val_yr"))
    assert made.count().sql == (
        "SELECT count(*) FROM (SELECT everything.* FROM CHANGETABLE(CHANGES [dbo].[property_val], 12) AS changed"
        " INNER JOIN [dbo].[property_val] AS everything ON everything.[prop_id] = changed.[prop_id]"
        " AND everything.[prop_val_yr] = changed.[prop_val_yr]) AS source"
    )
    assert made.deleted(12).sql == (
        "SELECT changed.[prop_id], changed.[prop_val_yr] FROM CHANGETABLE(CHANGES [dbo].[property_val], 12) AS changed"
        " WHERE changed.SYS_CHANGE_OPERATION = 'D'"
    )


class Answers:
    """A connection whose server answers with the versions that change tracking has."""

    def __init__(self, now: int | None, oldest: int | None) -> None:
        self.versions = (now, oldest)

    def execute(self, _statement: Any, parameters: dict[str, str]) -> "Answers":
        assert parameters == {"name": "[dbo].[property_val]"}
        return self

    def one(self) -> tuple[int | None, int | None]:
        return self.versions


@pytest.mark.parametrize(("since", "kept"), [(4, False), (5, True), (9, True), (10, False)])
def test_a_discarded_version_or_one_of_the_future_needs_a_full_run(since: int, kept: bool) -> None:
    connection: Any = Answers(9, 5)
    if kept:
        assert change_tracking.require_remembered(connection, statements(PLAIN), since) == 9
        return
    with pytest.raises(Conflict, match="start a full run") as refused:
        change_tracking.require_remembered(connection, statements(PLAIN), since)
    assert refused.value.slug == "change-tracking-expired"


@pytest.mark.parametrize(("now", "oldest", "what"), [(None, None, "the database"), (9, None, "dbo.property_val")])
def test_change_tracking_that_is_off_is_reported(now: int | None, oldest: int | None, what: str) -> None:
    connection: Any = Answers(now, oldest)
    with pytest.raises(Unprocessable, match=f"not on for {what}"):
        change_tracking.version(connection, statements(PLAIN))


def test_a_query_cannot_be_tracked() -> None:
    connection: Any = Answers(9, 5)
    with pytest.raises(Unprocessable, match="needs a source_table_name"):
        change_tracking.version(connection, statements(SourceTable(None, "SELECT 1 AS id", ("id",))))


def test_a_query_with_a_with_clause_is_refused_without_a_request() -> None:
    with pytest.raises(Unprocessable, match="make a view"):
        SqlSource(source_url(SECRET)).schema(SourceTable(None, " WITH x AS (SELECT 1 AS a) SELECT * FROM x", ("a",)))


def test_an_unreachable_server_is_reported_without_the_secret() -> None:
    with pytest.raises(SourceUnavailable) as refused:
        SqlSource(source_url(SECRET)).count(PLAIN)
    assert refused.value.detail.startswith(
        "127.0.0.1:1/pacs: the rows of the source cannot be read: no connection, or it was lost."
    )
    assert "pa55word" not in refused.value.detail


def test_the_line_is_encrypted_and_the_server_verified_unless_that_is_switched_off() -> None:
    plain = SqlServer().arguments(source_url(SECRET), None, run_timeouts())
    assert "cafile" not in plain
    encrypted = source_url(SECRET.model_copy(update={"sslmode": None}))
    usual = SqlServer().arguments(encrypted, None, run_timeouts())["cafile"]
    assert Path(usual).is_file()
    authority = certificate()
    own = SqlServer().arguments(encrypted, authority, run_timeouts())["cafile"]
    assert Path(own).read_text() == authority
    assert tls.create_context(own).get_cert_store() is not None
    with pytest.raises(SourceUnavailable, match="is no certificate"):
        SqlSource(encrypted, "no certificate")


def certificate() -> str:
    """The certificate of a county's own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "County")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
