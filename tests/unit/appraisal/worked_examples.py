"""The IAAO's worked examples, read from tests/data/iaao."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from shared.appraisal.arrays import FloatArray

FOLDER = Path(__file__).parents[2] / "data" / "iaao"
_DOCUMENT: dict[str, Any] = json.loads((FOLDER / "iaao_worked_examples.json").read_text())
EXAMPLES: dict[str, Any] = _DOCUMENT["datasets"]
MUST_REJECT: list[str] = _DOCUMENT["must_reject"]
"""Inputs that a library must refuse, in words."""


def example(name: str) -> tuple[FloatArray, FloatArray]:
    """(estimates, sale prices) of one table."""
    with (FOLDER / f"{name}.csv").open() as file:
        rows = [(float(row["estimate"]), float(row["sale_price"])) for row in csv.DictReader(file)]
    estimate, price = np.array(rows).T
    return estimate, price
