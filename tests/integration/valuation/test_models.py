"""Models as records: trained by the task, measured, listed, promoted; through the handlers and on PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from functions.valuation.handler import handler
from functions.valuation.service import artifacts
from functions.valuation.tasks.training import handler as task
from shared import storage
from shared.access import Role
from shared.appraisal.avm.artifact import ArtifactError
from shared.appraisal.avm.model import TrainedModel
from shared.db import unit_of_work
from shared.db.models import AuditEvent, PropertyOperational, Sale, ValuationChampion, ValuationModel
from shared.jobs import RunningJob
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, NO_EVIDENCE, SYNTHETIC, add_county
from tests.integration.valuation.models import MODELS, ON, another, asked, model, promoted, trained
from tests.job_cloud import run_task


@pytest.fixture(autouse=True)
def county(model_id: str) -> None:
    """The county with its trained model."""


def artifact(model_id: str) -> bytes:
    with unit_of_work(COUNTY) as connection:
        key = connection.scalar(select(ValuationModel.artifact_key).where(ValuationModel.model_id == model_id))
    return storage.get(str(key))


def listed(**options: Any) -> Answer:
    return call(handler, "GET", MODELS, path={"county_id": COUNTY}, **options)


def test_a_trained_model_has_its_training_data_and_its_accuracy(model_id: str) -> None:
    body = model(model_id).body
    assert (body["status"], body["standing"], body["kind"]) == ("succeeded", "challenger", "valuation_model")
    assert body["progress"]["done"] == body["progress"]["total"]
    known = body["model"]
    training = known["training"]
    before = SYNTHETIC.sales.sale_day < date.fromisoformat(ON).toordinal()
    excluded = training["sales_excluded"]
    assert {code: excluded[code] for code in NO_EVIDENCE} == dict.fromkeys(NO_EVIDENCE, 1)
    assert excluded["on_or_after_valuation_date"] == int((~before).sum())
    assert training["sales_used"] == int(before.sum())
    assert training["last_sale_date"] < ON
    assert {"numpy", "scipy"} < set(training["library_versions"])
    assert set(known["statistics"]) == {"median", "mean", "weighted_mean", "cod", "cov", "prd", "prb", "mki", "vei"}
    assert 0.5 < known["coverage"] <= 1
    assert known["meets_standard"] == (known["findings"] == [])
    assert known["artifact"]["sha256"] == artifacts.digest(artifact(model_id))


def test_the_hold_out_is_studied_overall_by_stratum_and_by_component(model_id: str) -> None:
    results = model(model_id, "/results").body
    overall = results["overall"]
    assert overall["sales"] == sum(fold["tested"] for fold in results["folds"])
    assert all(fold["valued_as_of"] <= fold["tested_to"] < ON for fold in results["folds"])
    for name in ("neighborhood", "property_class", "price_decile", "sale_quarter"):
        strata = [stratum for stratum in results["strata"] if stratum["stratum"] == name]
        assert sum(stratum["sales"] for stratum in strata) == overall["sales"], name
        assert all((stratum["accuracy"] is None) == (stratum["sales"] < 20) for stratum in strata), name
    (of_class,) = [s for s in results["strata"] if s["stratum"] == "property_class"]
    assert of_class["accuracy"]["statistics"] == overall["statistics"]
    assert sum(component["weight"] for component in results["components"]) == pytest.approx(1, abs=1e-4)
    for statistic in overall["statistics"].values():
        assert statistic["low"] <= statistic["value"] <= statistic["high"]


def test_training_that_was_cut_short_and_ran_again_makes_the_same_model_of_the_same_data(model_id: str) -> None:
    second = asked().body["id"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "put", cut_short)
        with pytest.raises(OSError, match="line broke"):
            run_task(task, COUNTY, "valuation_model", second)
    assert (model(second).body["status"], model(second).body["model"]) == ("running", None)

    run_task(task, COUNTY, "valuation_model", second)
    run_task(task, COUNTY, "valuation_model", second)

    assert artifact(second) == artifact(model_id)
    body, other = (model(each, "/results").body for each in (model_id, second))
    assert body | {"model_id": ""} == other | {"model_id": ""}
    with unit_of_work(COUNTY) as connection:
        events = connection.scalars(select(AuditEvent.subject)).all()
    assert events == [f"valuation-models/{each}" for each in (model_id, second)]


def cut_short(*_: Any) -> None:
    raise OSError("the line broke")


def test_a_model_of_named_classes_learns_from_their_sales_only(model_id: str) -> None:
    for last, name in ((7, "condominium"), (8, "commercial")):
        with unit_of_work(COUNTY) as connection:
            of_class = PropertyOperational.property_id.like(f"P%{last}")
            connection.execute(
                update(PropertyOperational).where(of_class).values(property_class=name, valid_from=func.now())
            )
    request = ["condominium", "residential"]
    of_two = trained({"valuation_date": ON, "property_classes": request})
    known = model(of_two).body["model"]
    before = SYNTHETIC.sales.sale_day < date.fromisoformat(ON).toordinal()
    assert known["property_classes"] == request
    assert known["training"]["sales_excluded"]["other_property_class"] == int(before[8::10].sum())
    assert known["training"]["data_version"] != model(model_id).body["model"]["training"]["data_version"]
    held = [s for s in model(of_two, "/results").body["strata"] if s["stratum"] == "property_class"]
    assert {stratum["value"] for stratum in held} == set(request)


def test_the_first_promotion_makes_a_champion_and_the_next_one_retires_it(model_id: str) -> None:
    first, second = model_id, another(model_id)
    answer = promoted(first, claims=claims_of(Role.ASSESSOR, username="ada"))
    assert answer.status == 200, answer.body
    (held,) = answer.body["champion_of"]
    assert (answer.body["standing"], held["property_class"], held["valuation_date"]) == ("champion", None, ON)
    assert (held["promoted_by"], held["override_reason"]) == ("ada", "for the test")

    promoted(second)

    standings = {item["id"]: item["standing"] for item in listed().body["items"]}
    assert standings == {first: "retired", second: "champion"}
    promoted(first)
    assert (model(first).body["standing"], model(second).body["standing"]) == ("champion", "retired")


def test_promoting_a_champion_again_changes_nothing(model_id: str) -> None:
    once = promoted(model_id).body
    again = promoted(model_id, "another reason").body
    assert once == again
    with unit_of_work(COUNTY) as connection:
        actions = connection.scalars(select(AuditEvent.action).order_by(AuditEvent.event_id)).all()
    assert actions == ["valuation_model.trained", "valuation_model.promoted"]


def test_a_champion_of_another_class_or_day_keeps_its_place(model_id: str) -> None:
    houses = another(model_id, property_classes=["residential"])
    earlier = another(model_id, valuation_date=date(2023, 4, 1))
    for each in (model_id, houses, earlier):
        promoted(each)
    assert {item["standing"] for item in listed().body["items"]} == {"champion"}


def test_a_model_below_the_standard_is_promoted_with_a_reason_only(model_id: str) -> None:
    with unit_of_work(COUNTY) as connection:
        details = connection.scalar(select(ValuationModel.details).where(ValuationModel.model_id == model_id)) or {}
        finding = "The PRD of 1.200 does not meet the standard."
        below = {**details, "meets_standard": False, "findings": [finding]}
        connection.execute(update(ValuationModel).values(details=below))

    refused = promoted(model_id, None)

    assert (refused.status, refused.body["type"]) == (409, "urn:terrafusion:problem:hold-out-below-standard")
    assert finding in refused.body["detail"]
    assert model(model_id).body["standing"] == "challenger"
    assert promoted(model_id, "no better one before the roll closes").body["standing"] == "champion"


def test_a_model_that_is_not_trained_is_not_promoted() -> None:
    pending = asked().body["id"]
    answer = promoted(pending)
    assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:model-not-trained")
    with unit_of_work(COUNTY) as connection:
        connection.execute(delete(Sale))
    run_task(task, COUNTY, "valuation_model", pending)
    failed = model(pending).body
    assert (failed["status"], failed["error"]["type"], failed["standing"]) == ("failed", "too-few-sales", None)
    assert "there are 0" in failed["error"]["detail"]
    assert promoted(pending).status == 409
    assert model(pending, "/results").status == 409


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"valuation_date": "soon"}, "/body/valuation_date"),
        ({}, "/body/valuation_date"),
        ({"valuation_date": ON, "property_classes": []}, "/body/property_classes"),
        ({"valuation_date": ON, "property_classes": ["a", "a"]}, "/body"),
        ({"valuation_date": ON, "seed": -1}, "/body/seed"),
        ({"valuation_date": ON, "method": "magic"}, "/body/method"),
        ({"valuation_date": str(datetime.now(UTC).date() + timedelta(days=400))}, "/body/valuation_date"),
    ],
)
def test_a_training_that_is_not_possible_is_refused_with_its_pointer(body: dict[str, Any], pointer: str) -> None:
    answer = asked(body)
    assert answer.status == 422
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_a_county_that_codes_no_sale_as_valid_is_answered_with_the_codes_of_its_sales() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(Sale).values(validity_code="unverified"))
    model_id = asked().body["id"]
    run_task(task, COUNTY, "valuation_model", model_id)
    assert "there are 0 (left out: 504 unverified)" in model(model_id).body["error"]["detail"]


@pytest.mark.parametrize("on", ["2021-06-01", "2022-01-20", "2025-06-01"])
def test_a_day_without_enough_sales_before_it_fails_the_training_with_the_reason(on: str) -> None:
    model_id = asked({"valuation_date": on}).body["id"]
    run_task(task, COUNTY, "valuation_model", model_id)
    failed = model(model_id).body
    assert (failed["status"], failed["model"]) == ("failed", None)
    assert failed["error"]["type"] in ("too-few-sales", "model-not-possible")


def test_models_are_paged_newest_first(model_id: str) -> None:
    ids = [model_id, *(asked(headers={"Idempotency-Key": str(number)}).body["id"] for number in range(2))]
    first = listed(query={"page_size": "2"}).body
    second = listed(query={"page_size": "2", "page_token": first["next_page_token"]}).body
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["next_page_token"] is None


def test_another_countys_model_is_not_found_and_another_county_forbidden(model_id: str) -> None:
    add_county("lucas_oh")
    theirs = claims_of(counties=("lucas_oh",))
    for part in ("", "/results"):
        assert model(model_id, part, "lucas_oh", claims=theirs).status == 404
        assert model(model_id, part, claims=theirs).status == 403
    assert promoted(model_id, county_id="lucas_oh", claims=theirs).status == 404
    assert promoted(model_id, claims=theirs).status == 403
    with unit_of_work("lucas_oh") as connection:
        assert connection.execute(select(ValuationModel.model_id)).all() == []
        assert connection.execute(select(ValuationChampion.model_id)).all() == []


def test_staff_train_assessors_promote_and_auditors_look(model_id: str) -> None:
    staff, auditor = claims_of(Role.VALUATION_STAFF), claims_of(Role.AUDITOR)
    assert (asked(claims=auditor).status, asked(claims=staff).status) == (403, 202)
    assert promoted(model_id, claims=staff).status == 403
    assert promoted(model_id, claims=claims_of(Role.ASSESSOR)).status == 200
    assert model(model_id, "/results", claims=auditor).status == 200


def test_each_part_of_a_training_is_announced_as_it_begins_however_short_the_one_before(
    model_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[int, int | None, str]] = []
    monkeypatch.setattr(RunningJob, "announce", lambda _self, *step: said.append(step))
    trained({"valuation_date": ON, "seed": 3})
    steps = [step.rpartition(": ")[2] for _, _, step in said]
    parts = ["regression and comparables", "trees", "network"]
    tests = [f"test {number} of 2, {part}" for number in (1, 2) for part in parts]
    assert steps[-3:] == ["measuring the hold-out", "keeping the model", "model kept"]
    assert [step for step in steps if step in parts or step in tests] == [*parts, *tests]
    done = [number for number, _, _ in said]
    assert done == sorted(done)


def test_an_artifact_that_is_damaged_or_foreign_is_no_model(model_id: str) -> None:
    body = artifact(model_id)
    for broken in (b"", b"PK\x03\x04", body[:-100], body[:200] + bytes(200) + body[400:]):
        with pytest.raises(ArtifactError):
            artifacts.unpack(broken, TrainedModel)
