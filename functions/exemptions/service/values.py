"""The effect of exemptions: taxable values, the loss of a roll, and the exemptions that somebody should look at."""

from collections import defaultdict
from dataclasses import asdict
from decimal import Decimal

from functions.exemptions import repository
from functions.exemptions.domain.taxable_value import taxable_steps
from functions.exemptions.domain.taxable_value import taxable_value as remaining
from functions.exemptions.repository import TaxedProperty
from functions.exemptions.schemas import (
    Check,
    ExemptionFinding,
    ExemptionLoss,
    ExemptionSummary,
    TaxableStep,
    TaxableValue,
)
from functions.exemptions.service.applications import types_of
from shared.db import snapshot, unit_of_work
from shared.db.tenancy import require_onboarded
from shared.paging import Page, decode_token, encode_token
from shared.problems import NotFound


def taxable_value(county_id: str, property_id: str, roll_year: int) -> TaxableValue:
    """The taxable value of a property in a roll year. Raises NotFound where it has no assessment of the year."""
    with snapshot(county_id) as connection:
        taxed = repository.taxed_property(connection, county_id, property_id, roll_year)
        if taxed is None:
            require_onboarded(connection, county_id)
            raise NotFound(f"{county_id} has no value of {property_id} in {roll_year}.", slug="assessment-not-found")
    steps = taxable_steps(taxed.assessed_value, taxed.granted, taxed.of_system)
    return TaxableValue(
        property_id=property_id,
        roll_year=roll_year,
        market_value=taxed.market_value,
        assessed_value=taxed.assessed_value,
        taxable_value=remaining(taxed.assessed_value, steps),
        steps=[TaxableStep(**asdict(step)) for step in steps],
    )


def summary(county_id: str, roll_year: int, area: str) -> ExemptionSummary:
    """The loss of a roll year by type and area, of the same computation as each property's taxable value."""
    count, market, assessed, taxable = 0, Decimal(0), Decimal(0), Decimal(0)
    losses: dict[tuple[str, str], tuple[set[str], Decimal]] = defaultdict(lambda: (set(), Decimal(0)))
    with snapshot(county_id) as connection:
        require_onboarded(connection, county_id)
        for taxed in repository.taxed_properties(connection, county_id, roll_year, area):
            count, market, assessed = count + 1, market + (taxed.market_value or 0), assessed + taxed.assessed_value
            taxable += _add_losses(taxed, losses)
    return ExemptionSummary(
        roll_year=roll_year,
        properties=count,
        market_value=market,
        assessed_value=assessed,
        taxable_value=taxable,
        losses=[
            ExemptionLoss(exemption_type=type_, area=own, properties=len(properties), exempt_value=exempt)
            for (type_, own), (properties, exempt) in sorted(losses.items())
        ],
    )


def _add_losses(taxed: TaxedProperty, losses: dict[tuple[str, str], tuple[set[str], Decimal]]) -> Decimal:
    """Add what each exemption takes off; the taxable value."""
    steps = taxable_steps(taxed.assessed_value, taxed.granted, taxed.of_system)
    for step in steps:
        if step.counted:
            key = (step.exemption_type or "untyped", taxed.area)
            properties, exempt = losses[key]
            properties.add(taxed.property_id)
            losses[key] = (properties, exempt + step.exempt_value)
    return remaining(taxed.assessed_value, steps)


def findings(
    county_id: str, roll_year: int, check: Check | None, *, page_size: int, page_token: str | None
) -> Page[ExemptionFinding]:
    """A page of the exemptions of a roll year that somebody should look at. Raises BadRequest, NotFound."""
    query = [county_id, roll_year, check]
    after = decode_token(query, page_token, str, str, str)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        one_per_owner = [name for name, type_ in types_of(connection, county_id).items() if type_.one_per_owner]
        found = repository.findings(
            connection, county_id, roll_year, one_per_owner, check=check, after=after, limit=page_size + 1
        )
    items, more = found[:page_size], len(found) > page_size
    last = [items[-1].property_id, items[-1].check, items[-1].exemption_id] if more else []
    return Page(items=items, next_page_token=encode_token(query, last) if more else None)
