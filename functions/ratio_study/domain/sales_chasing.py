"""Tests for sales chasing that look beyond the ratios themselves, in words."""

from __future__ import annotations

from functions.ratio_study import schemas
from functions.ratio_study.repository import ValueChanges
from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.sales_chasing import (
    DEFAULT_BOUNDS,
    DEFAULT_GAP,
    RATIO_DECIMALS,
    SUSPICIOUS_COD,
    ChasingSigns,
    Comparison,
    compare_changes,
    compare_periods,
)


def signs_sentence(signs: ChasingSigns) -> str:
    """The rule by which ratios alone are suspicious, its thresholds, and what was found."""
    low, high = DEFAULT_BOUNDS
    rule = (
        f"Sales chasing is suspected where the COD is under {SUSPICIOUS_COD:g}, or where more than {DEFAULT_GAP:.0%} of"
        f" the ratios are one value to {RATIO_DECIMALS} decimals and more of them lie between {low} and {high} than a"
        " normal distribution of their mean and deviation has there"
    )
    found = (
        f"the COD is {signs.cod:.1f}, {signs.largest_step:.1%} are {signs.heap:.3f}, and {signs.share_within:.1%} lie"
        f" near one where the normal distribution has {signs.normal_share:.1%}"
    )
    verdict = "it is suspected" if signs.suspected else "it is not suspected"
    said = f"{rule}: {found}, so {verdict}."
    if signs.heaped and signs.largest_exact_step <= DEFAULT_GAP:
        said += (
            f" Programs that count unrounded ratios, as assesspy and assessr do, find {signs.largest_exact_step:.1%}"
            " alike and may say otherwise."
        )
    return said


def sold_and_unsold(changes: ValueChanges | None) -> schemas.ChasingTest | None:
    """Did the values of sold properties change as those of unsold ones? None where rolls do not tell."""
    found = compare_changes(changes.sold, changes.unsold) if changes else None
    if changes is None or found is None:
        return None
    said = (
        f"From roll {changes.roll_year - 1} to {changes.roll_year} the values of {found.first:,} sold properties"
        f" changed by {found.first_median - 1:+.1%} (median), those of {found.second:,} unsold ones by"
        f" {found.second_median - 1:+.1%} (p = {found.p_value:.3f})"
    )
    verdict = "sold properties look revalued to their prices" if found.suspicious else "no sign of unequal treatment"
    return _shown("sold_and_unsold", found, f"{said}: {verdict}.")


def before_and_after(ratio: FloatArray, day: IntArray, on: int) -> schemas.ChasingTest | None:
    """Are ratios of sales before the valuation date like those after it? Prices are time-adjusted. None for too few."""
    found = compare_periods(ratio[day < on], ratio[day >= on])
    if found is None:
        return None
    said = (
        f"The median ratio of {found.first:,} sales before the valuation date is {found.first_median:.3f}, that of"
        f" {found.second:,} after it {found.second_median:.3f} (p = {found.p_value:.3f})"
    )
    verdict = "earlier sales look as if values were set to them" if found.suspicious else "no sign of sales chasing"
    return _shown("before_and_after_valuation_date", found, f"{said}: {verdict}.")


def _shown(name: schemas.ChasingTestName, found: Comparison, sentence: str) -> schemas.ChasingTest:
    return schemas.ChasingTest(
        test=name,
        first_sales=found.first,
        second_sales=found.second,
        first_median=found.first_median,
        second_median=found.second_median,
        p_value=found.p_value,
        suspected=found.suspicious,
        sentence=sentence,
    )
