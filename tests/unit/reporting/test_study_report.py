"""A ratio study as a report: its own numbers, and no others."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.reporting.domain.contents import Bar, DataTable, Dots, Line, Pairs, Prose, Statements
from functions.reporting.render.charts.strata import strata_chart
from functions.reporting.render.printed_table import PrintedTable, printed_table
from functions.reporting.reports.finished_study import results_model
from functions.reporting.reports.report_type import Report
from functions.reporting.reports.sales_ratio_study import study_report
from tests.unit.reporting.example_study import finished, results, sample


def rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    table = study_report(finished(document)).table
    return [dict(zip([column.data_name for column in table.columns], row, strict=True)) for row in table.rows]


def printed(report: Report, title: str) -> PrintedTable:
    """The first table of a section, as it is printed."""
    (section,) = (section for section in report.contents.sections if section.title == title)
    return printed_table(next(block for block in section.blocks if isinstance(block, DataTable)))


def texts(report: Report) -> str:
    """All sentences and paragraphs."""
    lines = []
    for section in report.contents.sections:
        for block in section.blocks:
            match block:
                case Statements(statements):
                    lines += [statement.text for statement in statements]
                case Prose(text):
                    lines.append(text)
                case Pairs(pairs):
                    lines += [" ".join(pair) for pair in pairs]
    return "\n".join(lines)


def test_the_data_holds_the_studys_document_word_for_word() -> None:
    report = study_report(finished(results()))
    assert report.document["ratio_study"]["results"] == results()


def test_the_table_has_every_statistic_of_every_sample_unrounded() -> None:
    given_rows = {(row["stratum"], row["stratum_value"], row["statistic"]): row for row in rows(results())}
    samples = {("county", None): results()["overall"]} | {
        (s["stratum"], s["value"]): s["study"] for s in results()["strata"] if s["study"]
    }
    for sample_index, study in samples.items():
        for name, statistic in study["statistics"].items():
            row = given_rows[(*sample_index, name)]
            assert (row["value"], row["interval_low"], row["interval_high"]) == tuple(statistic.values())
            assert row["sales"] == study["sales"]


def test_verdicts_stand_beside_the_statistics_that_they_are_about() -> None:
    found = {(row["stratum_value"], row["statistic"]): row["verdict"] for row in rows(results())}
    assert found[None, "median"] == "meets"
    assert found[None, "mean"] is None
    assert found[None, "cod"] == "meets"
    assert found["N2", "prb"] == "does not meet"
    assert found["N2", "median_against_overall"] == "does not meet"
    assert (None, "median_against_overall") not in found


def test_a_stratum_without_a_study_says_why() -> None:
    (row,) = (row for row in rows(results()) if row["stratum_value"] == "N3")
    assert (row["sales"], row["statistic"], row["reason"]) == (1, None, "needs 5 sales.")


def test_the_page_shows_the_numbers_rounded_for_print() -> None:
    report = study_report(finished(results()))
    lines = {line[0]: line[1:] for line in printed(report, "Statistics").rows}
    assert lines["Median ratio"][:3] == ["0.980", "0.959 to 1.000", "0.900 to 1.100"]
    assert lines["Coefficient of dispersion (COD)"][:3] == ["9.6", "9.2 to 10.1", "5.0 to 25.0"]
    assert lines["Coefficient of price-related bias (PRB)"][:2] == ["−0.027", "−0.040 to 0.010"]
    assert lines["Mean ratio"][1:] == ["–", "–", "–"]
    assert ("Date of study", "November 22, 2026") in report.contents.facts
    assert "IAAO Standard on Ratio Studies (2013)" in texts(report)


def test_the_page_quotes_the_verdicts_and_what_the_reader_must_know() -> None:
    report = study_report(finished(results()))
    (findings,) = report.contents.sections[0].blocks
    assert isinstance(findings, Statements)
    assert (findings.statements[0].text, findings.statements[0].tone) == ("The median ratio meets.", "good")
    notes = texts(report)
    assert "Beside the 40 ratios that are studied, 2 have been trimmed" in notes
    assert "MKI is not given" in notes
    assert "sales chasing" in notes


def test_a_study_of_many_strata_is_cut_short_on_paper_only() -> None:
    document = results()
    strata = [
        {"stratum": "neighborhood", "value": f"{i:05}", "sales": i, "study": None, "reason": "few."}
        for i in range(1500)
    ]
    report = study_report(finished({**document, "strata": strata}))
    table = printed(report, "By neighborhood")
    assert len(table.rows) == 1000
    assert table.rows[0][0] == "00500"
    assert "1,000 of 1,500 rows" in str(table.omitted)
    assert sum(1 for row in report.table.rows if row[0] == "neighborhood") == 1500


@given(
    st.lists(
        st.tuples(st.floats(0.01, 5), st.floats(0, 2), st.floats(0, 2), st.integers(1, 500)), min_size=1, max_size=60
    )
)
def test_everything_in_a_chart_lies_inside_it(medians: list[tuple[float, float, float, int]]) -> None:
    strata = []
    for index, (median, below, above, sales) in enumerate(medians):
        study = sample(median, sales=sales)
        study["statistics"]["median"] |= {"low": median - below, "high": median + above}
        strata.append({"stratum": "city", "value": str(index), "sales": sales, "study": study, "reason": None})
    chart = strata_chart(results_model({**results(), "strata": strata}), "city")
    assert chart is not None
    (band,) = (shape for shape in chart.shapes if isinstance(shape, Bar))
    (dots,) = (shape for shape in chart.shapes if isinstance(shape, Dots))
    one, *intervals = (shape.points for shape in chart.shapes if isinstance(shape, Line))
    assert 0 < len(dots.points) == len(intervals) == len(chart.y_ticks) <= 40
    for (median, height), ((low, _), (high, _)) in zip(dots.points, intervals, strict=True):
        assert 0 <= low <= median <= high <= 1
        assert 0 < height < 1
    assert 0 <= band.x < one[0][0] < band.x + band.width <= 1
    ticks = [tick.at for tick in chart.x_ticks]
    assert ticks == sorted(ticks)
    assert (ticks[0], ticks[-1]) == (0, 1)


def test_the_page_says_what_was_tested_and_quotes_the_tests_for_sales_chasing() -> None:
    sentence = "The values of 20 sold properties changed by +15.0%: sold properties look revalued to their prices."
    test = {
        "test": "sold_and_unsold",
        "first_sales": 20,
        "second_sales": 80,
        "first_median": 1.15,
        "second_median": 1.02,
        "p_value": 0.001,
        "suspected": True,
        "sentence": sentence,
    }
    document = {**results(), "chasing_tests": [test]}
    assert sentence in texts(study_report(finished(document)))
    tested = {
        source: texts(study_report(finished({**document, "value_source": source, "roll_year": 2025})))
        for source in ("assessed", "model", "roll", "valuation_run")
    }
    assert len(set(tested.values())) == 4
    assert "roll of 2025" in tested["roll"]
