"""`terrafusion value`: a parcel's market value, with what it rests on."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import typer
from rich.console import Console

from infra.local.session import ApiUrl, DataDir, Username, signed_in


def value(
    county_id: str = typer.Argument(help="The county."),
    property_id: str = typer.Argument(help="The property."),
    valuation_date: str = typer.Option(date.today().isoformat(), "--date", help="The valuation date."),  # noqa: DTZ011
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
) -> None:
    """Value PROPERTY_ID of COUNTY_ID as of a date."""
    with signed_in(api_url, username, data_dir) as client:
        wanted = {"property_id": property_id, "valuation_date": valuation_date}
        found = client.post(f"/v1/counties/{county_id}/valuations", wanted)
    Console().print(valuation_shown(found))


def dollars(amount: str | float | Decimal) -> str:
    """An amount in whole dollars: `$1,234`, `-$5`."""
    number = round(Decimal(str(amount)))
    return f"-${-number:,}" if number < 0 else f"${number:,}"
