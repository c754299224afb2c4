"""One partition of a run: its properties valued together, and what is said of each written at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from uuid import UUID

import numpy as np
import orjson

from functions.valuation.repository import results, runs
from functions.valuation.repository.runs import RunRecord
from functions.valuation.repository.settings import settings
from functions.valuation.schemas.runs import RunFlag, RunPartition, ValuationRunRequest
from functions.valuation.service import model_selection
from functions.valuation.service.artifacts import LoadedModel, loaded
from functions.valuation.service.by_model import CARRIED_BY_TREND, CARRIED_FAR
from functions.valuation.service.land import Land, LandShare, land_of, land_share
from functions.valuation.service.response_mapping import LARGE_CHANGE
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

Row = Sequence[object]


def value_partition(job: RunningJob, number: int, partition: RunPartition) -> None:
    """Value the properties of a partition. Run again, it leaves the same rows. Raises NotFound for a lost plan."""
    request = ValuationRunRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        run = runs.find(connection, job.county_id, job.job_id)
        if run is None:
            raise NotFound(f"{job.county_id} has no valuation run {job.job_id}.", slug="valuation-run-not-found")
        records = {
            entry.model_id: model_selection.record_of(connection, job.county_id, entry.model_id) for entry in run.models
        }
        wanted = settings(connection, job.county_id)
        where = f"{runs.between(partition)} AND {runs.condition(request.filter)}"
        subjects = read_subjects(connection, job.county_id, where)
    rows: list[Row] = []
    for model_id, members in _by_model(run, subjects).items():
        if model_id is None:
            rows += [_refused(subject, None, NO_MODEL) for subject in members]
            continue
        model = loaded(job.county_id, records[model_id], TrainedModel)
        rows += _valued(model, model_id, members, run, wanted)
    with unit_of_work(job.county_id) as connection:
        results.replace(connection, job.county_id, job.job_id, number, rows)


def _by_model(run: RunRecord, subjects: Sequence[Subject]) -> dict[UUID | None, list[Subject]]:
    found: dict[UUID | None, list[Subject]] = {}
    for subject in subjects:
        found.setdefault(run.model_of(subject.property_class), []).append(subject)
    return found


def _valued(
    known: LoadedModel[TrainedModel], model_id: UUID, subjects: list[Subject], run: RunRecord, wanted: ValuationSettings
) -> Iterator[Row]:
    """The rows (`results.COLUMNS`) of subjects that one model values."""
    described = describe(subjects, known.kinds)
    said = known.model.value(described, run.valuation_date.toordinal())
    found = said.predictions
    valued = np.isfinite(found.estimate)
    estimate, low, high = (_cents(column) for column in (found.estimate, found.low, found.high))
    refusals, flags = _refusals(said), _flags(said, len(subjects))
    contributions = _contributions(said.contributions, estimate)
    comparables = _comparables(said.comparables, known.sale_ids)
    by_contribution = known.land_contributions(described, run.valuation_date.toordinal())
    carried = run.valuation_date.toordinal() - known.model.valuation_day
    common: list[RunFlag] = [CARRIED_BY_TREND] * (carried != 0)
    common += [CARRIED_FAR] * (carried > ValuationSettings().carry_days)
    for place, subject in enumerate(subjects):
        if not valued[place]:
            yield _refused(subject, model_id, refusals.get(place, NOT_VALUED))
            continue
        value = _dollars(estimate[place])
        land = land_of(subject, float(described.land_area_sqft[place]), float(by_contribution[place]))
        land_value = _land_value(known, land, value)
        confidence = float(found.confidence[place])
        yield (
            *_of(subject, model_id),
            value,
            _dollars(low[place]),
            _dollars(high[place]),
            land_value,
            None if land_value is None else value - land_value,
            round(confidence, 4),
            confidence < float(wanted.review_below_confidence),
            orjson.dumps([*flags[place], *common, *_change_flag(subject, value, wanted)]).decode(),
            None,
            orjson.dumps(contributions[place]).decode(),
            orjson.dumps(comparables[place]).decode(),
        )


def _refusals(said: Valuations) -> dict[int, str]:
    """Why there is no value, by place."""
    return {int(place): code for code, mask in said.refused.items() for place in np.flatnonzero(mask)}


def _flags(said: Valuations, size: int) -> list[list[RunFlag]]:
    found: list[list[RunFlag]] = [[] for _ in range(size)]
    for code, mask in said.flags.items():
        for place in np.flatnonzero(mask):
            found[place].append(code)
    return found


def _change_flag(subject: Subject, value: Decimal, wanted: ValuationSettings) -> list[RunFlag]:
    if subject.total_value is None or abs(value / subject.total_value - 1) <= wanted.flag_change_above:
        return []
    return [LARGE_CHANGE]


def _contributions(said: Contributions, estimate: IntArray) -> list[dict[str, float]]:
    """Dollars to the cent, the base first; what rounding leaves goes to the largest, so that they add up."""
    base = round(100 * said.base)
    cents = _cents(said.dollars)
    largest = np.abs(cents).argmax(axis=1)
    rows = np.arange(len(cents))
    cents[rows, largest] += estimate - base - cents.sum(axis=1)
    names = ("base", *said.names)
    return [dict(zip(names, [base / 100, *row], strict=True)) for row in (cents / 100).tolist()]


def _comparables(said: Comparables, sale_ids: Sequence[str]) -> list[list[dict[str, str | float]]]:
    """The sales of most weight, with their adjusted prices."""
    columns = zip(
        said.rows[:, :COMPARABLES_KEPT].tolist(),
        np.round(said.adjusted_price[:, :COMPARABLES_KEPT], 2).tolist(),
        np.round(said.weight[:, :COMPARABLES_KEPT], 4).tolist(),
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


def _land_value(known: LoadedModel[TrainedModel], land: Land, value: Decimal) -> Decimal | None:
    share = land_share(land, known.land_shares)
    return share.of(value) if isinstance(share, LandShare) else None


def _refused(subject: Subject, model_id: UUID | None, reason: str) -> Row:
    return (*_of(subject, model_id), *[None] * 6, False, "[]", reason, None, None)


def _of(subject: Subject, model_id: UUID | None) -> Row:
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
