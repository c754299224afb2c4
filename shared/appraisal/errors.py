"""Errors of the appraisal library: the argument at fault, and the reason."""

from __future__ import annotations


class AppraisalInputError(ValueError):
    """An argument that no statistic can be computed from.

    `argument` names the parameter at fault. `problem` says what is wrong, in words that a caller of the API can read
    without the parameter's name.
    """

    def __init__(self, argument: str, problem: str) -> None:
        self.argument = argument
        self.problem = problem
        super().__init__(f"{argument}: {problem}")


class InsufficientSalesError(AppraisalInputError):
    """There are too few usable sales: `found` of the `needed`; `of_them` says why some of those that are there do not
    count.
    """

    def __init__(self, argument: str, found: int, needed: int, purpose: str, of_them: str = "") -> None:
        self.found = found
        self.needed = needed
        self.purpose = purpose
        verb = "is" if found == 1 else "are"
        counted = f", {of_them}" if of_them else ""
        super().__init__(argument, f"{purpose} needs at least {needed} sales and there {verb} {found}{counted}")
