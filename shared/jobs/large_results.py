"""Results of a job as an answer: the results themselves, or 303 to their document where it is too large for one."""

from typing import Any
from uuid import UUID

from shared import storage
from shared.jobs.kind import JobKind, Results
from shared.jobs.lifecycle import get, results, results_key
from shared.problems import NotFound

MAX_ANSWER_BYTES = 4_000_000
"""Of a results document that is answered. A Lambda function answers 6 MB (AWS Lambda quotas); the document is a text in
that answer, in which every quotation mark takes two bytes: market analyses, measured, grow by a fifth."""


class ResultsTooLargeError(Exception):
    """Results that no answer holds; `address` gives their document to its holder for 15 minutes.

    Raised through a service, answered by the edge (`shared.api`) with 303.
    """

    def __init__(self, address: str) -> None:
        super().__init__("the results are larger than an answer")
        self.address = address


def answerable_results(county_id: str, kind: JobKind[Any, Results], job_id: UUID) -> Results:
    """The results of a job for an answer.

    Raises ResultsTooLargeError, and otherwise as `shared.jobs.results` does.
    """
    key = results_key(county_id, job_id)
    if _size(key) > MAX_ANSWER_BYTES and get(county_id, kind, job_id).status == "succeeded":
        filename = f"{county_id}-{kind.name.replace('_', '-')}-{job_id}.json"
        raise ResultsTooLargeError(storage.signed_url(key, filename, "application/json"))
    return results(county_id, kind, job_id)


def _size(key: str) -> int:
    try:
        return storage.find(key).size
    except NotFound:
        return 0
