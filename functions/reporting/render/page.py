"""A report as it is shown: its contents with the title, the county, the time and the approval."""

from dataclasses import dataclass
from datetime import UTC, datetime

from functions.reporting.domain.contents import Contents
from functions.reporting.domain.heading import Approval, Heading
from shared.typesetting import display


@dataclass(frozen=True)
class Page:
    """A report as every page-like format shows it."""

    title: str
    county_name: str
    job_id: str
    generated_at: datetime
    approval: Approval | None
    contents: Contents

    @property
    def generated(self) -> str:
        """The time of the report in words."""
        return display.moment(self.generated_at)

    @property
    def approved(self) -> str:
        """The time of the approval in words; empty without one."""
        return "" if self.approval is None else display.moment(self.approval.at.astimezone(UTC))


def page_of(heading: Heading, title: str, contents: Contents) -> Page:
    """The page of a report."""
    return Page(
        title, " ".join(heading.county_name.split()), heading.job_id, heading.generated_at, heading.approval, contents
    )
