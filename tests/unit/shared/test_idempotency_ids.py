"""The ids that an Idempotency-Key gives: one for each county, kind, caller and key, and no other's."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.access import Caller
from shared.jobs.lifecycle import deterministic_id

COUNTIES = st.from_regex(r"[a-z]{2,6}_[a-z]{2}", fullmatch=True)
KEYS = st.text(min_size=1, max_size=200).filter(str.isprintable)
REQUESTS = st.tuples(COUNTIES, st.sampled_from(["report", "ratio_study"]), st.uuids().map(str), KEYS)


def made(request: tuple[str, str, str, str]) -> UUID:
    county_id, kind, subject, key = request
    return deterministic_id(county_id, kind, Caller(subject, "somebody", frozenset({county_id}), frozenset()), key)


@given(REQUESTS, REQUESTS)
def test_two_requests_have_one_id_only_if_they_are_the_same(
    first: tuple[str, str, str, str], second: tuple[str, str, str, str]
) -> None:
    assert (made(first) == made(second)) == (first == second)


@given(REQUESTS, COUNTIES, st.uuids().map(str), KEYS)
def test_another_county_caller_or_key_has_another_id(
    request_: tuple[str, str, str, str], county_id: str, subject: str, key: str
) -> None:
    _, kind, own_subject, own_key = request_
    others = [(county_id, kind, own_subject, own_key), (*request_[:2], subject, own_key), (*request_[:3], key)]
    assert all(made(other) != made(request_) for other in others if other != request_)
