"""The hash chain: a golden digest, and every difference named."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from functions.audit.domain.chain import GENESIS, DigestedEvent, compare, digested, seal_digest

EVENTS = [DigestedEvent(1, number, sha256(str(number).encode()).hexdigest()) for number in range(5)]


def kinds(sealed: list[DigestedEvent], present: list[DigestedEvent]) -> list[tuple[str, int | None]]:
    return [(finding.kind, finding.event_id) for finding in compare(sealed, present)]


def test_the_digest_is_that_of_the_documented_bytes() -> None:
    (event,) = digested(b'7\t9\t["a\\\\"b"]\n')
    assert event == DigestedEvent(7, 9, sha256(b'["a\\"b"]').hexdigest())
    assert seal_digest(GENESIS, [event]) == sha256(bytes(32) + f"7 9 {event.digest}\n".encode()).hexdigest()


@given(st.permutations(EVENTS))
def test_a_seal_is_of_its_order(events: list[DigestedEvent]) -> None:
    assert (seal_digest(GENESIS, events) == seal_digest(GENESIS, EVENTS)) is (events == EVENTS)


def test_each_difference_has_its_kind() -> None:
    other = EVENTS[0]._replace(digest="0" * 64)
    swapped = [EVENTS[0]._replace(digest=EVENTS[1].digest), EVENTS[1]._replace(digest=EVENTS[0].digest), *EVENTS[2:]]
    assert kinds(EVENTS, EVENTS) == []
    assert kinds(EVENTS, [other, *EVENTS[1:]]) == [("event_changed", 0)]
    assert kinds(EVENTS, EVENTS[1:]) == [("event_deleted", 0)]
    assert kinds(EVENTS[1:], EVENTS) == [("event_added", 0)]
    assert kinds(EVENTS, swapped) == [("event_reordered", 0), ("event_reordered", 1)]
    assert kinds(EVENTS, [EVENTS[0]._replace(transaction_id=2), *EVENTS[1:]]) == [("event_reordered", 0)]
