"""The taxable value of a property: what exemptions leave of its assessed value."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from shared.counties.exemption_settings import AmountRule, ExemptionRule, FreezeRule, ShareRule

Source = Literal["granted", "county_system"]
_CENT = Decimal("0.01")
_ORDER = {"freeze": 0, "share": 1, "amount": 2}
"""A freeze decides what the value is at all, a share is of that, and an amount is off the rest. It is the order of
RCW 84.36.381: the valuation of (6) is what the exemptions of (5) are taken from."""


@dataclass(frozen=True)
class GrantedExemption:
    """An exemption that was granted here, of a roll year."""

    exemption_id: str
    exemption_type: str
    rule: ExemptionRule
    frozen_value: Decimal | None


@dataclass(frozen=True)
class SystemExemption:
    """An exemption of a roll year as the county's own system has it: an amount, which may be unknown."""

    exemption_id: str
    exemption_type: str | None
    amount: Decimal | None


@dataclass(frozen=True)
class Step:
    """An exemption's part in a taxable value."""

    source: Source
    exemption_id: str
    exemption_type: str | None
    rule: str
    authority: str | None
    counted: bool
    exempt_value: Decimal
    value_after: Decimal


def taxable_steps(
    assessed: Decimal, granted: Sequence[GrantedExemption], of_system: Sequence[SystemExemption]
) -> list[Step]:
    """The amounts that exemptions take off: those granted here by their kind, then those of the county's system.

    An exemption of the county's system is not counted beside a granted one of its type: it is the same one, which the
    system has learned of. No value falls below zero.
    """
    steps, value = list[Step](), assessed
    for grant in sorted(granted, key=lambda one: (_ORDER[one.rule.kind], one.exemption_type, one.exemption_id)):
        exempt, words = _exempt(value, grant.rule, grant.frozen_value)
        value -= exempt
        named = (grant.exemption_id, grant.exemption_type, words, grant.rule.authority)
        steps.append(Step("granted", *named, counted=True, exempt_value=exempt, value_after=value))
    types = {grant.exemption_type for grant in granted}
    for known in sorted(of_system, key=lambda one: (one.exemption_type or "", one.exemption_id)):
        refusal = _refusal(known, types)
        exempt = Decimal(0) if refusal or known.amount is None else min(value, known.amount)
        value -= exempt
        words = refusal or f"{_money(known.amount)} as the county's system says"
        own = (known.exemption_id, known.exemption_type, words, None)
        steps.append(Step("county_system", *own, counted=refusal is None, exempt_value=exempt, value_after=value))
    return steps


def taxable_value(assessed: Decimal, steps: Sequence[Step]) -> Decimal:
    """The taxable value: the remainder of the last step."""
    return steps[-1].value_after if steps else assessed


def _refusal(known: SystemExemption, granted_types: set[str]) -> str | None:
    if known.exemption_type is not None and known.exemption_type in granted_types:
        return "the county's record of the one that was granted here: not counted twice"
    if known.amount is None or known.amount < 0:
        return "the county's system has no amount of it: not counted"
    return None


def _exempt(value: Decimal, rule: ExemptionRule, frozen: Decimal | None) -> tuple[Decimal, str]:
    match rule:
        case FreezeRule():
            kept = value if frozen is None else min(value, frozen)
            return value - kept, f"frozen at {_money(frozen)}, or the value of the year where that is lower"
        case ShareRule(share=share, max_amount=most):
            exempt = (value * share).quantize(_CENT, ROUND_HALF_UP)
            if most is None:
                return exempt, f"{share:%} of the value"
            return min(exempt, most), f"{share:%} of the value, at most {_money(most)}"
        case AmountRule(amount=amount):
            return min(value, amount), f"{_money(amount)} of the value"


def _money(amount: Decimal | None) -> str:
    return "an unknown amount" if amount is None else f"${amount:,.2f}"
