"""When a county's next good sync is due, and whether it is overdue."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.counties.schedule_expression import next_tick

GRACE = timedelta(hours=6)
"""From a schedule's tick to the end of its sync. A choice, well beyond any run: a tick is retried for an hour, a first
sync of a million parcels takes minutes, and what waits for an approval is to be looked at within a working day."""


class LastSync(NamedTuple):
    """The newest good sync of a county: when it began, and when it ended."""

    started_at: datetime
    finished_at: datetime


def due_at(crons: Iterable[str], timezone: str, configured_at: datetime, last: LastSync | None) -> datetime | None:
    """When the next good sync has to be there: `GRACE` after the first tick since the last one, or since the county was
    configured. None where no schedule ticks any more.
    """
    since = configured_at if last is None else max(last.started_at, configured_at)
    ticks = [tick for cron in crons if (tick := next_tick(f"cron({cron})", timezone, since)) is not None]
    return min(ticks) + GRACE if ticks else None
