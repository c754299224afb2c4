"""Washington: the county generated sales study of chapter 458-53 WAC (as of Register Vol. 24-06, March 2024).

Rules are those of stored copies of the code of 2022 to 2024; a county that relies on one compares it with the code.
"""

from functions.state_submissions.domain.states.washington.study import Washington

WASHINGTON = Washington()
