"""Ratio studies of lists of pairs: through the API, and as a command on a file."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from functions.ratio_study.handler import handler
from infra.cli.errors import CommandError
from infra.cli.main import app
from shared.access import Role
from shared.appraisal import ratio_statistics as statistics
from tests.gateway import Answer, call, claims_of
from tests.unit.appraisal.worked_examples import example

STUDY = "/v1/ratio-statistics"


def asked(sales: list[dict[str, Any]], **options: Any) -> Answer:
    claims = claims_of(options.pop("role", Role.AUDITOR), counties=())
    return call(handler, "POST", STUDY, body={"sales": sales, **options}, claims=claims)


def pairs(size: int, seed: int = 1) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    price = np.round(np.exp(random.normal(12.5, 0.5, size)), -3)
    value = np.round(price * np.exp(random.normal(0, 0.15, size)), -2)
    return [
        {"value": v, "price": p, "strata": {"class": "AB"[row % 2], "age": row % 40}}
        for row, (v, p) in enumerate(zip(value.tolist(), price.tolist(), strict=True))
    ]


def test_a_list_of_pairs_has_the_statistics_of_its_ratios_overall_and_by_stratum() -> None:
    value, price = example("iaao_table_1_1")
    sales = [{"value": v, "price": p} for v, p in zip(value.tolist(), price.tolist(), strict=True)]
    found = asked(sales, trim=False).body["overall"]
    assert found["sales"] == 36
    for name in ("cod", "prd", "prb", "mki"):
        expected = {"cod": lambda e, p: statistics.cod(e / p)}.get(name, getattr(statistics, name))(value, price)
        assert found["statistics"][name]["value"] == pytest.approx(expected)
    body = asked(pairs(200), property_kind="residential").body
    judged = " ".join(verdict["statistic"] for verdict in body["overall"]["verdicts"])
    assert "COD for older or mixed" in judged
    strata = [(item["stratum"], item["value"], item["sales"]) for item in body["strata"]]
    assert [item for item in strata if item[0] == "class"] == [("class", "A", 100), ("class", "B", 100)]
    assert [item[1][0] for item in strata if item[0] == "age"] == ["1", "2", "3", "4"]  # quartiles of a number


@pytest.mark.parametrize(
    ("bad", "pointer", "detail"),
    [
        ({"value": "a lot", "price": 1}, "/body/sales/1/value", "no number"),
        ({"value": "100", "price": 1}, "/body/sales/1/value", "is the text"),
        ({"value": 1, "price": 0}, "/body/sales/1/price", "above zero"),
        ({"value": 1, "price": -5}, "/body/sales/1/price", "above zero"),
        ({"value": None, "price": 5}, "/body/sales/1/value", "is missing"),
        ({"value": 5}, "/body/sales/1/price", "is missing"),
        ({"value": True, "price": 5}, "/body/sales/1/value", "is no number"),
        ({"value": [1], "price": 5}, "/body/sales/1/value", "is no number"),
    ],
)
def test_a_pair_that_has_no_ratio_is_named(bad: dict[str, Any], pointer: str, detail: str) -> None:
    answer = asked([*pairs(1), bad, *pairs(20)])
    assert answer.status == 422
    assert [fault["pointer"] for fault in answer.body["errors"]] == [pointer]
    assert detail in answer.body["errors"][0]["detail"]


def test_many_faults_are_counted_and_the_first_named() -> None:
    answer = asked([{"value": 0, "price": 0}] * 5000)
    assert (answer.status, len(answer.body["errors"])) == (422, 100)
    assert "5000 of 5000 pairs" in answer.body["detail"]
    assert "100 of 10000 faults" in answer.body["detail"]


def test_too_few_pairs_and_pairs_all_alike_have_clear_answers() -> None:
    single = asked(pairs(1))
    assert (single.status, single.body["type"]) == (422, "urn:terrafusion:problem:ratio-study-not-possible")
    assert "at least 5 sales and there is 1" in single.body["detail"]
    assert asked([]).status == 422
    alike = asked([{"value": 100, "price": 100}] * 30).body["overall"]
    assert alike["statistics"]["cod"]["value"] == 0
    assert {"prb", "mki"}.isdisjoint(alike["statistics"])
    assert any("PRB is not given" in note for note in alike["notes"])


def test_what_would_cost_more_than_a_request_may_is_refused_with_what_to_do() -> None:
    answer = asked(pairs(10_000))
    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:ratio-statistics-too-costly")
    assert "333 iterations at most" in answer.body["detail"]
    assert "terrafusion ratio-study" in answer.body["detail"]
    assert asked([{"value": 1, "price": 1}] * 10_001).status == 422


def test_who_may_see_no_values_may_study_none() -> None:
    assert asked(pairs(10), role=Role.REPORTING_STAFF).status == 403


def written(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows))
    return path


def studied(file: Path, *options: str) -> dict[str, Any]:
    answer = CliRunner().invoke(app, ["ratio-study", str(file), "--json", *options], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


def test_a_file_is_studied_as_the_same_pairs_over_http(tmp_path: Path) -> None:
    sales = pairs(60)
    rows = [f"{s['price']},{s['value']},{s['strata']['class']}" for s in sales]
    file = written(tmp_path / "sales.csv", "Sale Price,Assessed Value,class", *rows)
    statistics = studied(file, "--stratum", "class", "--kind", "residential")
    over_http = asked([{**s, "strata": {"class": s["strata"]["class"]}} for s in sales], property_kind="residential")
    for name, measured in over_http.body["overall"]["statistics"].items():
        assert statistics["overall"]["statistics"][name]["value"] == pytest.approx(measured["value"]), name
    assert [(item["value"], item["sales"]) for item in statistics["strata"]] == [("A", 30), ("B", 30)]
    packed = tmp_path / "sales.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert studied(packed)["overall"] == studied(file)["overall"]


def test_rows_without_a_ratio_are_left_out_and_told_with_their_lines(tmp_path: Path) -> None:
    bad = ("abc,1", "", "0,1", '"$1,000.50",nan', ",5", "inf,1")
    good = [f'"${number},000",{number}500' for number in range(1, 9)]
    statistics = studied(written(tmp_path / "sales.csv", "value,price", *bad, *good))
    assert statistics["overall"]["sales"] == 8
    assert [(item["line"], item["column"]) for item in statistics["left_out"]] == [
        *((2, "value"), (4, "value"), (5, "price"), (6, "value"), (7, "value")),
    ]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["value,price", "1,2"], [], "at least 5 sales and there is 1"),
        (["value,price", "x,y"], [], "1 of 1 rows have no ratio and are left out: line 2"),
        (["a,b", "1,2"], [], "No column has a usual name; the file has a, b. Name one with --value"),
        (["value,price", "1,2"], ["--price", "cost"], "There is no column 'cost'"),
        (["value,price", "1"], [], "line 2: it has fewer than the 2 columns"),
        (["value,price", "1,2"], ["--kind", "castle"], "'castle' is no kind of property"),
        ([""], [], "the file has none"),
    ],
)
def test_a_file_that_cannot_be_studied_says_why(
    tmp_path: Path, rows: list[str], options: list[str], message: str
) -> None:
    file = written(tmp_path / "sales.csv", *rows)
    with pytest.raises(CommandError) as refused:
        CliRunner().invoke(app, ["ratio-study", str(file), *options], catch_exceptions=False)
    assert message in str(refused.value)
    with pytest.raises(CommandError, match="cannot be read"):
        CliRunner().invoke(app, ["ratio-study", str(tmp_path / "nothing.csv")], catch_exceptions=False)
