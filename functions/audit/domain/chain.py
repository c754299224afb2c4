"""The hash chain over a county's audit events: digests of events and of seals, and sealed events beside those of now.

Events are ordered by (transaction_id, event_id). An event's digest is SHA-256 over its content, which has neither of
the two: so a content that stands under another event's id is told from a changed one. A seal's digest is SHA-256 over
the digest of the seal before it (32 bytes; zeros before the first) and a line `transaction_id event_id digest` for
each event.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from functions.audit.schemas import Finding, Position

GENESIS = bytes(32).hex()
"""The digest before the first seal."""


START: Position = (-1, 0)
"""Before every event: those of earlier releases have the transaction 0."""


class DigestedEvent(NamedTuple):
    """An event's place and the digest of its content."""

    transaction_id: int
    event_id: int
    digest: str


def digested(copied: bytes) -> list[DigestedEvent]:
    """The events of a COPY in text format of the columns transaction_id, event_id, content (JSON)."""
    events = []
    for line in copied.split(b"\n")[:-1]:
        transaction_id, event_id, content = line.split(b"\t", 2)
        # JSON has neither tabs nor line ends, so that COPY has escaped nothing but its backslashes
        digest = sha256(content.replace(b"\\\\", b"\\")).hexdigest()
        events.append(DigestedEvent(int(transaction_id), int(event_id), digest))
    return events


def seal_digest(previous: str, events: Sequence[DigestedEvent]) -> str:
    """The digest of a seal over these events, in their order, after the seal of the digest `previous`."""
    lines = "".join([f"{transaction} {number} {digest}\n" for transaction, number, digest in events])
    return sha256(bytes.fromhex(previous) + lines.encode()).hexdigest()


def compare(sealed: Sequence[DigestedEvent], present: Sequence[DigestedEvent]) -> Iterator[Finding]:
    """The differences of the events of now from those that were sealed, by event."""
    then = {event.event_id: event for event in sealed}
    now = {event.event_id: event for event in present}
    for event_id in sorted(then.keys() | now.keys()):
        before, after = then.get(event_id), now.get(event_id)
        if after is None:
            yield Finding(kind="event_deleted", event_id=event_id, detail=f"The event {event_id} is missing.")
        elif before is None:
            yield Finding(
                kind="event_added",
                event_id=event_id,
                detail=f"The event {event_id} was not there when its transaction's events were sealed.",
            )
        elif before != after:
            yield _changed(before, after, sealed)


def _changed(before: DigestedEvent, after: DigestedEvent, sealed: Sequence[DigestedEvent]) -> Finding:
    origins = [event.event_id for event in sealed if event.digest == after.digest]
    if before.digest == after.digest:
        detail = f"The event {before.event_id} was moved to another transaction."
    elif origins:
        detail = f"The event {before.event_id} has the content that the event {origins[0]} had."
    else:
        detail = f"The content of the event {before.event_id} has been changed."
        return Finding(kind="event_changed", event_id=before.event_id, detail=detail)
    return Finding(kind="event_reordered", event_id=before.event_id, detail=detail)
