"""No county takes more than its share: of requests a second, over all processes, and of jobs at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from functions.properties.handler import handler as properties
from shared import jobs
from shared.access import Caller
from shared.counties import request_budget
from shared.counties.request_budget import BURST_SECONDS, COUNTY_BUCKETS, DENIED_S, LEASE_S, RequestBudget
from shared.db import DatabaseUnavailable, unit_of_work
from shared.db.models import CountyRequestBudget, Job
from shared.jobs import repository
from shared.problems import CountyRateLimited
from shared.schemas import Schema
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.gateway import call, claims_of
from tests.integration.evidence_county import COUNTY, add_county
from tests.job_cloud import job_cloud, sample_kind

__all__ = ["job_cloud"]

RATE = 10
BURST = RATE * BURST_SECONDS
OTHER = "benton_wa"


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("COUNTY_REQUESTS_PER_SECOND", str(RATE))
    settings.cache_clear()
    return Clock()


def spent(budget: RequestBudget, county_id: str = COUNTY, tries: int = 3 * BURST) -> int:
    """The number of these requests that are let through."""
    let_through = 0
    for _ in range(tries):
        try:
            budget.spend(county_id)
        except CountyRateLimited:
            continue
        let_through += 1
    return let_through


def refill(seconds: float) -> None:
    """Let time go by in the bucket."""
    with unit_of_work(COUNTY) as connection:
        earlier = CountyRequestBudget.refilled_at - timedelta(seconds=seconds)
        connection.execute(update(CountyRequestBudget).values(refilled_at=earlier))


def test_a_county_has_its_burst_and_then_its_rate_and_others_have_theirs(clock: Clock) -> None:
    budget = RequestBudget(COUNTY_BUCKETS, clock)

    assert BURST <= spent(budget) <= BURST + 2  # the bucket goes on filling meanwhile
    assert spent(budget, OTHER, BURST) == BURST
    clock.now += DENIED_S
    refill(2)
    assert 2 * RATE <= spent(budget) <= 2 * RATE + 2


def test_processes_share_a_countys_bucket(clock: Clock) -> None:
    budgets = [RequestBudget(COUNTY_BUCKETS, clock) for _ in range(10)]
    with ThreadPoolExecutor(len(budgets)) as pool:
        assert BURST <= sum(pool.map(spent, budgets)) <= BURST + RATE


def test_processes_that_answer_one_request_each_take_one_token_each(clock: Clock) -> None:
    assert [spent(RequestBudget(COUNTY_BUCKETS, clock), tries=1) for _ in range(BURST)] == [1] * BURST


def test_a_request_costs_a_statement_only_when_a_lease_is_used_up(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    take = RequestBudget._take

    def count(budget: RequestBudget, bucket: tuple[str, str], rate: int, size: int) -> int:
        taken.append(bucket)
        return take(budget, bucket, rate, size)

    monkeypatch.setattr(RequestBudget, "_take", count)
    budget = RequestBudget(COUNTY_BUCKETS, clock)

    assert spent(budget, tries=BURST) == BURST
    assert len(taken) == BURST / (RATE / 2)
    spent(budget, tries=1000)
    assert len(taken) <= BURST / (RATE / 2) + 2, "a county without tokens is refused unasked"


def test_what_is_left_of_an_old_lease_is_void(clock: Clock) -> None:
    budget = RequestBudget(COUNTY_BUCKETS, clock)
    budget.spend(COUNTY)
    budget.spend(COUNTY)  # of a lease of two
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(CountyRequestBudget).values(tokens=-100))
    clock.now += LEASE_S

    with pytest.raises(CountyRateLimited):
        budget.spend(COUNTY)


def test_without_a_database_nobody_is_held_back(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(_: str) -> None:
        raise DatabaseUnavailable("The database cannot be reached.")

    monkeypatch.setattr(request_budget, "unit_of_work", unavailable)
    assert spent(RequestBudget(COUNTY_BUCKETS, clock), tries=500) == 500


def test_the_counties_of_a_foreign_caller_are_not_charged(clock: Clock) -> None:
    add_county()
    resource = "/v1/counties/{county_id}/properties/{property_id}"
    path = {"county_id": COUNTY, "property_id": "1"}
    for _ in range(BURST):
        assert call(properties, "GET", resource, path=path, claims=claims_of(counties=[OTHER])).status == 403
    with unit_of_work(COUNTY) as connection:
        assert connection.scalar(select(CountyRequestBudget.tokens)) is None


def test_a_county_that_is_held_back_hears_when_to_come_again(clock: Clock) -> None:
    add_county()
    resource = "/v1/counties/{county_id}/properties/{property_id}"
    path = {"county_id": COUNTY, "property_id": "1"}
    answers = [call(properties, "GET", resource, path=path) for _ in range(2 * BURST)]

    limited = [answer for answer in answers if answer.status == 429]
    assert {answer.status for answer in answers} == {404, 429}
    assert {answer.body["type"] for answer in limited} == {"urn:terrafusion:problem:county-rate-limited"}
    assert {answer.headers["retry-after"] for answer in limited} == {"1"}


class Wanted(Schema):
    """The request of a test's job."""

    number: int


KIND = sample_kind(Wanted, Wanted)
CALLER = Caller.from_claims(claims_of())
MAX_JOBS = 5


def _submit(number: int, county_id: str = COUNTY) -> str:
    key = f"{number}"
    try:
        job = jobs.submit(county_id, KIND, Wanted(number=number), caller=CALLER, idempotency_key=key)
    except CountyRateLimited:
        return "limited"
    return str(job.id)


def test_of_jobs_that_are_sent_at_once_a_county_gets_as_many_as_it_may(
    database: MigratedDatabase, job_cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTY_ACTIVE_JOBS", str(MAX_JOBS))
    settings.cache_clear()
    add_county()
    add_county(OTHER)

    with ThreadPoolExecutor(20) as pool:
        sent = list(pool.map(_submit, range(20)))

    assert sent.count("limited") == 20 - MAX_JOBS
    assert _submit(0, OTHER) != "limited"
    first = next(number for number, job in enumerate(sent) if job != "limited")
    assert _submit(first) == sent[first], "what was taken before is found again"
    with unit_of_work(COUNTY) as connection:
        job_id = connection.scalar(select(Job.job_id).limit(1))
        assert job_id is not None
        repository.set_status(connection, COUNTY, job_id, "succeeded")
    assert _submit(99) != "limited"
