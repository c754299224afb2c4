"""AWS's list prices (`infra/prices.json`): the one place where a price is written."""

import json
from functools import cache
from typing import Any

from infra.settings import ROOT

HOURS_A_MONTH = 730
"""As AWS's own calculator counts: a year's hours by twelve."""


@cache
def prices() -> dict[str, Any]:
    """The prices by their names, each of the unit that the name ends with."""
    document: dict[str, Any] = json.loads((ROOT / "infra/prices.json").read_text())
    return document


def aurora_prices(storage_type: str = "") -> dict[str, float]:
    """Prices of capacity, storage and I/O by a cluster's `StorageType`; a cluster without one is Standard."""
    classes: dict[str, dict[str, float]] = prices()["aurora"]
    return classes["standard" if storage_type in ("", "aurora") else storage_type]
