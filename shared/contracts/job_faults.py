"""Reasons for which a job failed that are the platform's fault, and not its request's or the county's."""

PLATFORM_FAULTS = frozenset(
    {
        "database-busy",
        "database-unavailable",
        "event-bus-unavailable",
        "internal-error",
        "interrupted",
        "lost",
        "not-started",
        "object-store-unavailable",
        "partition-failed",
        "scheduler-unavailable",
        "secrets-unavailable",
        "service-unavailable",
        "task-failed",
        "timed-out",
    }
)
"""Slugs of a job's error. A source that refuses, a mapping that does not fit and a study without sales are not among
them. `partition-failed` is, although a county's source may have failed the partition: better one too many."""
