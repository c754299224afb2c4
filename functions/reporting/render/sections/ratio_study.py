"""The sections of a ratio study: findings, statistics, method and strata. Every number is the study's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import (
    Block,
    Column,
    Columns,
    DataTable,
    Figure,
    Kind,
    Prose,
    Section,
    Statement,
    Statements,
    Tone,
    Toned,
)
from functions.reporting.domain.phrases import label, sentence
from functions.reporting.render.charts.ratio_map import PlacedParcel, ratio_map
from functions.reporting.render.charts.ratios import histogram, month_trend, scatter
from functions.reporting.render.charts.strata import strata_chart
from shared.appraisal.codes import VerdictCode, VerdictResult
from shared.contracts.ratio_study import (
    RatioStudyResults,
    StatisticVerdict,
    StratumResult,
    StudiedSales,
    StudyResult,
    ValueSource,
)
from shared.typesetting import display

STATISTICS: dict[str, tuple[str, int]] = {
    "median": ("Median ratio", 3),
    "mean": ("Mean ratio", 3),
    "weighted_mean": ("Weighted mean ratio", 3),
    "cod": ("Coefficient of dispersion (COD)", 1),
    "cov": ("Coefficient of variation (COV)", 1),
    "prd": ("Price-related differential (PRD)", 3),
    "prb": ("Coefficient of price-related bias (PRB)", 3),
    "mki": ("Modified Kakwani index (MKI)", 3),
    "vei": ("Vertical equity indicator (VEI)", 1),
}
"""A statistic's title, and its decimals in print."""

AGAINST_OVERALL: VerdictCode = "median_against_overall"

_STRATUM_COLUMNS = (
    Column("Sales", Kind.COUNT),
    Column("Median", Kind.RATIO),
    Column("Interval", Kind.INTERVAL),
    Column("COD", Kind.DECIMAL),
    Column("PRD", Kind.RATIO),
    Column("PRB", Kind.RATIO),
    Column("Level"),
    Column("Uniformity"),
)
_VALUE_SOURCES: dict[ValueSource, str] = {
    "assessed": "Assessed values",
    "model": "Values by comparable sales",
    "roll": "Values of the roll",
    "valuation_run": "Values of a valuation run",
}
_TONES: dict[VerdictResult, Tone] = {"meets": "good", "does not meet": "alarm"}


def verdicts_by_code(study: StudyResult) -> dict[str, StatisticVerdict]:
    """The verdicts of a sample, by their codes."""
    return {verdict.code: verdict for verdict in study.verdicts}


def study_facts(results: RatioStudyResults, finished_on: date) -> list[tuple[str, str]]:
    """The study's data at a glance."""
    valuation_date = results.valuation_date
    return [
        ("Date of study", display.day(finished_on)),
        ("Sales from", display.day(results.sale_from)),
        ("Sales to", display.day(results.sale_to)),
        ("Valuation date", display.day(valuation_date) if valuation_date else "as of each sale"),
        ("Values", _VALUE_SOURCES[results.value_source]),
        ("Prices", "adjusted for time" if results.prices_time_adjusted else "as paid"),
        ("Sales studied", display.count(results.overall.sales)),
        ("Outliers trimmed", display.count(results.overall.trimming.trimmed)),
    ]


def findings_sections(results: RatioStudyResults) -> list[Section]:
    """The verdicts, and the statistics that they are about."""
    findings = [
        Statement(sentence(verdict.sentence), _TONES.get(verdict.result, "plain"))
        for verdict in results.overall.verdicts
    ] or [Statement("No statistic of this study could be held against a range.")]
    notes = [*_trimming_notes(results.overall), *results.overall.notes, *_chasing_notes(results)]
    return [
        Section("Findings", [Statements(findings)]),
        Section("Statistics", [statistics_table(results.overall), Statements([Statement(note) for note in notes])]),
    ]


def chart_sections(
    results: RatioStudyResults, sales: StudiedSales | None, parcels: Sequence[PlacedParcel]
) -> list[Section]:
    """The study in charts: each sale, the distribution, the months, and the neighborhoods on a map.

    `sales` is None of a study that was made before its sales were kept.
    """
    verdict = next((verdict for verdict in results.overall.verdicts if verdict.code == "median"), None)
    if verdict is None:
        return []
    level = (verdict.range_low, verdict.range_high)
    medians = {
        stratum.value: stratum.study.statistics["median"].value
        for stratum in results.strata
        if stratum.stratum == "neighborhood" and stratum.study is not None
    }
    drawings = [
        None if sales is None else scatter(sales, level),
        histogram(results.ratio_bins),
        month_trend(results.months, level),
        ratio_map(parcels, medians, level),
    ]
    shown = [drawing for drawing in drawings if drawing is not None]
    return [Section("Charts", [Columns(shown)])] if shown else []


def stratum_statistics(study: StudyResult) -> list[Block]:
    """The verdicts on one sample, and its statistics."""
    findings = [
        Statement(sentence(verdict.sentence), _TONES.get(verdict.result, "plain")) for verdict in study.verdicts
    ]
    return [Statements(findings), statistics_table(study)]


def statistics_table(study: StudyResult) -> DataTable:
    """The statistics of a sample with their intervals, ranges and verdicts."""
    verdicts = verdicts_by_code(study)
    rows = []
    for name, measured in study.statistics.items():
        title, places = STATISTICS.get(name, (label(name), 3))
        verdict = verdicts.get(name)
        interval = None if measured.low is None else (measured.low, measured.high)
        value_range = None if verdict is None else (verdict.range_low, verdict.range_high)
        kind = Kind.RATIO if places == 3 else Kind.DECIMAL
        rows.append(
            [
                title,
                Figure(measured.value, kind, places),
                Figure(interval, Kind.INTERVAL, places),
                Figure(value_range, Kind.INTERVAL, places),
                _verdict_cell(verdict),
            ]
        )
    columns = [
        Column("Statistic"),
        Column("Value", Kind.RATIO),
        Column("Confidence interval", Kind.INTERVAL),
        Column("Range", Kind.INTERVAL),
        Column("Verdict"),
    ]
    return DataTable(columns, rows)


def _verdict_cell(verdict: StatisticVerdict | None) -> Toned | None:
    return None if verdict is None else Toned(verdict.result, _TONES.get(verdict.result, "plain"))


def method_section(results: RatioStudyResults) -> Section:
    """The standard, the values and prices studied, and the sales that were not used."""
    prices = (
        "Prices were carried to the valuation date with the market's trend."
        if results.prices_time_adjusted
        else "Prices are as they were paid."
    )
    method = (
        f"This study follows the {results.standard}. A ratio is a parcel's value divided by its sale price. The values"
        f" tested are {_values_tested(results)}. {prices} The median ratio measures the level of appraisal, the COD its"
        " uniformity, and PRD, PRB, MKI and VEI whether low- and high-value parcels are appraised at the same level. A"
        " statistic is said not to meet its range only when its whole confidence interval lies outside."
    )
    excluded = [[label(reason), number] for reason, number in results.sales_excluded.items()]
    columns = [Column("Reason"), Column("Sales", Kind.COUNT, is_summed=True)]
    tables = [DataTable(columns, excluded, title="Sales not used")] if excluded else []
    return Section("Method", [Prose(method), *tables])


def strata_sections(results: RatioStudyResults) -> list[Section]:
    """A section for each stratification, in the study's order."""
    stratifications: dict[str, list[StratumResult]] = {}
    for stratum in results.strata:
        stratifications.setdefault(stratum.stratum, []).append(stratum)
    sections = []
    for name, members in stratifications.items():
        table = DataTable(
            [Column(label(name)), *_STRATUM_COLUMNS],
            [_stratum_row(stratum) for stratum in members],
            title=f"Strata by {label(name).lower()}",
            size=lambda row: row[1],
            largest="those with most sales",
        )
        chart = strata_chart(results, name)
        sections.append(
            Section(f"By {label(name).lower()}", [*([] if chart is None else [chart]), table, Prose(_STRATA_NOTE)])
        )
    return sections


_STRATA_NOTE = (
    "The level of a stratum is held against the county's median, give or take 5 percent; its uniformity is its COD"
    " against the range of its kind of property."
)


def _stratum_row(stratum: StratumResult) -> list[Any]:
    if stratum.study is None:
        return [stratum.value, stratum.sales, *[None] * 5, Toned("too few sales"), None]
    study, verdicts = stratum.study, verdicts_by_code(stratum.study)
    median = study.statistics.get("median")
    return [
        stratum.value,
        study.sales,
        *(_value(study, "median"), None if median is None or median.low is None else (median.low, median.high)),
        *(_value(study, statistic) for statistic in ("cod", "prd", "prb")),
        _verdict_cell(verdicts.get(AGAINST_OVERALL) or verdicts.get("median")),
        _verdict_cell(verdicts.get("cod")),
    ]


def _value(study: StudyResult, statistic: str) -> float | None:
    measured = study.statistics.get(statistic)
    return measured.value if measured else None


def _trimming_notes(study: StudyResult) -> list[str]:
    trimming = study.trimming
    if not trimming.beyond_fences:
        return []
    note = (
        f"Beside the {phrases.number_of(study.sales, 'ratio')} that {phrases.are(study.sales)} studied,"
        f" {display.count(trimming.trimmed)} {phrases.have(trimming.trimmed)} been trimmed as outliers, being below"
        f" {display.decimals(trimming.low_fence, 3)} or above {display.decimals(trimming.high_fence, 3)}."
    )
    if trimming.capped:
        note += f" {display.count(trimming.beyond_fences)} lay outside; no more may be trimmed."
    return [note]


def _chasing_notes(results: RatioStudyResults) -> list[str]:
    signs = results.overall.sales_chasing
    notes = [test.sentence for test in results.chasing_tests]
    if signs.sentence:
        notes.append(signs.sentence)
    if signs.suspected:
        notes.append(
            "The ratios bear a sign of sales chasing: compare the changes in value of sold and unsold parcels."
        )
    return notes


def _values_tested(results: RatioStudyResults) -> str:
    match results.value_source:
        case "assessed":
            return "the parcels' current total values"
        case "model":
            return "those of the county's comparable sales model, each found without the sale's own price"
        case "roll":
            return f"the parcels' total values of the roll of {results.roll_year}"
        case "valuation_run":
            return "those that a valuation run gave to the parcels"
