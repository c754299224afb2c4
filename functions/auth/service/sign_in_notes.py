"""Notes of sign-ins, from which the list of a county's users knows whom the platform's operator made."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from sqlalchemy.exc import SQLAlchemyError

from functions.auth import repository
from shared.counties.user_permissions import COUNTIES_ATTRIBUTE, counties_of
from shared.db import unit_of_work
from shared.db.limits import Limits, limited
from shared.problems import Problem

_NOTE = Limits(connect_s=0.5, first_answer_s=0.5, statement_s=0.5, lock_s=0.25)
"""Little of Cognito's five seconds: a note can be missed, a sign-in cannot."""

_logger = Logger(service="auth")


def note(username: str, request: Mapping[str, Any]) -> None:
    """Note a sign-in in the user's counties. A failure is logged, and the sign-in goes on: the next one is noted."""
    counties = counties_of(request["userAttributes"].get(COUNTIES_ATTRIBUTE, ""))
    if not counties:
        return
    try:
        with limited(_NOTE), unit_of_work(*counties) as connection:
            repository.note_sign_in(connection, username, counties)
    except (Problem, SQLAlchemyError) as error:
        _logger.warning("a sign-in could not be noted", reason=type(error).__name__)
