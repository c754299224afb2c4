"""A county whose prices follow a known rule, so that what is estimated can be compared with what was planted."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.columns import Characteristics, Sales

FIRST_DAY = date(2022, 1, 1).toordinal()
LAST_DAY = date(2024, 1, 1).toordinal()
ANNUAL_TREND = 0.06
SIZE_ELASTICITY = 0.7


@dataclass(frozen=True)
class County:
    """Sales, and the true market value of each property on its sale's day."""

    sales: Sales
    truth: FloatArray


def synthetic_county(size: int = 1200, seed: int = 1, noise: float = 0.08, trend: float = ANNUAL_TREND) -> County:
    """Log price: 0.7 log area, age, bathrooms, quality, a view, a hill in the middle of the county, a trend."""
    generator = np.random.default_rng(seed)
    area = np.round(np.exp(generator.normal(7.5, 0.35, size))).astype(np.float64)
    built = generator.integers(1920, 2020, size).astype(np.float64)
    baths = np.clip(np.round(area / 900 + generator.normal(0, 0.4, size)), 1, 5)
    quality = np.clip(np.round(7 + 2 * np.log(area / 1800) + generator.normal(0, 0.8, size)), 4, 11)
    view = (generator.random(size) < 0.15).astype(np.float64)
    longitude, latitude = generator.uniform(-122.2, -122.0, size), generator.uniform(47.4, 47.6, size)
    day = np.sort(generator.integers(FIRST_DAY, LAST_DAY, size)).astype(np.int64)
    hill = 0.35 * np.exp(-(((longitude + 122.1) / 0.05) ** 2) - ((latitude - 47.5) / 0.035) ** 2)
    truth = np.exp(
        7.0
        + SIZE_ELASTICITY * np.log(area)
        - 0.0015 * (2022 - built)
        + 0.05 * baths
        + 0.08 * (quality - 7)
        + 0.15 * view
        + hill
        + trend * (day - FIRST_DAY) / 365.2425
    )
    east, north = np.floor((longitude + 122.2) / 0.05), np.floor((latitude - 47.4) / 0.05)
    characteristics = Characteristics(
        living_area_sqft=area,
        land_area_sqft=np.round(np.exp(generator.normal(9.0, 0.4, size))).astype(np.float64),
        year_built=built,
        effective_year=np.full(size, np.nan),
        bedrooms=np.clip(np.round(area / 650), 1, 6),
        bathrooms=baths,
        stories=np.where(area > 1900, 2.0, 1.0),
        longitude=longitude,
        latitude=latitude,
        quality=quality.astype(np.int64).astype(np.str_),
        condition=generator.choice(["3", "4"], size).astype(np.str_),
        neighborhood=np.char.add("N", (east * 4 + north).astype(np.int64).astype(np.str_)),
        numeric={"view": view},
    )
    price = np.round(truth * np.exp(generator.normal(0, noise, size)), 2)
    return County(Sales(characteristics, day, price), truth)
