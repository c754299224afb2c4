"""Sorted and filtered lists of a county: each row once in any order, and what a filter says."""

import itertools
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text, update

from functions.properties.handler import handler
from functions.properties.schemas.parcels import PROPERTY_SORTS, SALE_SORTS
from functions.ratio_study.handler import handler as studies
from functions.ratio_study.tasks import handler as run_studies
from infra.local.postgres import LocalPostgres
from shared import paging
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import PropertyOperational, Sale, SaleDecision
from shared.layers.sales import SALES as SALES_LAYER
from tests.conftest import database_like
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, SYNTHETIC, add_county, add_evidence
from tests.job_cloud import jobs_in_this_process, run_task

PROPERTIES = "/v1/counties/{county_id}/properties"
SALES = "/v1/counties/{county_id}/sales"
NEIGHBORHOODS = "/v1/counties/{county_id}/neighborhoods"
DECISION = {"note": "n", "validity_code": "valid", "row_hash": "h", "rules": [], "request_digest": "d"}


def listed(resource: str, **query: str) -> Answer:
    return call(handler, "GET", resource, path={"county_id": COUNTY}, query=query)


def walked(resource: str, **query: str) -> list[dict[str, Any]]:
    """The items of every page."""
    items: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = listed(resource, **query, **token)
        assert answer.status == 200, answer
        items += answer.body["items"]
        if answer.body.get("next_page_token") is None:
            return items
        token = {"page_token": answer.body["next_page_token"]}


@pytest.fixture(scope="module", autouse=True)
def county(postgres_server: LocalPostgres, migrated_template: str) -> Iterator[None]:
    """500 parcels with a sale each; some values are equal, some are missing, one parcel is off the roll."""
    with (
        pytest.MonkeyPatch.context() as patch,
        database_like(migrated_template, postgres_server, patch),
        jobs_in_this_process(patch),
    ):
        add_county()
        add_evidence()
        parcels = update(PropertyOperational)
        with unit_of_work(COUNTY) as connection:
            some = text("right(property_id, 1) IN ('0', '3', '6')")
            connection.execute(parcels.where(some).values(total_value=250_000, year_built=None))
            sold = {"parcel_number": "7", "last_sale_date": date(2015, 1, 1), "last_sale_price": 1}
            connection.execute(parcels.where(text("right(property_id, 1) IN ('1', '2')")).values(sold))
            older = {"parcel_number": "6", "last_sale_date": date(2014, 1, 1), "last_sale_price": 2}
            connection.execute(parcels.where(text("right(property_id, 1) = '5'")).values(older))
            connection.execute(parcels.where(PropertyOperational.property_id < "P0040").values(neighborhood=None))
            connection.execute(
                parcels.where(PropertyOperational.property_id == "P0499").values(retired_at=text("now()"))
            )
            for number, decision in enumerate(("valid", "invalid", "as_coded")):
                row = {"county_id": COUNTY, "decision_id": UUID(int=number), "sale_id": f"S010{number}"}
                connection.execute(insert(SaleDecision).values(**row, decision=decision, decided_by="a", **DECISION))
            connection.execute(update(Sale).where(Sale.sale_id > "S0400").values(sale_date=date(2015, 6, 1)))
        yield


@pytest.mark.parametrize("sort", [sign + name for name in PROPERTY_SORTS for sign in ("", "-")])
def test_pages_of_properties_in_any_order_visit_each_once(sort: str) -> None:
    assert_in_order(walked(PROPERTIES, sort=sort, page_size="70"), sort, "property_id", 499)


@pytest.mark.parametrize("sort", [sign + name for name in SALE_SORTS for sign in ("", "-")])
def test_pages_of_sales_in_any_order_visit_each_once(sort: str) -> None:
    assert_in_order(walked(SALES, sort=sort, page_size="70"), sort, "sale_id", 504)


def assert_in_order(items: list[dict[str, Any]], sort: str, key: str, count: int) -> None:
    """By the field, then by id; rows without a value of it last."""
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    assert len({item[key] for item in items}) == len(items) == count
    present = [item for item in items if item[name] is not None]
    assert items[: len(present)] == present
    assert [item[key] for item in items[len(present) :]] == sorted(item[key] for item in items[len(present) :])
    is_number = isinstance(present[0][name], (int, float)) or {**PROPERTY_SORTS, **SALE_SORTS}[name] is Decimal
    if not is_number and name not in ("sale_date", "last_sale_date", "valid_from"):
        return  # the database's collation orders texts; each once is what counts
    values = [Decimal(str(item[name])) if is_number else item[name] for item in present]
    assert values == sorted(values, reverse=descending)
    for first, second in itertools.pairwise(present):
        if first[name] == second[name]:
            assert first[key] < second[key]


def test_a_minimum_a_maximum_and_an_attribute_filter_properties() -> None:
    items = walked(PROPERTIES)
    low, high = Decimal(250_000), Decimal(400_000)

    in_range = walked(PROPERTIES, min_total_value="250000", max_total_value="400000.00")
    built = walked(PROPERTIES, min_year_built="1990")
    large = walked(PROPERTIES, min_living_area_sqft="2000", max_land_area_sqft="9000")
    gas = walked(PROPERTIES, **{"attributes.heating": "gas"})
    both = walked(PROPERTIES, **{"attributes.heating": "oil", "attributes.view": "0.0"})

    def ids(rows: list[dict[str, Any]]) -> list[str]:
        return [row["property_id"] for row in rows]

    assert ids(in_range) == ids([row for row in items if low <= Decimal(row["total_value"]) <= high])
    assert ids(built) == ids([row for row in items if row["year_built"] and row["year_built"] >= 1990])
    assert ids(large) == ids(
        [row for row in items if Decimal(row["living_area_sqft"]) >= 2000 and Decimal(row["land_area_sqft"]) <= 9000]
    )
    assert ids(gas) == [row["property_id"] for row in items if int(row["property_id"][1:]) % 2]
    assert 0 < len(both) < 250
    assert walked(PROPERTIES, **{"attributes.nothing": "x"}) == []


def test_rows_are_counted_exactly_up_to_a_bound_and_said_to_be_more_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(PROPERTIES, count="true", page_size="1").body["total"] == {"count": 499, "exact": True}
    assert listed(SALES, count="true", min_price="2").body["total"] == {"count": 500, "exact": True}
    assert listed(PROPERTIES, count="true", parcel_number="x").body["total"] == {"count": 0, "exact": True}
    assert listed(PROPERTIES, page_size="1").body["total"] is None
    from shared.db import keyset

    monkeypatch.setattr(keyset, "MAX_COUNT", 498)
    assert listed(PROPERTIES, count="true").body["total"] == {"count": 498, "exact": False}


@pytest.mark.parametrize(
    ("resource", "query", "pointer"),
    [
        (PROPERTIES, {"sort": "owner"}, "/query/sort"),
        (PROPERTIES, {"sort": "--total_value"}, "/query/sort"),
        (PROPERTIES, {"sort": ""}, "/query/sort"),
        (PROPERTIES, {"sort": "total_value; DROP TABLE sales"}, "/query/sort"),
        (PROPERTIES, {"min_total_value": "x"}, "/query/min_total_value"),
        (PROPERTIES, {"min_total_value": "-1"}, "/query/min_total_value"),
        (PROPERTIES, {"min_total_value": "9e99"}, "/query/min_total_value"),
        (PROPERTIES, {"min_year_built": "2020", "max_year_built": "1990"}, "/query/min_year_built"),
        (PROPERTIES, {"attributes.": "x"}, "/query/attributes."),
        (PROPERTIES, {"attributes.a": "x" * 201}, "/query/attributes.a"),
        (PROPERTIES, {f"attributes.{n}": "x" for n in range(11)}, "/query"),
        (PROPERTIES, {"count": "perhaps"}, "/query/count"),
        (SALES, {"sort": "total_value"}, "/query/sort"),
        (SALES, {"from": "2015-02-30"}, "/query/from"),
        (SALES, {"from": "2016-01-01", "to": "2015-01-01"}, "/query/from"),
        (SALES, {"min_price": "3", "max_price": "2"}, "/query/min_price"),
        (SALES, {"decision": "maybe"}, "/query/decision"),
        (NEIGHBORHOODS, {"from": "2016-01-01", "to": "2015-01-01"}, "/query/from"),
    ],
)
def test_what_no_list_can_meet_is_refused_where_it_stands(resource: str, query: dict[str, str], pointer: str) -> None:
    answer = listed(resource, **query)

    assert answer.status == 422, answer
    assert {error["pointer"] for error in answer.body["errors"]} == {pointer}


def test_a_misspelt_prefix_is_an_unknown_parameter() -> None:
    answer = listed(PROPERTIES, **{"attribute.heating": "gas"})

    assert answer.status == 400
    assert "attributes.NAME" in answer.body["detail"]
    assert listed(SALES, **{"attributes.heating": "gas"}).status == 400


def test_a_forged_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "_digest", lambda _: "d")
    for part in ("vNaN", "vInfinity", "v1e999", "v" + "9" * 100, "x", "", "v"):
        token = paging.encode_token("", [part, "P0001"])
        assert listed(PROPERTIES, sort="total_value", page_token=token).status == 400, part
    for part in ("v2015-13-01", "v", "v0"):
        token = paging.encode_token("", [part, "S0001"])
        assert listed(SALES, page_token=token).status == 400, part


def test_a_token_of_another_order_is_refused() -> None:
    token = listed(PROPERTIES, sort="total_value", page_size="1").body["next_page_token"]

    assert listed(PROPERTIES, sort="-total_value", page_size="1", page_token=token).status == 400


def test_a_sale_has_the_ratio_that_studies_and_layers_take() -> None:
    items = {item["sale_id"]: item for item in walked(SALES)}
    parcels = {item["property_id"]: item for item in walked(PROPERTIES)}
    ratio = next(column for column in SALES_LAYER.columns if column.name == "ratio").expression

    assert "p.total_value / s.sale_price" in ratio
    for item in items.values():
        parcel = parcels.get(item["property_id"])
        if parcel is None or Decimal(parcel["total_value"]) == 0:
            assert item["ratio"] is None
        else:
            assert item["ratio"] == pytest.approx(float(Decimal(parcel["total_value"]) / Decimal(item["sale_price"])))
    assert "GONE" not in items
    assert items["S0499"]["ratio"] is None


def test_sales_are_filtered_by_each_condition() -> None:
    items = walked(SALES)

    def ids(holds: Any) -> list[str]:
        return [item["sale_id"] for item in items if holds(item)]

    def found(**query: str) -> list[str]:
        return [item["sale_id"] for item in walked(SALES, **query)]

    a_day, a_price = items[200]["sale_date"], Decimal(items[200]["sale_price"])
    assert found(**{"from": a_day}) == ids(lambda item: item["sale_date"] >= a_day)
    assert found(to=a_day) == ids(lambda item: item["sale_date"] <= a_day)
    assert found(min_price=str(a_price)) == ids(lambda item: Decimal(item["sale_price"]) >= a_price)
    assert found(max_price=str(a_price)) == ids(lambda item: Decimal(item["sale_price"]) <= a_price)
    assert found(validity="invalid") == ["S0101"]
    assert found(validity="nominal_price") == ["X2"]
    assert found(decision="valid") == ["S0100"]
    assert "S0102" in found(decision="none")
    assert found(neighborhood="N3") == ids(lambda item: item["neighborhood"] == "N3")
    assert found(property_class="commercial") == []
    assert found(property_id="P0007") == ["S0007"]


def test_neighborhoods_have_counts_medians_and_the_sales_of_a_period() -> None:
    items = {item["neighborhood"]: item for item in walked(NEIGHBORHOODS, page_size="3")}
    parcels, sales = walked(PROPERTIES), walked(SALES)

    assert set(items) == {parcel["neighborhood"] for parcel in parcels if parcel["neighborhood"] is not None}
    for name, item in items.items():
        own = [Decimal(p["total_value"]) for p in parcels if p["neighborhood"] == name]
        prices = [Decimal(s["sale_price"]) for s in sales if s["neighborhood"] == name and s["validity"] == "valid"]
        assert (item["parcels"], item["sales"]) == (len(own), len(prices))
        assert Decimal(item["total_value"]) == sum(own)
        assert Decimal(item["median_value"]) == pytest.approx(_median([value for value in own if value > 0]))
        assert Decimal(item["median_sale_price"]) == pytest.approx(_median(prices))
        assert item["ratios"] is None
    later = walked(NEIGHBORHOODS, **{"from": "2015-06-01", "to": "2015-06-01"})
    assert sum(item["sales"] for item in later) == len(
        [s for s in sales if s["sale_date"] == "2015-06-01" and s["validity"] == "valid" and s["neighborhood"]]
    )


def _median(values: list[Decimal]) -> Decimal:
    ordered, middle = sorted(values), len(values) // 2
    median = ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return median.quantize(Decimal("0.01"))


def test_neighborhoods_show_the_newest_study_of_the_whole_county() -> None:
    first, last = (date.fromordinal(int(day(SYNTHETIC.sales.sale_day))) for day in (min, max))
    period = {"value_source": "assessed", "from": str(first), "to": str(last)}
    studied(period)
    results, study_id = studied({**period, "strata": ["neighborhood"]})
    studied({**period, "strata": ["neighborhood"], "filter": {"property_classes": ["residential"]}})

    items = {item["neighborhood"]: item["ratios"] for item in walked(NEIGHBORHOODS)}

    strata = {stratum["value"]: stratum for stratum in results["strata"]}
    for name, ratios in items.items():
        if name not in strata:
            assert ratios is None
            continue
        assert (ratios["study_id"], ratios["sales"]) == (study_id, strata[name]["sales"])
        study = strata[name]["study"]
        for statistic in ("median", "cod", "prd"):
            assert ratios[statistic] == (study and study["statistics"][statistic]["value"])
    assert any(ratios and ratios["cod"] for ratios in items.values())
    claims = claims_of(Role.REPORTING_STAFF)
    hidden = call(handler, "GET", NEIGHBORHOODS, path={"county_id": COUNTY}, claims=claims)
    assert [item["ratios"] for item in hidden.body["items"]] == [None] * len(items)


def studied(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The results of a study, and its id."""
    resource = "/v1/counties/{county_id}/ratio-studies"
    job = call(studies, "POST", resource, path={"county_id": COUNTY}, body=body)
    assert job.status == 202, job
    run_task(run_studies, COUNTY, "ratio_study", job.body["id"])
    path = {"county_id": COUNTY, "study_id": job.body["id"]}
    results = call(studies, "GET", resource + "/{study_id}/results", path=path)
    assert results.status == 200, results
    return results.body, job.body["id"]


def test_the_lists_are_for_whoever_may_view_properties() -> None:
    nobody = {**claims_of(Role.REPORTING_STAFF), "scope": "terrafusion/sign_in"}
    for resource in (PROPERTIES, SALES, NEIGHBORHOODS):
        assert call(handler, "GET", resource, path={"county_id": COUNTY}, claims=nobody).status == 403
        other = claims_of(counties=["lucas_oh"])
        assert call(handler, "GET", resource, path={"county_id": COUNTY}, claims=other).status == 403
