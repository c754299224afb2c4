"""Training of a model on a county's sales: its artifact, its accuracy and its record."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from itertools import count

import numpy as np

from functions.valuation.domain import accuracy
from functions.valuation.domain.land import LandShares
from functions.valuation.repository import land, models
from functions.valuation.repository.settings import settings
from functions.valuation.schemas.models import ValuationModelRequest
from functions.valuation.service import artifacts
from functions.valuation.service.artifacts import LoadedModel
from shared import audit, storage
from shared.appraisal.arrays import IntArray
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.training import STAGES, train
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.land_contribution import LandContribution, fit_land_contribution
from shared.contracts.valuation_model import (
    Accuracy,
    Artifact,
    HoldOutFold,
    ModelSummary,
    Training,
    ValuationModelResults,
)
from shared.db import unit_of_work
from shared.evidence import Evidence, evidence_version, excluded_sales, read_evidence
from shared.jobs import RunningJob
from shared.problems import Unprocessable

LIBRARIES = ("numpy", "scipy", "xgboost-cpu", "xgboost")
"""Libraries that a model's numbers depend on; the last two are one library, by the platform's name of it."""
_STEPS = 3 + STAGES


@dataclass(frozen=True)
class _TrainingData:
    """The evidence of a training; `rows` are the positions of the sales of its classes."""

    evidence: Evidence
    rows: IntArray
    excluded: dict[str, int]
    data_version: str
    land_shares: LandShares


def train_model(job: RunningJob) -> ValuationModelResults:
    """Train the model that a job asks for, and store it. Idempotent: the same data give the same model.

    Raises Unprocessable where the county's sales are too few, or none fits the day.
    """
    request = ValuationModelRequest.model_validate(job.parameters)
    job.progress(0, _STEPS, "reading sales")
    data = _read_training_data(job.county_id, request)
    evidence = _training_evidence(data, request)
    stage_numbers = count(1)
    try:
        model = train(
            evidence.sales,
            request.valuation_date.toordinal(),
            seed=request.seed,
            stage=lambda part: job.announce(next(stage_numbers), _STEPS, f"{len(evidence):,} sales: {part}"),
        )
        job.announce(_STEPS - 2, _STEPS, "measuring the hold-out")
        overall = accuracy.overall(model, evidence)
    except AppraisalInputError as error:
        raise Unprocessable(f"No model can be trained: {error.problem}.", slug="model-not-possible") from error
    strata, components = accuracy.by_stratum(model, evidence), accuracy.by_component(model)
    job.announce(_STEPS - 1, _STEPS, "keeping the model")
    loaded = LoadedModel(model, tuple(evidence.sale_ids), evidence.kinds, data.land_shares, _land_of(model))
    summary = _save(job, request, loaded, _training_record(data, evidence, model), overall)
    job.progress(_STEPS, _STEPS, "model kept")
    return ValuationModelResults(
        model_id=job.job_id,
        model=summary,
        protocol=model.holdout.protocol,
        folds=tuple(
            HoldOutFold(
                valued_as_of=date.fromordinal(fold.valuation_day),
                tested_to=date.fromordinal(fold.tested_to),
                trained_on=fold.trained_on,
                tested=fold.tested,
            )
            for fold in model.holdout.folds
        ),
        overall=overall,
        strata=strata,
        components=components,
    )


def _land_of(model: TrainedModel) -> LandContribution | None:
    """The land's contribution to the prices that the model was fitted to."""
    return fit_land_contribution(model.hedonic, model.ensemble.comparables.sales)


def _read_training_data(county_id: str, request: ValuationModelRequest) -> _TrainingData:
    with unit_of_work(county_id) as connection:
        data_version = evidence_version(connection, county_id)
        minimum = settings(connection, county_id).minimum_sales
        excluded = excluded_sales(connection, county_id, request.valuation_date)
        shares = land.land_shares(connection, county_id)
        evidence = read_evidence(connection, county_id, request.valuation_date)
    of_class = np.ones(len(evidence), dtype=np.bool_)
    if request.property_classes is not None:
        of_class = np.isin(evidence.property_class, request.property_classes)
    rows = np.flatnonzero(of_class).astype(np.int64)
    if other_classes := len(evidence) - int(rows.size):
        excluded["other_property_class"] = other_classes
    if rows.size < minimum:
        left_out = ", ".join(f"{count} {reason}" for reason, count in excluded.items())
        raise Unprocessable(
            f"No model can be trained: the county asks for {minimum} valid sales before the valuation date,"
            f" and there are {rows.size}{f' (left out: {left_out})' if left_out else ''}.",
            slug="too-few-sales",
        )
    return _TrainingData(evidence, rows, excluded, data_version, shares)


def _training_evidence(data: _TrainingData, request: ValuationModelRequest) -> Evidence:
    """The sales to train on; those of several classes have the class among their characteristics."""
    evidence = data.evidence if request.property_classes is None else data.evidence.take(data.rows)
    return evidence.with_property_class() if np.unique(evidence.property_class).size > 1 else evidence


def _training_record(data: _TrainingData, evidence: Evidence, model: TrainedModel) -> Training:
    used = evidence.sales.sale_day[model.rows]
    excluded = {**data.excluded}
    for reason, rows in model.excluded.items():
        if rows.size:
            excluded[reason] = excluded.get(reason, 0) + int(rows.size)
    return Training(
        first_sale_date=date.fromordinal(int(used.min())),
        last_sale_date=date.fromordinal(int(used.max())),
        sales_used=int(model.rows.size),
        sales_excluded=excluded,
        features=tuple(model.features),
        weights={name: round(float(weight), 6) for name, weight in model.weights.items()},
        data_version=data.data_version,
        library_versions=_library_versions(),
    )


def _library_versions() -> dict[str, str]:
    versions = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def _save(
    job: RunningJob,
    request: ValuationModelRequest,
    loaded: LoadedModel[TrainedModel],
    training: Training,
    overall: Accuracy,
) -> ModelSummary:
    body = artifacts.pack(loaded)
    key = job.key("model.zip")
    storage.put(key, body, artifacts.CONTENT_TYPE)
    findings = tuple(verdict.sentence for verdict in overall.verdicts if verdict.result == accuracy.FAILED)
    summary = ModelSummary(
        method=loaded.model.name,
        valuation_date=request.valuation_date,
        property_classes=request.property_classes,
        seed=request.seed,
        training=training,
        hold_out_sales=overall.sales,
        statistics=overall.statistics,
        mape=overall.mape,
        coverage=overall.coverage,
        meets_standard=not findings,
        findings=findings,
        artifact=Artifact(sha256=artifacts.digest(body), size_bytes=len(body)),
    )
    with unit_of_work(job.county_id) as connection:
        job.commit(connection)
        if not models.add(connection, job.county_id, job.job_id, summary, artifact_key=key, by=job.submitted_by):
            return summary
        audit.record(
            connection,
            job.county_id,
            job.submitted_by,
            "valuation_model.trained",
            f"valuation-models/{job.job_id}",
            {"valuation_date": str(request.valuation_date), "sha256": summary.artifact.sha256},
        )
    return summary
