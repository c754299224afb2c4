"""`terrafusion value`: a parcel's market value, with what it rests on."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import typer
from rich.console import Console, Group

from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

_MAX_CONTRIBUTIONS = 8


@takes_sign_in
def value(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    property_id: str = typer.Argument(help="The property."),
    valuation_date: str = typer.Option(date.today().isoformat(), "--date", help="The valuation date."),  # noqa: DTZ011
) -> None:
    """Value PROPERTY_ID of COUNTY_ID as of a date."""
    screen = console()
    with sign_in() as client:
        request = {"property_id": property_id, "valuation_date": valuation_date}
        valuation = ask_value(client, screen, county_id, request)
    screen.print(valuation_shown(valuation))


def ask_value(client: Client, screen: Console, county_id: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A value; where a model has to be fitted for it first, once that is done. Raises ProblemError, JobFailedError."""
    key = str(uuid4())
    while True:
        answer: dict[str, Any] = client.post(f"/v1/counties/{county_id}/valuations", request, idempotency_key=key)
        if "estimate" in answer:
            return answer
        wait_with_progress(client, screen, answer)


def dollars(amount: str | float | Decimal) -> str:
    """An amount in whole dollars: `$1,234`, `-$5`."""
    number = round(Decimal(str(amount)))
    return f"-${-number:,}" if number < 0 else f"${number:,}"


def valuation_shown(valuation: Mapping[str, Any]) -> Group:
    """A value with its interval, its comparables and their adjustments, as an appraiser lays a grid out."""
    shown = valuation["comparables"][:5]
    grid = WholeTable("", *(sale["property_id"] for sale in shown), title="the comparables of most weight")
    grid.add_row("address", *(sale["address"] or "-" for sale in shown))
    grid.add_row("sold", *(sale["sale_date"] for sale in shown))
    grid.add_row("price", *(dollars(sale["sale_price"]) for sale in shown))
    grid.add_row("distance", *("-" if s["distance_km"] is None else f"{s['distance_km']:.1f} km" for s in shown))
    names = dict.fromkeys(adjustment["name"] for sale in shown for adjustment in sale["adjustments"])
    for name in names:
        amounts = [{a["name"]: a["amount"] for a in sale["adjustments"]}.get(name) for sale in shown]
        if not any(amount and Decimal(amount) for amount in amounts):
            continue
        grid.add_row(f"  {name}", *("-" if amount is None else dollars(amount) for amount in amounts))
    grid.add_row("adjusted", *(dollars(sale["adjusted_price"]) for sale in shown), style="bold")
    grid.add_row("weight", *(f"{sale['weight']:.0%}" for sale in shown))
    return Group(
        *_head(valuation), _contributions(valuation), grid, *(f"  ! {flag['text']}" for flag in valuation["flags"])
    )


def _head(valuation: Mapping[str, Any]) -> list[str]:
    interval, model, current, land = (valuation[name] for name in ("interval", "model", "current", "land"))
    review = ", to be reviewed" if valuation["review"] else ""
    first = (
        f"[bold]{dollars(valuation['estimate'])}[/] as of {valuation['valuation_date']}"
        f"  ({interval['coverage']:.0%} interval {dollars(interval['low'])} to {dollars(interval['high'])},"
        f" confidence {valuation['confidence']:.2f}{review})"
    )
    lines = [first]
    by = "no champion: comparable sales alone" if model is None else f"model {model['model_id']}"
    age = f", the last {valuation['age_days']:,} days before" if valuation.get("age_days") is not None else ""
    lines.append(f"  {valuation['method'].replace('_', ' ')} on {valuation['sales_used']:,} sales{age} ({by})")
    if len(valuation["components"]) > 1:
        shares = valuation["component_weights"]
        values = (
            f"{name.replace('_', ' ')} {dollars(valuation['components'][name])} ({shares[name]:.0%})"
            for name in sorted(shares, key=lambda name: -shares[name])
        )
        lines.append(f"  reconciled from {', '.join(values)}")
    if land is not None:
        lines.append(f"  land {dollars(land['land_value'])}, improvements {dollars(land['improvement_value'])}")
    if current is not None:
        lines.append(f"  now on the roll {dollars(current['total_value'])} ({current['change_percent']:+.1f} %)")
    return lines


def _contributions(valuation: Mapping[str, Any]) -> WholeTable:
    """From the typical value to this one, the largest steps first; together they are the estimate."""
    contributions = valuation["contributions"]
    table = WholeTable("contribution", "property", "dollars", title="what makes the value")
    table.add_row("typical value", "", dollars(contributions["base"]))
    features = sorted(contributions["features"], key=lambda each: -abs(Decimal(each["amount"])))
    for each in features[:_MAX_CONTRIBUTIONS]:
        value = "" if each["value"] is None else str(each["value"])
        table.add_row(each["name"].replace("_", " "), value, dollars(each["amount"]))
    remainder = sum((Decimal(each["amount"]) for each in features[_MAX_CONTRIBUTIONS:]), Decimal(0))
    if remainder:
        table.add_row("others", "", dollars(remainder))
    table.add_row("estimate", "", dollars(valuation["estimate"]), style="bold")
    return table
