"""Models fitted in this process, kept while the county's data stays as it is."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import Connection

from functions.valuation.repository import land
from functions.valuation.service.land import LandShares
from shared.appraisal.arrays import IntArray
from shared.appraisal.comparables import ComparableSales, fit_comparables
from shared.appraisal.land_contribution import LandContribution, fit_land_contribution
from shared.evidence import Evidence, evidence_version, excluded_sales, read_evidence

_MOST_MODELS = 4
_Key = tuple[str, str, str, int]

_models: OrderedDict[_Key, Fitted] = OrderedDict()


@dataclass(frozen=True)
class Fitted:
    """A model of one class of property and valuation day.

    `rows` are the positions in the evidence of the sales that the model was given; `excluded` counts the county's
    other sales by reason, `land_shares` and `land` are what its values are divided by.
    """

    model: ComparableSales
    evidence: Evidence
    rows: IntArray
    excluded: dict[str, int]
    land_shares: LandShares
    land: LandContribution | None


def fitted(connection: Connection, county_id: str, property_class: str, on: date) -> Fitted:
    """The model for a class of property ("" takes sales of every class), fitted now or kept from before.

    Raises InsufficientSalesError, and AppraisalInputError for a day too far after the last sale.
    """
    key = (county_id, evidence_version(connection, county_id), property_class, on.toordinal())
    found = _models.get(key)
    if found is None:
        found = _models[key] = _fit(connection, county_id, property_class, on.toordinal())
        _forget(key)
    _models.move_to_end(key)
    return found


def forget() -> None:
    """Drop what this process has kept (tests)."""
    _models.clear()


def _forget(newest: _Key) -> None:
    """Drop models of the county's older data, then the longest unused."""
    county_id, version, *_ = newest
    for key in [key for key in _models if key[0] == county_id and key[1] != version]:
        del _models[key]
    while len(_models) > _MOST_MODELS:
        _models.popitem(last=False)


def _fit(connection: Connection, county_id: str, property_class: str, day: int) -> Fitted:
    evidence = read_evidence(connection, county_id)
    excluded = excluded_sales(connection, county_id)
    of_class = np.ones(len(evidence), dtype=np.bool_)
    if property_class:
        of_class = evidence.property_class == property_class
    before = evidence.sales.sale_day < day
    area = evidence.sales.characteristics.living_area_sqft > 0
    priced = evidence.sales.sale_price > 0
    usable = of_class & before & area & priced
    rows = np.flatnonzero(usable).astype(np.int64)
    model = fit_comparables(evidence.sales.take(rows), day)
    counts = {
        **excluded,
        "other_property_class": int((~of_class).sum()),
        "on_or_after_valuation_date": int((of_class & ~before).sum()),
        "no_price": int((of_class & before & ~priced).sum()),
        "no_living_area": int((of_class & before & priced & ~area).sum()),
        "older_than_needed": int(rows.size - model.rows.size),
    }
    reasons = {reason: count for reason, count in counts.items() if count}
    shares = land.land_shares(connection, county_id)
    return Fitted(model, evidence, rows, reasons, shares, fit_land_contribution(model.hedonic, model.sales))
