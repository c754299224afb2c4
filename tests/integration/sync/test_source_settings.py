"""Sources whose server has other settings than the defaults, or does not answer."""

import time
from typing import Any

import pytest

from infra.local.postgres import LocalPostgres
from shared.problems import SourceRefused, SourceTimeout
from shared.sources import KeyRange, SourceTable
from shared.sources.network import Timeouts
from shared.sources.sql import SqlSource
from tests.integration.sync.county import BY_PIN, County
from tests.integration.sync.test_approval import ONE, api
from tests.integration.sync.test_preview import preview
from tests.unit.sources.silent_servers import silent_server

TABLE = SourceTable("odd", None, ("id",))
ODD = """
CREATE TABLE odd AS SELECT 1 AS id, '2023-12-31 17:30:00-08'::timestamptz AS recorded, 210000.5::money AS price,
    '\\x00ff'::bytea AS raw, '1 year 2 days'::interval AS held, date '2024-03-05' AS sold, 1e20::float8 AS large,
    0.1::float8 AS small, 1e-7::float8 AS tiny
"""
HOSTILE = {
    "TimeZone": "Asia/Kolkata", "DateStyle": "SQL, DMY", "IntervalStyle": "iso_8601", "bytea_output": "escape",
    "extra_float_digits": "-15", "statement_timeout": "0", "client_encoding": "LATIN1",
}  # fmt: skip


def test_values_read_the_same_whatever_the_server_is_set_to(county: County, postgres_server: LocalPostgres) -> None:
    county.change_whole(ODD)
    name = county._url.database
    for setting, value in HOSTILE.items():
        county.change_whole(f"ALTER DATABASE {name} SET {setting} = '{value}'")
    source = SqlSource(county._url.set(query={"sslmode": "disable"}), timezone="America/Los_Angeles")

    (row,) = source.read(TABLE, source.schema(TABLE), KeyRange(None, None)).frame().to_dicts()

    source.close()
    assert row == {
        "id": "1", "recorded": "2023-12-31 17:30:00-08", "price": "$210,000.50", "raw": "\\x00ff",
        "held": "1 year 2 days", "sold": "2024-03-05", "large": "100000000000000000000", "small": "0.1",
        "tiny": "0.0000001",
    }  # fmt: skip


def test_a_statement_that_takes_too_long_is_ended_by_the_server(county: County) -> None:
    timeouts = Timeouts(connect_seconds=5, silence_seconds=1, tries=1)
    source = SqlSource(county._url.set(query={"sslmode": "disable"}), timeouts=timeouts)
    with pytest.raises(SourceTimeout, match="did not answer in time"):
        source.count(SourceTable(None, "SELECT pg_sleep(30)", ("pg_sleep",)))
    source.close()


def test_a_wrong_password_is_reported_at_once(county: County) -> None:
    source = SqlSource(county._url.set(database="no_such_database", query={"sslmode": "disable"}))
    with pytest.raises(SourceRefused, match="does not exist"):
        source.count(TABLE)
    source.close()


def test_a_preview_of_a_silent_source_is_answered_in_its_time(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.sync.service import mapping_preview

    monkeypatch.setattr(mapping_preview, "request_timeouts", lambda: Timeouts(0.5, 0.5, tries=2, total_seconds=2))
    with silent_server() as port:
        county.set_secret(county.secret(port))
        began = time.monotonic()
        answer = preview()
    assert (answer.status, answer.body["type"]) == (504, "urn:terrafusion:problem:source-timeout")
    assert time.monotonic() - began < 10


def test_a_key_that_does_not_distinguish_rows_is_counted_by_the_run(county: County) -> None:
    county.change("UPDATE parcel SET pin = 'P7' WHERE id IN (8, 9, 250)")
    county.set_mapping(BY_PIN)
    run_id, _ = county.sync()
    counts: dict[str, Any] = api("GET", ONE, run_id).body["tables"]["properties_operational"]
    assert counts["repeated_keys"] == 3
    assert counts["rejected"] == 4
