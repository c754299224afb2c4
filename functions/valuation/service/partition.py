"""One partition of a run: its properties valued together, and their results written at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from uuid import UUID

import numpy as np
import orjson

from functions.valuation.domain.land import Land, LandShare, land_share
from functions.valuation.repository import results, runs
from functions.valuation.repository.runs import RunRecord
from functions.valuation.repository.settings import settings
from functions.valuation.schemas.runs import RunFlag, RunPartition, ValuationRunRequest
from functions.valuation.service import model_selection
from functions.valuation.service.artifacts import LoadedModel, load_model
from functions.valuation.service.by_model import CARRIED_BEYOND_USUAL, CARRIED_BY_TREND
from functions.valuation.service.response_mapping import LARGE_CHANGE, land_of_subject
from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.results import Comparables, Contributions, Valuations
from shared.counties.configuration import ValuationSettings
from shared.db import unit_of_work
from shared.evidence import Subject, describe, read_subjects
from shared.jobs import RunningJob
from shared.problems import NotFound

NO_MODEL = "no_model_for_class"
NOT_VALUED = "not_valued"
COMPARABLES_KEPT = 5
"""Choice: a grid of five comparables is what a page shows; a single value has them all."""

Row = Sequence[object]


def value_partition(job: RunningJob, number: int, partition: RunPartition) -> None:
    """Value the properties of a partition. Idempotent. Raises NotFound for a lost plan."""
    request = ValuationRunRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        run = runs.find(connection, job.county_id, job.job_id)
        if run is None:
            raise NotFound(f"{job.county_id} has no valuation run {job.job_id}.", slug="valuation-run-not-found")
        records = {
            entry.model_id: model_selection.planned_model(connection, job.county_id, entry.model_id)
            for entry in run.models
        }
        valuation_settings = settings(connection, job.county_id)
        where = f"{runs.partition_sql(partition)} AND {runs.filter_sql(request.filter)}"
        subjects = read_subjects(connection, job.county_id, where)
    rows: list[Row] = []
    for model_id, members in _subjects_by_model(run, subjects).items():
        if model_id is None:
            rows += [_unvalued_row(subject, None, NO_MODEL) for subject in members]
            continue
        model = load_model(job.county_id, records[model_id], TrainedModel)
        rows += _valued_rows(model, model_id, members, run, valuation_settings)
    with unit_of_work(job.county_id) as connection:
        results.replace(connection, job.county_id, job.job_id, number, rows)


def _subjects_by_model(run: RunRecord, subjects: Sequence[Subject]) -> dict[UUID | None, list[Subject]]:
    by_model: dict[UUID | None, list[Subject]] = {}
    for subject in subjects:
        by_model.setdefault(run.model_of(subject.property_class), []).append(subject)
    return by_model


def _valued_rows(
    loaded: LoadedModel[TrainedModel],
    model_id: UUID,
    subjects: list[Subject],
    run: RunRecord,
    valuation_settings: ValuationSettings,
) -> Iterator[Row]:
    """The rows (`results.COLUMNS`) of subjects that one model values."""
    described = describe(subjects, loaded.kinds)
    valuations = loaded.model.value(described, run.valuation_date.toordinal())
    predictions = valuations.predictions
    valued = np.isfinite(predictions.estimate)
    estimate, low, high = (_cents(column) for column in (predictions.estimate, predictions.low, predictions.high))
    refusals, flags = _refusals(valuations), _flags(valuations, len(subjects))
    contributions = _contributions(valuations.contributions, estimate)
    comparables = _comparables(valuations.comparables, loaded.sale_ids)
    by_contribution = loaded.land_contributions(described, run.valuation_date.toordinal())
    carried = run.valuation_date.toordinal() - loaded.model.valuation_day
    common: list[RunFlag] = [CARRIED_BY_TREND] * (carried != 0)
    common += [CARRIED_BEYOND_USUAL] * (carried > ValuationSettings().carry_days)
    for index, subject in enumerate(subjects):
        if not valued[index]:
            yield _unvalued_row(subject, model_id, refusals.get(index, NOT_VALUED))
            continue
        value = _dollars(estimate[index])
        land = land_of_subject(subject, float(described.land_area_sqft[index]), float(by_contribution[index]))
        land_value = _land_value(loaded, land, value)
        confidence = float(predictions.confidence[index])
        yield (
            *_subject_columns(subject, model_id),
            value,
            _dollars(low[index]),
            _dollars(high[index]),
            land_value,
            None if land_value is None else value - land_value,
            round(confidence, 4),
            confidence < float(valuation_settings.review_below_confidence),
            orjson.dumps([*flags[index], *common, *_change_flags(subject, value, valuation_settings)]).decode(),
            None,
            orjson.dumps(contributions[index]).decode(),
            orjson.dumps(comparables[index]).decode(),
        )


def _refusals(valuations: Valuations) -> dict[int, str]:
    """Reasons for no value, by position."""
    return {int(index): code for code, mask in valuations.refused.items() for index in np.flatnonzero(mask)}


def _flags(valuations: Valuations, size: int) -> list[list[RunFlag]]:
    flags: list[list[RunFlag]] = [[] for _ in range(size)]
    for code, mask in valuations.flags.items():
        for index in np.flatnonzero(mask):
            flags[index].append(code)
    return flags


def _change_flags(subject: Subject, value: Decimal, valuation_settings: ValuationSettings) -> list[RunFlag]:
    if subject.total_value is None or abs(value / subject.total_value - 1) <= valuation_settings.flag_change_above:
        return []
    return [LARGE_CHANGE]


def _contributions(contributions: Contributions, estimate: IntArray) -> list[dict[str, float]]:
    """Dollars to the cent, the base first; what rounding leaves goes to the largest, so that they add up."""
    base = round(100 * contributions.base)
    cents = _cents(contributions.dollars)
    largest = np.abs(cents).argmax(axis=1)
    rows = np.arange(len(cents))
    cents[rows, largest] += estimate - base - cents.sum(axis=1)
    names = ("base", *contributions.names)
    return [dict(zip(names, [base / 100, *row], strict=True)) for row in (cents / 100).tolist()]


def _comparables(comparables: Comparables, sale_ids: Sequence[str]) -> list[list[dict[str, str | float]]]:
    """The sales of most weight, with their adjusted prices."""
    columns = zip(
        comparables.rows[:, :COMPARABLES_KEPT].tolist(),
        np.round(comparables.adjusted_price[:, :COMPARABLES_KEPT], 2).tolist(),
        np.round(comparables.weight[:, :COMPARABLES_KEPT], 4).tolist(),
        strict=True,
    )
    return [
        [
            {"sale_id": sale_ids[row], "adjusted_price": price, "weight": weight}
            for row, price, weight in zip(rows, prices, weights, strict=True)
            if row >= 0
        ]
        for rows, prices, weights in columns
    ]


def _land_value(loaded: LoadedModel[TrainedModel], land: Land, value: Decimal) -> Decimal | None:
    share = land_share(land, loaded.land_shares)
    return share.of(value) if isinstance(share, LandShare) else None


def _unvalued_row(subject: Subject, model_id: UUID | None, reason: str) -> Row:
    return (*_subject_columns(subject, model_id), *[None] * 6, False, "[]", reason, None, None)


def _subject_columns(subject: Subject, model_id: UUID | None) -> Row:
    return (
        subject.property_id,
        subject.property_class or None,
        subject.neighborhood or None,
        model_id,
        subject.total_value,
    )


def _cents(dollars: FloatArray) -> IntArray:
    """Whole cents; 0 where there is no value."""
    return np.rint(100.0 * np.where(np.isfinite(dollars), dollars, 0.0)).astype(np.int64)


def _dollars(cents: np.int64) -> Decimal:
    return Decimal(int(cents)).scaleb(-2)
