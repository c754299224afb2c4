"""The report of a benchmark."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class BenchmarkResult:
    """A measurement and what it was measured against, in the same run.

    `peak_rss_mb` is that of the largest process running our code; `ratio_to_limit` our time over the limit's;
    `ratio_to_peer` the peer's time over ours, so above 1 is faster. What does not apply is None.
    """

    name: str
    rows: int | None
    seconds: float
    peak_rss_mb: float | None
    ratio_to_limit: float | None
    ratio_to_peer: float | None
    details: dict[str, Any] = field(default_factory=dict)
