"""Tests for sales chasing, with their findings in sentences (IAAO Standard on Ratio Studies 2013, appendix E)."""

from __future__ import annotations

from functions.ratio_study.domain.study_sales import ValueChanges
from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.parameters import CHASING_BOUNDS, CHASING_DECIMALS, MAX_CHASING_STEP, SUSPICIOUS_COD
from shared.appraisal.sales_chasing import ChasingSigns, Comparison, compare_changes, compare_periods
from shared.contracts.ratio_study import ChasingTest, ChasingTestName


def chasing_signs_sentence(signs: ChasingSigns) -> str:
    """The rule by which ratios alone are suspicious, its thresholds, and the sample's figures."""
    low, high = CHASING_BOUNDS
    rule = (
        f"Sales chasing is suspected where the COD is under {SUSPICIOUS_COD:g}, or where more than"
        f" {MAX_CHASING_STEP:.0%} of the ratios are one value to {CHASING_DECIMALS} decimals and more of them lie"
        f" between {low} and {high} than a normal distribution of their mean and deviation has there"
    )
    figures = (
        f"the COD is {signs.cod:.1f}, {signs.largest_step:.1%} are {signs.heap:.3f}, and {signs.share_within:.1%} lie"
        f" near one where the normal distribution has {signs.normal_share:.1%}"
    )
    verdict = "it is suspected" if signs.suspected else "it is not suspected"
    sentence = f"{rule}: {figures}, so {verdict}."
    if signs.heaped and signs.largest_exact_step <= MAX_CHASING_STEP:
        sentence += (
            f" Programs that count unrounded ratios, as assesspy and assessr do, find {signs.largest_exact_step:.1%}"
            " alike and may say otherwise."
        )
    return sentence


def compare_sold_and_unsold(changes: ValueChanges | None) -> ChasingTest | None:
    """Compare the changes of value of sold and unsold properties. None without two rolls, or for too few parcels."""
    comparison = compare_changes(changes.sold, changes.unsold) if changes else None
    if changes is None or comparison is None:
        return None
    finding = (
        f"From roll {changes.roll_year - 1} to {changes.roll_year} the values of {comparison.first:,} sold properties"
        f" changed by {comparison.first_median - 1:+.1%} (median), those of {comparison.second:,} unsold ones by"
        f" {comparison.second_median - 1:+.1%} (p = {comparison.p_value:.3f})"
    )
    verdict = (
        "sold properties look revalued to their prices" if comparison.suspicious else "no sign of unequal treatment"
    )
    return _test("sold_and_unsold", comparison, f"{finding}: {verdict}.")


def compare_before_and_after(ratio: FloatArray, day: IntArray, valuation_day: int) -> ChasingTest | None:
    """Compare ratios of sales before the valuation date with those after it, at time-adjusted prices. None for too few.

    `day` and `valuation_day` are ordinals.
    """
    comparison = compare_periods(ratio[day < valuation_day], ratio[day >= valuation_day])
    if comparison is None:
        return None
    finding = (
        f"The median ratio of {comparison.first:,} sales before the valuation date is {comparison.first_median:.3f},"
        f" that of {comparison.second:,} after it {comparison.second_median:.3f} (p = {comparison.p_value:.3f})"
    )
    verdict = (
        "earlier sales look as if values were set to them" if comparison.suspicious else "no sign of sales chasing"
    )
    return _test("before_and_after_valuation_date", comparison, f"{finding}: {verdict}.")


def _test(name: ChasingTestName, comparison: Comparison, sentence: str) -> ChasingTest:
    return ChasingTest(
        test=name,
        first_sales=comparison.first,
        second_sales=comparison.second,
        first_median=comparison.first_median,
        second_median=comparison.second_median,
        p_value=comparison.p_value,
        suspected=comparison.suspicious,
        sentence=sentence,
    )
