"""The states whose form of submission is known. Another one is a folder here, its settings, and a line below."""

from functions.state_submissions.domain.states.state import State
from functions.state_submissions.domain.states.washington import WASHINGTON

STATES: dict[str, State] = {
    "washington": WASHINGTON,
}
"""Each state by the name that a county's settings have."""
