"""The sections of a valuation run: its findings by class and neighborhood, its flags and refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import Column, DataTable, Kind, Section, Statement, Statements
from shared.contracts.valuation_run import Change, GroupChange, ValuationRunSummary
from shared.typesetting import display

RUN_COLUMNS = (
    Column("Properties", Kind.COUNT, is_summed=True),
    Column("Valued", Kind.COUNT, is_summed=True),
    Column("To review", Kind.COUNT, "review", is_summed=True),
    Column("Values", Kind.DOLLARS, "estimate_total", is_summed=True),
    Column("Compared", Kind.COUNT, is_summed=True),
    Column("Current", Kind.DOLLARS, "compared_current_total", is_summed=True),
    Column("Change %", Kind.PERCENT, "change_percent"),
    Column("Lowest 5%", Kind.PERCENT, "p5"),
    Column("Median", Kind.PERCENT, "median"),
    Column("Highest 5%", Kind.PERCENT, "p95"),
)


def run_facts(run: ValuationRunSummary) -> list[tuple[str, str]]:
    """A run at a glance."""
    overall = run.overall
    return [
        ("Valuation date", display.day(run.valuation_date)),
        ("Properties", display.count(overall.properties)),
        ("Valued", display.count(overall.valued)),
        ("To review", display.count(overall.review)),
        ("Total of the values", display.dollars(overall.estimate_total)),
        ("Current total of those compared", display.dollars(overall.compared_current_total)),
        ("Median change", _percent(overall.median)),
        ("Change of the total", _percent(overall.change_percent)),
    ]


def run_sections(run: ValuationRunSummary) -> list[Section]:
    """A run's findings, by class and by neighborhood, and its flags and refusals."""
    return [
        Section("Summary", [Statements([Statement(text) for text in _statements(run)])]),
        Section("By property class", [_table("Property class", run.by_property_class, run.overall)]),
        Section("By neighborhood", [_table("Neighborhood", run.by_neighborhood, run.overall)]),
        *_counted("Flags", "Flag", run.flags),
        *_counted("Properties without a value", "Reason", run.not_valued),
    ]


def _counted(title: str, column: str, counts: Mapping[str, int]) -> list[Section]:
    rows = [[phrases.label(name), number] for name, number in counts.items()]
    return [Section(title, [DataTable([Column(column), Column("Properties", Kind.COUNT)], rows)])] if rows else []


def _table(title: str, groups: Sequence[GroupChange], overall: Change) -> DataTable:
    return DataTable(
        [Column(title), *RUN_COLUMNS],
        [[group.group or "(none)", *change_cells(group)] for group in groups],
        title=f"Values by {title.lower()}",
        total=["County", *change_cells(overall)],
        size=lambda row: row[1],
        largest="those of most properties",
    )


def change_cells(change: Change) -> list[Any]:
    """The cells of the columns of a run."""
    return [getattr(change, column.data_name) for column in RUN_COLUMNS]


def _statements(run: ValuationRunSummary) -> list[str]:
    overall = run.overall
    statements = [
        (
            f"{display.count(overall.valued)} of {phrases.number_of(overall.properties, 'property', 'properties')}"
            f" {phrases.have(overall.valued)} a value as of {display.day(run.valuation_date)};"
            f" {display.count(overall.review)} of them {phrases.are(overall.review)} to be reviewed."
        )
    ]
    if overall.compared and overall.change_percent is not None:
        statements.append(
            f"The {display.count(overall.compared)} that have a current value too were worth"
            f" {display.dollars(overall.compared_current_total)} and are valued at"
            f" {display.dollars(overall.compared_estimate_total)} ({_percent(overall.change_percent)})."
        )
    if overall.p5 is not None and overall.p95 is not None:
        statements.append(
            f"Half of the changes are below {_percent(overall.median)}, nine in ten between {_percent(overall.p5)} and"
            f" {_percent(overall.p95)}."
        )
    return statements


def _percent(value: float | None) -> str:
    return display.MISSING if value is None else f"{display.decimals(value, 1)}%"
