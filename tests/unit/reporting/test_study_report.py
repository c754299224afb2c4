"""A ratio study as a report: its own numbers, and no others."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.reporting.render.strata_chart import strata_charts
from functions.reporting.reports.finished_study import results_model
from functions.reporting.reports.sales_ratio_study import study_report
from tests.unit.reporting.example_study import finished, heading, results, sample


def rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    table = study_report(heading(), finished(document)).table
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


def test_the_data_holds_the_studys_document_word_for_word() -> None:
    report = study_report(heading(), finished(results()))
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
    view = study_report(heading(), finished(results())).view
    lines = {line[0]: line[1:] for line in view["statistics"]}
    assert lines["Median ratio"][:3] == ["0.980", "0.959 to 1.000", "0.900 to 1.100"]
    assert lines["Coefficient of dispersion (COD)"][:3] == ["9.6", "9.2 to 10.1", "5.0 to 25.0"]
    assert lines["Coefficient of price-related bias (PRB)"][:2] == ["−0.027", "−0.040 to 0.010"]
    assert lines["Mean ratio"][1:] == ["–", "–", {"text": "–", "tone": "plain"}]
    assert ("Date of study", "November 22, 2026") in view["facts"]
    assert view["standard"] == "IAAO Standard on Ratio Studies (2013)"


def test_the_page_quotes_the_verdicts_and_what_the_reader_must_know() -> None:
    view = study_report(heading(), finished(results())).view
    assert view["verdicts"][0] == {"text": "The median ratio meets.", "tone": "good"}
    notes = " ".join(view["notes"])
    assert "2 of 42 ratios were trimmed" in notes
    assert "MKI is not given" in notes
    assert "sales chasing" in notes


def test_a_study_of_many_strata_is_cut_short_on_paper_only() -> None:
    document = results()
    strata = [
        {"stratum": "neighborhood", "value": f"{i:05}", "sales": i, "study": None, "reason": "few."}
        for i in range(1500)
    ]
    report = study_report(heading(), finished({**document, "strata": strata}))
    (printed,) = report.view["strata"]
    assert len(printed["rows"]) == 1000
    assert printed["rows"][0][0] == "00500"
    assert "1,000 of 1,500 rows" in printed["omitted"]
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
    (chart,) = strata_charts(results_model({**results(), "strata": strata}))
    assert 0 < len(chart["rows"]) <= 40
    for row in chart["rows"]:
        assert 0 <= row["low"] <= row["median"] <= row["high"] <= 1
    assert 0 <= chart["band"][0] < chart["one"] < chart["band"][1] <= 1
    assert [tick["at"] for tick in chart["ticks"]] == sorted(tick["at"] for tick in chart["ticks"])
    assert (chart["ticks"][0]["at"], chart["ticks"][-1]["at"]) == (0, 1)


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
    assert sentence in study_report(heading(), finished(document)).view["notes"]
    tested = {
        source: study_report(heading(), finished({**document, "value_source": source, "roll_year": 2025})).view[
            "values_tested"
        ]
        for source in ("assessed", "model", "roll", "valuation_run")
    }
    assert len(set(tested.values())) == 4
    assert "roll of 2025" in tested["roll"]
