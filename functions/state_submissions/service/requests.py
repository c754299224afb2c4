"""The check of a request for a submission, and its package."""

from uuid import UUID

from functions.state_submissions import repository
from functions.state_submissions.job_kinds import STATE_SUBMISSION
from functions.state_submissions.schemas import StateSubmissionRequest
from shared import jobs
from shared.counties.submission_settings import WashingtonSettings
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.download import file_address
from shared.problems import Conflict


def check(county_id: str, request: StateSubmissionRequest) -> None:  # noqa: ARG001 - of any year
    """Raise Conflict for a county whose configuration says nothing of its state's form."""
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        _, _, settings = repository.county(connection, county_id)
    settings_of(settings)


def settings_of(stored: dict[str, object] | None) -> WashingtonSettings:
    """The county's settings of submissions. Raises Conflict where there are none."""
    if not stored:
        raise Conflict(
            "The county's configuration has no plugin_settings.state_submission: it names no state and no strata.",
            slug="no-state-submission",
        )
    return WashingtonSettings.model_validate(stored)


def package_address(county_id: str, submission_id: UUID) -> str:
    """A signed address of the package. Raises NotFound, Conflict where sales were refused, Gone."""
    results = jobs.results(county_id, STATE_SUBMISSION, submission_id)
    if results.file is None:
        raise Conflict(
            f"{len(results.refused)} sales were refused, so there is no package: the results name them.",
            slug="sales-refused",
        )
    return file_address(county_id, submission_id, results.file)
