"""Allocation of a value to land and improvements: the method that is taken, and its explanation."""

from decimal import Decimal
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.valuation.domain.land import Land, LandShare, LandShares, land_share
from functions.valuation.service.response_mapping import land_split
from shared.contracts.valuation import LandSplit

TYPICAL: LandShares = {"residential": {"": 0.3, "N1": 0.4}}
NEITHER: LandShares = {}


def land(
    neighborhood: str = "N9",
    area: float = 8_000.0,
    values: tuple[int, int] | None = None,
    contribution: float = nan,
    property_class: str = "residential",
) -> Land:
    own, total = (None, None) if values is None else (Decimal(values[0]), Decimal(values[1]))
    return Land(property_class, neighborhood, area, own, total, contribution)


@pytest.mark.parametrize(
    ("subject", "typical", "method", "share"),
    [
        (land("N1", values=(50, 200), contribution=0.9), TYPICAL, "own_land_share", 0.25),
        (land("N1", contribution=0.9), TYPICAL, "neighborhood_land_share", 0.4),
        (land("N9", contribution=0.9), TYPICAL, "class_land_share", 0.3),
        (land("", contribution=0.9), TYPICAL, "class_land_share", 0.3),
        (land("N1", property_class="commercial", contribution=0.2), TYPICAL, "land_contribution", 0.2),
        (land(contribution=0.2), NEITHER, "land_contribution", 0.2),
        # a land value that is all of the value says nothing of a property with a building on it
        (land("N1", values=(200, 200)), TYPICAL, "neighborhood_land_share", 0.4),
    ],
)
def test_the_nearest_evidence_divides(subject: Land, typical: LandShares, method: str, share: float) -> None:
    found = land_share(subject, typical)
    assert isinstance(found, LandShare)
    assert found.method == method
    assert found.share == pytest.approx(share)
    assert f"{share:.1%}" in found.text


def test_without_a_land_area_or_any_evidence_there_is_a_reason_and_no_share() -> None:
    assert "land area is not known" in str(land_share(land(area=nan, values=(50, 200)), TYPICAL))
    assert "neither the roll nor the sales" in str(land_share(land(), NEITHER))


@given(
    estimate=st.decimals(1, 10_000_000, places=2),
    values=st.tuples(st.integers(1, 10**6), st.integers(10**6 + 1, 10**7)),
)
def test_land_and_improvements_are_the_whole_value_to_the_cent(estimate: Decimal, values: tuple[int, int]) -> None:
    split = land_split(land(values=values), estimate, NEITHER)
    assert isinstance(split, LandSplit)
    assert split.land_value + split.improvement_value == estimate
    assert 0 <= split.land_value <= estimate
