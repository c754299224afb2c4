"""Land's share by what it contributes to prices, on a county where it was planted."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from shared.appraisal.arrays import FloatArray
from shared.appraisal.columns import Sales
from shared.appraisal.hedonic import fit_hedonic
from shared.appraisal.land_contribution import fit_land_contribution
from tests.synthetic_county import synthetic_county

ON = date(2024, 1, 2).toordinal()
SYNTHETIC = synthetic_county(800, noise=0.05, trend=0.0).sales


def priced(site: float, area: float, building: float, new: float) -> tuple[Sales, FloatArray]:
    """The synthetic county's properties at prices that are made of sites and buildings; and the land's true shares."""
    known = SYNTHETIC.characteristics
    age = ON / 365.2425 + 1.0 - known.year_built
    land = site + area * np.sqrt(known.land_area_sqft)
    built = known.living_area_sqft * (building + new * np.exp(-age / 40.0))
    noise = np.exp(np.random.default_rng(99).normal(0.0, 0.08, len(SYNTHETIC)))
    return replace(SYNTHETIC, sale_price=(land + built) * noise), land / (land + built)


@pytest.mark.parametrize("planted", [(60_000.0, 800.0, 40.0, 120.0), (20_000.0, 300.0, 100.0, 60.0)])
def test_planted_shares_are_found_again(planted: tuple[float, float, float, float]) -> None:
    sales, truth = priced(*planted)
    hedonic = fit_hedonic(sales, ON)
    contribution = fit_land_contribution(hedonic, sales)
    assert contribution is not None
    shares = contribution.shares(hedonic, sales.characteristics, ON)
    assert np.median(shares) == pytest.approx(float(np.median(truth)), abs=0.08)
    assert np.corrcoef(shares, truth)[0, 1] > 0.8
    assert ((shares > 0) & (shares < 1)).all()


def test_more_land_is_a_larger_share_and_a_larger_building_a_smaller_one() -> None:
    sales, _ = priced(60_000.0, 800.0, 40.0, 120.0)
    hedonic = fit_hedonic(sales, ON)
    contribution = fit_land_contribution(hedonic, sales)
    assert contribution is not None
    single = sales.characteristics.take(np.array([0]))

    def share(land: float, living: float) -> float:
        changed = replace(single, land_area_sqft=np.array([land]), living_area_sqft=np.array([living]))
        return float(contribution.shares(hedonic, changed, ON)[0])

    assert share(20_000.0, 2_000.0) > share(5_000.0, 2_000.0)
    assert share(8_000.0, 4_000.0) < share(8_000.0, 1_500.0)
    assert np.isnan(share(np.nan, 2_000.0))
    assert np.isnan(share(8_000.0, 0.0))


def test_few_sales_or_prices_without_rhyme_tell_no_shares() -> None:
    sales, _ = priced(60_000.0, 800.0, 40.0, 120.0)
    few = sales.take(np.arange(0, len(sales), 10))
    assert fit_land_contribution(fit_hedonic(few, ON), few) is None
    wild = replace(sales, sale_price=np.exp(np.random.default_rng(2).normal(12.0, 1.5, len(sales))))
    assert fit_land_contribution(fit_hedonic(wild, ON), wild) is None
