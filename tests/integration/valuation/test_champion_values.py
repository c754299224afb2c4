"""Single values by a champion or by a model that is named, through the handler."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from functions.valuation.handler import handler
from functions.valuation.service import artifacts
from shared import storage
from shared.db import unit_of_work
from shared.db.models import County, PropertyOperational
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import (
    COUNTY,
    LAND_SHARE,
    SYNTHETIC,
    add_county,
    add_evidence,
    add_parcel,
    add_sale,
)
from tests.integration.valuation.models import ON, REVIEW_BELOW, another, promoted
from tests.integration.valuation.runs import finished, results

ALL = "/v1/counties/{county_id}/valuations"


def value(property_id: str = "P0042", on: str = ON, model_id: str | None = None, **options: Any) -> Answer:
    body = {"property_id": property_id, "valuation_date": on} | ({"model_id": model_id} if model_id else {})
    return call(handler, "POST", ALL, path={"county_id": COUNTY}, body=body, **options)


def codes(answer: Answer) -> set[str]:
    return {flag["code"] for flag in answer.body["flags"]}


def test_a_value_by_the_champion_is_explained_in_full(champion: str) -> None:
    answer = value()
    assert answer.status == 201, answer.body
    body = answer.body
    assert body["model"] == {"model_id": champion, "valuation_date": ON, "champion": True}
    assert float(body["estimate"]) == pytest.approx(float(SYNTHETIC.truth[42]), rel=0.35)
    assert Decimal(body["interval"]["low"]) < Decimal(body["estimate"]) < Decimal(body["interval"]["high"])
    contributions = body["contributions"]
    amounts = [Decimal(each["amount"]) for each in contributions["features"]]
    assert Decimal(contributions["base"]) + sum(amounts) == Decimal(body["estimate"])
    assert body["components"].keys() == body["component_weights"].keys()
    assert all(weight > 0 for weight in body["component_weights"].values())
    assert sum(body["component_weights"].values()) == pytest.approx(1)
    for comparable in body["comparables"]:
        steps = [Decimal(step["amount"]) for step in comparable["adjustments"]]
        assert Decimal(comparable["sale_price"]) + sum(steps) == Decimal(comparable["adjusted_price"])
        assert comparable["sale_date"] < ON
        assert comparable["address"].endswith(",\nRear")
        assert comparable["sale_id"][1:] == comparable["property_id"][1:]
    assert body["review"] == (body["confidence"] < REVIEW_BELOW)
    assert body["current"]["change_percent"] == pytest.approx(
        100 * (float(body["estimate"]) / float(body["current"]["total_value"]) - 1), abs=0.01
    )
    read = call(
        handler, "GET", ALL + "/{valuation_id}", path={"county_id": COUNTY, "valuation_id": body["valuation_id"]}
    )
    assert read.body == body


def test_the_answer_is_that_of_the_run(champion: str) -> None:
    (row,) = results(finished({"filter": {"property_ids": ["P0042"]}}))
    body = value().body
    assert (row["estimate"], row["low"], row["high"]) == (
        body["estimate"],
        body["interval"]["low"],
        body["interval"]["high"],
    )
    assert row["confidence"] == pytest.approx(body["confidence"], abs=1e-3)
    assert [each["sale_id"] for each in row["comparables"]] == [
        each["sale_id"] for each in body["comparables"][: len(row["comparables"])]
    ]


def test_later_sales_do_not_change_a_models_value(champion: str) -> None:
    first = value().body["estimate"]
    add_sale(sale_id="NEW", property_id="P0042", sale_date=date(2023, 9, 1), sale_price=Decimal(2_000_000))
    assert value().body["estimate"] == first


def test_the_champion_of_the_class_goes_before_that_of_every_class(champion: str) -> None:
    every = champion
    houses = another(champion, property_classes=["residential"])
    promoted(houses)
    add_parcel(property_id="SHOP", property_class="commercial")
    assert value().body["model"]["model_id"] == houses
    assert value("SHOP").body["model"]["model_id"] == every
    assert value(model_id=every).body["model"]["model_id"] == every
    wrong = value("SHOP", model_id=houses)
    assert (wrong.status, wrong.body["type"]) == (422, "urn:terrafusion:problem:model-of-other-classes")


def test_a_challenger_values_only_when_it_is_named(model_id: str) -> None:
    alone = value().body
    assert "no_champion" in {flag["code"] for flag in alone["flags"]}
    assert (alone["method"], alone["model"]) == ("comparable_sales", None)
    assert Decimal(alone["contributions"]["base"]) + sum(
        Decimal(each["amount"]) for each in alone["contributions"]["features"]
    ) == Decimal(alone["estimate"])
    named = value(model_id=model_id).body
    assert named["model"] == {"model_id": model_id, "valuation_date": ON, "champion": False}


def test_a_later_day_is_carried_by_the_trend_and_one_too_late_is_not(champion: str) -> None:
    now, later = value().body, value(on="2024-01-01")
    assert float(later.body["estimate"]) == pytest.approx(float(now["estimate"]) * 1.06**0.25, rel=0.03)
    assert "carried_by_trend" in codes(later)
    assert later.body["model"]["model_id"] == champion
    by_sales = value(on="2024-06-30")
    assert by_sales.body["model"] is None
    (flag,) = (flag for flag in by_sales.body["flags"] if flag["code"] == "no_champion_of_day")
    assert all(day in flag["text"] for day in (ON, "2024-04-01", "2024-06-30", "comparable sales alone"))
    named = value(on="2024-06-30", model_id=champion)
    assert (named.status, named.body["type"]) == (422, "urn:terrafusion:problem:valuation-date-not-covered")


def test_a_county_may_let_a_model_value_later_days_with_wider_intervals_and_its_age(champion: str) -> None:
    now, late = value().body, "2024-06-30"
    day = SYNTHETIC.sales.sale_day
    last = date.fromordinal(int(day[day < date.fromisoformat(ON).toordinal()].max()))
    assert now["age_days"] == (date.fromisoformat(ON) - last).days
    assert value(on=late).body["model"] is None
    set_valuation(carry_days=300)
    carried = value(on=late).body
    assert carried["model"]["model_id"] == champion
    assert carried["age_days"] == (date.fromisoformat(late) - last).days
    flags = {flag["code"]: flag["text"] for flag in carried["flags"]}
    assert f"{carried['age_days']} days after the last sale" in flags["carried_by_trend"]
    assert "wider" in flags["carried_by_trend"]
    assert "beyond the usual 183" in flags["carried_beyond_usual"]
    widths = [float(item["interval"]["high"]) / float(item["interval"]["low"]) for item in (now, carried)]
    assert widths[1] > widths[0]
    (row,) = results(finished({"filter": {"property_ids": ["P0042"]}, "valuation_date": late}))
    assert (row["estimate"], "carried_beyond_usual" in row["flags"]) == (carried["estimate"], True)
    set_valuation(carry_days=30)
    assert value(on="2023-12-01").body["model"] is None
    set_valuation(carry_days=366)
    too_late = value(on="2025-01-15", model_id=champion)
    assert (too_late.status, too_late.body["type"]) == (422, "urn:terrafusion:problem:valuation-date-not-covered")


def test_an_earlier_day_is_not_valued_by_a_model_that_knows_later_sales(champion: str) -> None:
    assert value(on="2023-09-01").body["model"] is None
    assert "no_champion_of_day" in codes(value(on="2023-09-01"))
    named = value(on="2023-09-01", model_id=champion)
    assert (named.status, named.body["type"]) == (422, "urn:terrafusion:problem:valuation-date-before-model")
    assert named.body["errors"][0]["pointer"] == "/body/valuation_date"


def test_land_and_improvements_are_divided_by_the_property_or_its_class(champion: str) -> None:
    set_land("P0042", 0.25)
    own = value("P0042").body
    assert own["land"]["method"] == "own_land_share"
    assert own["land"]["land_share"] == pytest.approx(0.25, abs=1e-3)
    assert Decimal(own["land"]["land_value"]) + Decimal(own["land"]["improvement_value"]) == Decimal(own["estimate"])
    other = value("P0043").body["land"]
    assert other["method"] in ("neighborhood_land_share", "class_land_share")
    assert other["land_share"] == pytest.approx(LAND_SHARE, abs=1e-3)


def test_where_the_roll_has_no_land_values_the_sales_divide_and_without_a_land_area_nothing_does(champion: str) -> None:
    add_parcel(property_id="BARE", land_area_sqft=None)
    add_parcel(property_id="SHOP", property_class="commercial")
    shop = value("SHOP").body["land"]
    assert shop["method"] == "land_contribution"
    assert 0 < shop["land_share"] < 1
    bare = value("BARE")
    assert bare.body["land"] is None
    assert "no_land_split" in codes(bare)


def set_valuation(**settings: Any) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(County).values(configuration={"plugin_settings": {"valuation": settings}}))


def set_land(property_id: str, share: float) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            update(PropertyOperational)
            .where(PropertyOperational.property_id == property_id)
            .values(total_value=Decimal(400_000), land_value=Decimal(round(400_000 * share)))
        )


def test_the_county_says_which_values_are_reviewed_and_which_changes_are_large(champion: str) -> None:
    confidence = value().body["confidence"]
    settings = {"review_below_confidence": str(min(confidence + 0.01, 1)), "flag_change_above": "0.0001"}
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(County).values(configuration={"plugin_settings": {"valuation": settings}}))
    strict = value()
    assert strict.body["review"] is True
    assert "large_change" in codes(strict)


def test_a_property_that_cannot_be_valued_is_refused_with_the_reason(champion: str) -> None:
    add_parcel(property_id="LAND", living_area_sqft=None)
    add_parcel(property_id="LOST", longitude=None, latitude=None, neighborhood=None)
    for property_id in ("LAND", "LOST"):
        answer = value(property_id)
        assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:property-not-comparable")
        assert answer.body["errors"][0]["pointer"] == "/body/property_id"


def test_a_model_whose_artifact_has_another_digest_is_not_used(champion: str) -> None:
    storage.put(storage.county_key(COUNTY, "jobs", champion, "model.zip"), b"something else")
    artifacts.clear_cache()
    answer = value()
    assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:model-artifact-damaged")


def test_another_countys_model_is_none_of_ours(champion: str) -> None:
    add_county("lucas_oh")
    add_evidence("lucas_oh")
    body = {"property_id": "P0042", "valuation_date": ON}
    theirs = {"path": {"county_id": "lucas_oh"}, "claims": claims_of(counties=("lucas_oh",))}
    assert call(handler, "POST", ALL, body=body, **theirs).body["model"] is None
    named = call(handler, "POST", ALL, body={**body, "model_id": champion}, **theirs)
    assert (named.status, named.body["type"]) == (422, "urn:terrafusion:problem:model-not-trained")
