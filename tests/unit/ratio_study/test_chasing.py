"""The sentence on the signs of sales chasing in ratios alone."""

import numpy as np
import pytest

from functions.ratio_study.domain.sales_chasing import chasing_signs_sentence
from shared.appraisal.sales_chasing import chasing_signs

ORDINARY = np.random.default_rng(5).normal(0.97, 0.15, 500).clip(0.4, 2.0)


def test_a_sentence_says_the_rule_its_thresholds_and_what_was_found() -> None:
    sentence = chasing_signs_sentence(chasing_signs(ORDINARY))
    for part in ("COD is under 5", "more than 3% of the ratios", "between 0.98 and 1.02", "so it is not suspected"):
        assert part in sentence


@pytest.mark.parametrize("exactly", [True, False])
def test_ratios_heaped_at_one_are_suspected_and_the_difference_to_exact_counts_is_told(exactly: bool) -> None:
    near = np.full(30, 1.0) if exactly else 1.0 + np.linspace(-4e-4, 4e-4, 30)
    signs = chasing_signs(np.concatenate([ORDINARY, near]))
    sentence = chasing_signs_sentence(signs)
    assert signs.suspected
    assert "are 1.000" in sentence
    assert sentence.count("so it is suspected") == 1
    assert ("assesspy" in sentence) == (not exactly)
