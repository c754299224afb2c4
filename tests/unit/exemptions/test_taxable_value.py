"""Taxable values: what each rule leaves, in which order, and never below zero."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from functions.exemptions.domain.taxable_value import (
    GrantedExemption,
    SystemExemption,
    taxable_steps,
    taxable_value,
)
from shared.counties.exemption_settings import AmountRule, ExemptionRule, FreezeRule, ShareRule

FREEZE = FreezeRule(kind="freeze", authority="RCW 84.36.381(6)")
SHARE = ShareRule(kind="share", share=Decimal("0.35"), max_amount=Decimal(70_000), authority="RCW 84.36.381(5)")
AMOUNT = AmountRule(kind="amount", amount=Decimal(60_000), authority="RCW 84.36.381(5)")


def grant(rule: ExemptionRule, frozen: int | None = None) -> GrantedExemption:
    return GrantedExemption(f"id of {rule.kind}", rule.kind, rule, None if frozen is None else Decimal(frozen))


def test_a_frozen_value_is_taxed_beside_a_market_value_that_rises() -> None:
    """RCW 84.36.381(6): 300,000 in the first year; the market value of 450,000 is kept apart (RCW 84.40.178)."""
    (step,) = taxable_steps(Decimal(450_000), [grant(FREEZE, 300_000)], [])
    assert (int(step.exempt_value), int(step.value_after)) == (150_000, 300_000)
    assert step.authority == "RCW 84.36.381(6)"


def test_a_frozen_value_is_never_more_than_the_value_of_the_year() -> None:
    assert taxable_value(Decimal(250_000), taxable_steps(Decimal(250_000), [grant(FREEZE, 300_000)], [])) == 250_000


def test_a_share_and_an_amount_are_off_the_frozen_value() -> None:
    """450,000 frozen at 300,000; 35 % of that is 105,000, of which 70,000 are the most; then 60,000."""
    steps = taxable_steps(Decimal(450_000), [grant(AMOUNT), grant(SHARE), grant(FREEZE, 300_000)], [])
    assert [(step.exemption_type, int(step.exempt_value), int(step.value_after)) for step in steps] == [
        ("freeze", 150_000, 300_000),
        ("share", 70_000, 230_000),
        ("amount", 60_000, 170_000),
    ]
    assert steps[1].rule == "35% of the value, at most $70,000.00"


def test_the_countys_record_of_a_granted_exemption_is_not_counted_twice() -> None:
    known = [SystemExemption("E1", "amount", Decimal(60_000)), SystemExemption("E2", "veteran", Decimal(5_000))]
    steps = taxable_steps(Decimal(100_000), [grant(AMOUNT)], known)
    assert [(str(step.source), step.counted, int(step.value_after)) for step in steps] == [
        ("granted", True, 40_000),
        ("county_system", False, 40_000),
        ("county_system", True, 35_000),
    ]


def test_an_exemption_without_an_amount_is_named_and_not_counted() -> None:
    (step,) = taxable_steps(Decimal(100), [], [SystemExemption("E1", None, None)])
    assert (step.counted, int(step.value_after)) == (False, 100)
    assert "no amount" in step.rule


_MONEY = st.decimals(0, 10**9, places=2)
_RULES = st.one_of(
    st.builds(AmountRule, kind=st.just("amount"), amount=st.decimals(1, 10**9, places=2), authority=st.just("x")),
    st.builds(ShareRule, kind=st.just("share"), share=st.decimals("0.01", 1, places=4), authority=st.just("x")),
    st.just(FREEZE),
)


@given(_MONEY, st.lists(st.tuples(_RULES, _MONEY), max_size=5), st.lists(st.none() | _MONEY, max_size=3))
def test_exemptions_add_up_to_the_difference_and_leave_no_negative_value(
    assessed: Decimal, rules: list[tuple[ExemptionRule, Decimal]], amounts: list[Decimal | None]
) -> None:
    granted = [GrantedExemption(str(n), f"g{n}", rule, frozen) for n, (rule, frozen) in enumerate(rules)]
    steps = taxable_steps(assessed, granted, [SystemExemption(str(n), f"s{n}", a) for n, a in enumerate(amounts)])
    left = taxable_value(assessed, steps)
    assert 0 <= left <= assessed
    assert assessed - sum(step.exempt_value for step in steps) == left
