"""The form of submission of a state."""

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from functions.state_submissions.domain.records import ParcelRecord, SaleRecord, Submission
from shared.counties.submission_settings import WashingtonSettings

StateSettings = WashingtonSettings
"""The settings of whatever state; with a second one, a union that its `state` discriminates."""


class State(Protocol):
    """A state's rules."""

    @property
    def title(self) -> str:
        """The state's name, and the law that its form follows."""
        ...

    def period(self, assessment_year: int) -> tuple[date, date]:
        """The first and the last day of the sales of an assessment year's study."""
        ...

    def submission(
        self,
        settings: StateSettings,
        assessment_year: int,
        sales: Iterable[SaleRecord],
        parcels: Iterable[ParcelRecord],
    ) -> Submission:
        """The submission of an assessment year's sales and of the roll's parcels."""
        ...
