"""`terrafusion sales`: sales validated, flags looked at, decisions taken."""

import json

import typer

from infra.cli.commands.api_description import COUNTY
from infra.cli.commands.jobs import job_group
from infra.cli.commands.value import dollars
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable

app = job_group("sales-validations", "validate")


@app.command()
@takes_sign_in
def flags(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    rule: str | None = typer.Option(None, help="Sales that this rule has flagged."),
    decided: bool | None = typer.Option(None, "--decided/--open", help="Those with a decision, or those without."),
    limit: int = typer.Option(20, "--limit", min=1, help="How many."),
    as_json: bool = typer.Option(False, "--json", help="Print what the API answers."),
) -> None:
    """List the flagged sales of COUNTY_ID, with the reasons."""
    with sign_in() as client:
        path = f"{COUNTY}/sales-flags".format(county_id=county_id)
        page = client.get(path, rule=rule, decided=decided, page_size=limit)
    if as_json:
        print(json.dumps(page, indent=1, ensure_ascii=False))
        return
    table = WholeTable("sale", "property", "date", "price", "code", "evidence", "rule", "reason", "decision")
    for sale in page["items"]:
        decision = sale["decision"]["decision"] if sale["decision"] else "open"
        head = (sale["sale_id"], sale["property_id"], sale["sale_date"], dollars(sale["sale_price"]))
        evidence = (sale["validity_code"], "yes" if sale["used_as_evidence"] else "no")
        for number, flag in enumerate(sale["flags"]):
            first = number == 0
            shown = (*head, *evidence) if first else ("",) * 6
            table.add_row(*shown, flag["rule"], flag["reason"], decision if first else "")
    console().print(table)


@app.command()
@takes_sign_in
def decide(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    sale_ids: list[str] = typer.Argument(metavar="SALE...", help="The sales."),
    decision: str = typer.Option(..., metavar="valid|invalid|as_coded", help="Whether they are evidence."),
    note: str = typer.Option(..., help="Why."),
) -> None:
    """Decide on sales of COUNTY_ID: on all of them or on none."""
    with sign_in() as client:
        path = f"{COUNTY}/sales-decisions".format(county_id=county_id)
        client.post(path, {"decision": decision, "note": note, "sale_ids": sale_ids})
    console().print(f"{len(sale_ids)} sale(s) decided: {decision}.")
