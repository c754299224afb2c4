"""The sales ratio study as a report."""

from typing import Any

from functions.reporting import display
from functions.reporting.report import MOST_PRINTED, TITLES, Heading, Report
from functions.reporting.strata_chart import charts
from functions.reporting.studies import FinishedStudy, StatisticVerdict, StratumResult, StudyDocument, StudyResult
from shared.csv_export.tables import Table

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
"""What a statistic is called, and its decimals in print."""

AGAINST_OVERALL = "median_against_overall"
"""A stratum's median held against the county's."""

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
_SOURCES = {
    "assessed": "Assessed values",
    "model": "Values by comparable sales",
    "roll": "Values of the roll",
    "valuation_run": "Values of a valuation run",
}
_TONES = {"meets": "good", "does not meet": "alarm"}


def study_report(heading: Heading, study: FinishedStudy) -> Report:
    """Lay out a ratio study; every number is the study's own."""
    return Report(
        title=TITLES["sales_ratio_study"],
        view=_view(heading, study),
        document={
            "ratio_study": {
                "id": str(study.job.id),
                "finished_at": study.finished_at.isoformat(),
                "submitted_by": study.job.submitted_by,
                "parameters": study.job.parameters,
                "results": dict(study.results),
            }
        },
        table=_table(study.document),
    )


def _table(document: StudyDocument) -> Table:
    """One row a statistic, the county's first (`stratum` is "county"); one row for a stratum without a study."""
    rows = _statistic_rows("county", None, document.overall)
    for stratum in document.strata:
        if stratum.study is None:
            empty = [None] * (len(_COLUMNS) - 4)
            rows.append([stratum.stratum, stratum.value, stratum.sales, *empty, stratum.reason])
        else:
            rows += _statistic_rows(stratum.stratum, stratum.value, stratum.study)
    return Table(_COLUMNS, rows)


def _statistic_rows(stratum: str, value: str | None, study: StudyResult) -> list[list[Any]]:
    judged = _by_statistic(study)
    sample = [stratum, value, study.sales, study.trimming.trimmed]
    rows = []
    for name in [*study.statistics, *([AGAINST_OVERALL] if AGAINST_OVERALL in judged else [])]:
        measured = study.statistics["median" if name == AGAINST_OVERALL else name]
        verdict = judged.get(name)
        outcome = [verdict.result, verdict.range_low, verdict.range_high] if verdict else [None] * 3
        rows.append([*sample, name, measured.value, measured.low, measured.high, *outcome, None])
    return rows


def _by_statistic(study: StudyResult) -> dict[str, StatisticVerdict]:
    """Verdicts by the statistic that they are about; the study names them in words ("COD for vacant land")."""
    return {_statistic_of(verdict.statistic): verdict for verdict in study.verdicts}


def _statistic_of(words: str) -> str:
    if words.startswith("stratum's median"):
        return AGAINST_OVERALL
    return words.split(maxsplit=1)[0].lower()


def _view(heading: Heading, study: FinishedStudy) -> dict[str, Any]:
    document = study.document
    return {
        "facts": _facts(study),
        "verdicts": [_sentence(verdict) for verdict in document.overall.verdicts],
        "notes": [*_trimming_notes(document.overall), *document.overall.notes, *_chasing_notes(document)],
        "statistics": _statistic_lines(document.overall),
        "charts": charts(document),
        "strata": _strata(document.strata),
        "excluded": [[_words(reason), display.count(number)] for reason, number in document.sales_excluded.items()],
        "standard": document.standard,
        "parameters": _parameters(study),
        "values_tested": _values_tested(document),
        "prices_time_adjusted": document.prices_time_adjusted,
        "signed_for": heading.county_name,
    }


def _facts(study: FinishedStudy) -> list[tuple[str, str]]:
    document = study.document
    valued = document.valuation_date
    return [
        ("Date of study", display.day(study.finished_at.date())),
        ("Sales from", display.day(document.sale_from)),
        ("Sales to", display.day(document.sale_to)),
        ("Valuation date", display.day(valued) if valued else "as of each sale"),
        ("Values", _SOURCES.get(document.value_source, _words(document.value_source))),
        ("Prices", "adjusted for time" if document.prices_time_adjusted else "as paid"),
        ("Sales studied", display.count(document.overall.sales)),
        ("Outliers trimmed", display.count(document.overall.trimming.trimmed)),
    ]


def _statistic_lines(study: StudyResult) -> list[list[Any]]:
    judged = _by_statistic(study)
    lines = []
    for name, measured in study.statistics.items():
        title, places = _title(name)
        verdict = judged.get(name)
        lines.append(
            [
                title,
                display.decimals(measured.value, places),
                display.interval(measured.low, measured.high, places),
                display.interval(verdict.range_low, verdict.range_high, places) if verdict else display.NOTHING,
                _verdict_cell(verdict),
            ]
        )
    return lines


def _title(statistic: str) -> tuple[str, int]:
    return STATISTICS.get(statistic, (_words(statistic), 3))


def _verdict_cell(verdict: StatisticVerdict | None) -> dict[str, str]:
    if verdict is None:
        return {"text": display.NOTHING, "tone": "plain"}
    return {"text": verdict.result, "tone": _TONES.get(verdict.result, "plain")}


def _sentence(verdict: StatisticVerdict) -> dict[str, str]:
    sentence = verdict.sentence
    return {"text": sentence[:1].upper() + sentence[1:], "tone": _TONES.get(verdict.result, "plain")}


def _strata(strata: list[StratumResult]) -> list[dict[str, Any]]:
    """A table for each stratification, in the study's order."""
    names: dict[str, list[StratumResult]] = {}
    for stratum in strata:
        names.setdefault(stratum.stratum, []).append(stratum)
    return [
        {
            "title": f"By {_words(name).lower()}",
            "column": _words(name),
            "rows": [_stratum_line(stratum) for stratum in _printed(members)],
            "omitted": display.omission(len(members), MOST_PRINTED, "those with most sales"),
        }
        for name, members in names.items()
    ]


def _printed(strata: list[StratumResult]) -> list[StratumResult]:
    """The strata that fit on paper, in their order."""
    if len(strata) <= MOST_PRINTED:
        return strata
    places = sorted(range(len(strata)), key=lambda place: -strata[place].sales)[:MOST_PRINTED]
    return [strata[place] for place in sorted(places)]


def _stratum_line(stratum: StratumResult) -> list[Any]:
    name = display.name(stratum.value)
    if stratum.study is None:
        blank = [display.NOTHING] * 5
        return [name, display.count(stratum.sales), *blank, {"text": "too few sales", "tone": "plain"}, display.NOTHING]
    study, judged = stratum.study, _by_statistic(stratum.study)
    median = study.statistics.get("median")
    return [
        name,
        display.count(study.sales),
        _value(study, "median"),
        display.interval(median.low, median.high, 3) if median else display.NOTHING,
        *(_value(study, statistic) for statistic in ("cod", "prd", "prb")),
        _verdict_cell(judged.get(AGAINST_OVERALL) or judged.get("median")),
        _verdict_cell(judged.get("cod")),
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


def _chasing_notes(document: StudyDocument) -> list[str]:
    signs = document.overall.sales_chasing
    notes = [test.sentence for test in document.chasing_tests]
    if signs is not None and signs.sentence:
        notes.append(signs.sentence)
    if signs is not None and signs.suspected:
        notes.append(
            "The ratios bear a sign of sales chasing: compare the changes in value of sold and unsold parcels."
        )
    return notes


def _values_tested(document: StudyDocument) -> str:
    match document.value_source:
        case "model":
            return "those of the county's comparable sales model, each found without the sale's own price"
        case "roll":
            return f"the parcels' total values of the roll of {document.roll_year}"
        case "valuation_run":
            return "those that a valuation run gave to the parcels"
        case _:
            return "the parcels' current total values"


def _parameters(study: FinishedStudy) -> list[tuple[str, str]]:
    return [
        ("ratio study", str(study.job.id)),
        ("requested by", display.name(study.job.submitted_by)),
        *((_words(name).lower(), _shown(value)) for name, value in sorted(study.job.parameters.items())),
    ]


def _shown(value: Any) -> str:
    match value:
        case None:
            return display.NOTHING
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_words, value)).lower() or display.NOTHING
        case _:
            return display.name(str(value))


def _words(identifier: str) -> str:
    return display.name(identifier.replace("_", " ").capitalize())
