"""Progress and speed of a run, while it runs and afterwards."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from functions.sync.domain.runs import TablePlan
from functions.sync.schemas.runs import TableProgress
from functions.sync.service.run_views import speed_of
from infra.cli.commands.sync import progress_text
from shared.problems import SourceRefused
from tests.integration.sync.county import County
from tests.integration.sync.test_approval import ONE, RUNS, api


def test_a_run_shows_partitions_rows_rejects_speed_and_time_left(county: County) -> None:
    planned = county.plan()
    for item in county.items(planned)[:2]:
        county.partition(planned["run_id"], item)

    shown = api("GET", ONE, planned["run_id"]).body

    assert shown["progress"] == {"done": 2, "total": 6, "step": "reading"}
    assert (
        shown["tables"]["properties_operational"] | {"read": 200, "rejected": 1}
        == shown["tables"]["properties_operational"]
    )
    assert shown["rows_per_second"] > 0
    # 340 of 540 rows are still to be read, at the speed so far
    assert shown["seconds_left"] == pytest.approx(340 / shown["rows_per_second"], rel=0.01, abs=0.1)
    assert "2/6 partitions, 200 rows, 1 quarantined" in progress_text(shown)
    assert progress_text(shown).endswith("left")
    (listed,) = api("GET", RUNS).body["items"]
    assert (listed["partitions"], listed["tables"]) == (shown["partitions"], shown["tables"])


def test_a_run_that_has_ended_keeps_its_speed_and_has_no_time_left(county: County) -> None:
    run_id, _ = county.sync()

    first, second = (api("GET", ONE, run_id).body for _ in range(2))

    assert first["rows_per_second"] == second["rows_per_second"] > 0
    assert first["seconds_left"] is None


def test_a_speed_is_rows_over_the_time_since_the_plan() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    plan = {"sales": TablePlan(columns={}, reads="", mapping_digest="", read_by="whole", rows=1000)}
    done = TableProgress(
        finished_at=begun + timedelta(seconds=4), partitions=4, done=1, unchanged=0, rows_read=200, rows_rejected=0
    )
    ended = done.model_copy(update={"done": 4, "rows_read": 1000, "finished_at": begun + timedelta(seconds=10)})

    assert speed_of(plan, {"sales": done}, begun, begun + timedelta(seconds=5)) == (40.0, 20.0)
    assert speed_of(plan, {"sales": ended}, begun, None) == (100.0, None)
    assert speed_of(plan, {}, begun, begun) == (None, None)
    assert speed_of(plan, {"sales": done}, None, begun) == (None, None)


def test_partitions_are_listed_with_their_ranges_and_why_one_failed(county: County) -> None:
    planned = county.plan()
    items = county.items(planned)
    county.partition(planned["run_id"], items[0])
    county.change("ALTER TABLE parcel RENAME COLUMN kept TO gone")
    with pytest.raises(SourceRefused) as refused:
        county.partition(planned["run_id"], items[1])
    county.fail(planned["run_id"], refused.value)

    pending = api("GET", ONE + "/partitions", planned["run_id"], query={"status": "pending"}).body["items"]
    done = api("GET", ONE + "/partitions", planned["run_id"], query={"status": "done", "page_size": "1"}).body

    assert len(pending) == 5
    assert 'column "kept" does not exist' in pending[0]["error"]
    assert (pending[0]["partition"], pending[0]["lower_key"], pending[0]["upper_key"]) == (2, [100], [200])
    (partition,) = done["items"]  # what was read is there to look at, also after the run has failed
    assert (partition["rows_read"], partition["rows_staged"], done["next_page_token"]) == (100, 100, None)


def test_each_partition_leaves_one_log_line_and_its_metrics(
    county: County, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    planned = county.plan()
    capsys.readouterr()
    caplog.set_level("INFO", logger="sync")

    county.partition(planned["run_id"], county.items(planned)[1])

    (logged,) = (vars(record) for record in caplog.records if record.message == "partition done")
    assert (logged["table"], logged["partition"], logged["rows_read"]) == ("properties_operational", 2, 100)
    lines = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    (measured,) = (line for line in lines if "_aws" in line)
    assert (measured["RowsRead"], measured["RowsRejected"], measured["RowsStaged"]) == ([100.0], [1.0], [99.0])
    assert measured["county_id"] == "testing_wa"
    (metrics,) = measured["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("TerraFusion/local", [["service"]])
