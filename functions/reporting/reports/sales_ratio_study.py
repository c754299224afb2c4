"""The sales ratio study: the results of a finished ratio study, for the assessor's signature."""

from typing import Any
from uuid import UUID

from functions.reporting.domain.parameters import MAX_PRINTED_ROWS
from functions.reporting.render.strata_chart import strata_charts
from functions.reporting.reports.finished_study import FinishedStudy, read_study, require_succeeded
from functions.reporting.reports.printing import printed_rows
from functions.reporting.reports.report_type import Heading, Report, ReportType
from shared.appraisal.codes import VerdictCode, VerdictResult
from shared.contracts.ratio_study import (
    RatioStudyResults,
    StatisticVerdict,
    StratumResult,
    StudyResult,
    ValueSource,
)
from shared.csv_export.tables import Table
from shared.schemas import RequestSchema
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

_AGAINST_OVERALL: VerdictCode = "median_against_overall"

_COLUMNS = (
    "stratum",
    "stratum_value",
    "sales",
    "trimmed",
    "statistic",
    "value",
    "interval_low",
    "interval_high",
    "verdict",
    "range_low",
    "range_high",
    "reason",
)
_VALUE_SOURCES: dict[ValueSource, str] = {
    "assessed": "Assessed values",
    "model": "Values by comparable sales",
    "roll": "Values of the roll",
    "valuation_run": "Values of a valuation run",
}
_TONES: dict[VerdictResult, str] = {"meets": "good", "does not meet": "alarm"}


class SalesRatioStudyParameters(RequestSchema):
    """`ratio_study_id`: a ratio study of the county that has succeeded; the report shows its results."""

    ratio_study_id: UUID


class SalesRatioStudy(ReportType[SalesRatioStudyParameters]):
    """The report of a ratio study's results: level, uniformity and vertical equity, overall and by stratum."""

    title = "Sales Ratio Study"
    parameters = SalesRatioStudyParameters

    def check(self, county_id: str, parameters: SalesRatioStudyParameters) -> None:
        """Require a study that has succeeded."""
        require_succeeded(county_id, parameters.ratio_study_id)

    def build(self, heading: Heading, parameters: SalesRatioStudyParameters) -> Report:
        """Read the study's stored results and lay them out."""
        return study_report(heading, read_study(heading.county_id, parameters.ratio_study_id))


REPORT_TYPE = SalesRatioStudy()


def study_report(heading: Heading, study: FinishedStudy) -> Report:
    """Lay out a ratio study; every number is the study's own."""
    return Report(
        title=SalesRatioStudy.title,
        view=_view(heading, study),
        document={
            "ratio_study": {
                "id": str(study.job.id),
                "finished_at": study.finished_at.isoformat(),
                "submitted_by": study.job.submitted_by,
                "parameters": study.job.parameters,
                "results": dict(study.document),
            }
        },
        table=_table(study.results),
    )


def _table(results: RatioStudyResults) -> Table:
    """One row a statistic, the county's first (`stratum` is "county"); one row for a stratum without a study."""
    rows = _statistic_rows("county", None, results.overall)
    for stratum in results.strata:
        if stratum.study is None:
            empty = [None] * (len(_COLUMNS) - 4)
            rows.append([stratum.stratum, stratum.value, stratum.sales, *empty, stratum.reason])
        else:
            rows += _statistic_rows(stratum.stratum, stratum.value, stratum.study)
    return Table(_COLUMNS, rows)


def _statistic_rows(stratum: str, value: str | None, study: StudyResult) -> list[list[Any]]:
    verdicts = _verdicts_by_code(study)
    sample = [stratum, value, study.sales, study.trimming.trimmed]
    rows = []
    for name in [*study.statistics, *([_AGAINST_OVERALL] if _AGAINST_OVERALL in verdicts else [])]:
        measured = study.statistics["median" if name == _AGAINST_OVERALL else name]
        verdict = verdicts.get(name)
        outcome = [verdict.result, verdict.range_low, verdict.range_high] if verdict else [None] * 3
        rows.append([*sample, name, measured.value, measured.low, measured.high, *outcome, None])
    return rows


def _verdicts_by_code(study: StudyResult) -> dict[str, StatisticVerdict]:
    return {verdict.code: verdict for verdict in study.verdicts}


def _view(heading: Heading, study: FinishedStudy) -> dict[str, Any]:
    results = study.results
    return {
        "facts": _facts(study),
        "verdicts": [_sentence(verdict) for verdict in results.overall.verdicts],
        "notes": [*_trimming_notes(results.overall), *results.overall.notes, *_chasing_notes(results)],
        "statistics": _statistic_lines(results.overall),
        "charts": strata_charts(results),
        "strata": _strata(results.strata),
        "excluded": [[_label(reason), display.count(number)] for reason, number in results.sales_excluded.items()],
        "standard": results.standard,
        "parameters": _parameters(study),
        "values_tested": _values_tested(results),
        "prices_time_adjusted": results.prices_time_adjusted,
        "signed_for": heading.county_name,
    }


def _facts(study: FinishedStudy) -> list[tuple[str, str]]:
    results = study.results
    valuation_date = results.valuation_date
    return [
        ("Date of study", display.day(study.finished_at.date())),
        ("Sales from", display.day(results.sale_from)),
        ("Sales to", display.day(results.sale_to)),
        ("Valuation date", display.day(valuation_date) if valuation_date else "as of each sale"),
        ("Values", _VALUE_SOURCES[results.value_source]),
        ("Prices", "adjusted for time" if results.prices_time_adjusted else "as paid"),
        ("Sales studied", display.count(results.overall.sales)),
        ("Outliers trimmed", display.count(results.overall.trimming.trimmed)),
    ]


def _statistic_lines(study: StudyResult) -> list[list[Any]]:
    verdicts = _verdicts_by_code(study)
    lines = []
    for name, measured in study.statistics.items():
        title, places = _title(name)
        verdict = verdicts.get(name)
        lines.append(
            [
                title,
                display.decimals(measured.value, places),
                display.interval(measured.low, measured.high, places),
                display.interval(verdict.range_low, verdict.range_high, places) if verdict else display.MISSING,
                _verdict_cell(verdict),
            ]
        )
    return lines


def _title(statistic: str) -> tuple[str, int]:
    return STATISTICS.get(statistic, (_label(statistic), 3))


def _verdict_cell(verdict: StatisticVerdict | None) -> dict[str, str]:
    if verdict is None:
        return {"text": display.MISSING, "tone": "plain"}
    return {"text": verdict.result, "tone": _TONES.get(verdict.result, "plain")}


def _sentence(verdict: StatisticVerdict) -> dict[str, str]:
    sentence = verdict.sentence
    return {"text": sentence[:1].upper() + sentence[1:], "tone": _TONES.get(verdict.result, "plain")}


def _strata(strata: tuple[StratumResult, ...]) -> list[dict[str, Any]]:
    """A table for each stratification, in the study's order."""
    stratifications: dict[str, list[StratumResult]] = {}
    for stratum in strata:
        stratifications.setdefault(stratum.stratum, []).append(stratum)
    return [
        {
            "title": f"By {_label(name).lower()}",
            "column": _label(name),
            "rows": [_stratum_line(stratum) for stratum in printed_rows(members, _sales)],
            "omitted": display.omission(len(members), MAX_PRINTED_ROWS, "those with most sales"),
        }
        for name, members in stratifications.items()
    ]


def _sales(stratum: StratumResult) -> int:
    return stratum.sales


def _stratum_line(stratum: StratumResult) -> list[Any]:
    name = display.name(stratum.value)
    if stratum.study is None:
        blank = [display.MISSING] * 5
        return [name, display.count(stratum.sales), *blank, {"text": "too few sales", "tone": "plain"}, display.MISSING]
    study, verdicts = stratum.study, _verdicts_by_code(stratum.study)
    median = study.statistics.get("median")
    return [
        name,
        display.count(study.sales),
        _value(study, "median"),
        display.interval(median.low, median.high, 3) if median else display.MISSING,
        *(_value(study, statistic) for statistic in ("cod", "prd", "prb")),
        _verdict_cell(verdicts.get(_AGAINST_OVERALL) or verdicts.get("median")),
        _verdict_cell(verdicts.get("cod")),
    ]


def _value(study: StudyResult, statistic: str) -> str:
    measured = study.statistics.get(statistic)
    return display.decimals(measured.value if measured else None, _title(statistic)[1])


def _trimming_notes(study: StudyResult) -> list[str]:
    trimming = study.trimming
    if not trimming.beyond_fences:
        return []
    note = (
        f"{display.count(trimming.trimmed)} of {display.count(study.sales + trimming.trimmed)} ratios were trimmed as"
        f" outliers, being below {display.decimals(trimming.low_fence, 3)} or above"
        f" {display.decimals(trimming.high_fence, 3)}."
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


def _parameters(study: FinishedStudy) -> list[tuple[str, str]]:
    return [
        ("ratio study", str(study.job.id)),
        ("requested by", display.name(study.job.submitted_by)),
        *((_label(name).lower(), _parameter_text(value)) for name, value in sorted(study.job.parameters.items())),
    ]


def _parameter_text(value: Any) -> str:
    match value:
        case None:
            return display.MISSING
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_label, value)).lower() or display.MISSING
        case _:
            return display.name(str(value))


def _label(identifier: str) -> str:
    return display.name(identifier.replace("_", " ").capitalize())
