"""`terrafusion model`: a county's valuation models."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import typer
from rich.console import Console, Group

from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.commands.results import STATISTICS, with_interval
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

app = typer.Typer(no_args_is_help=True)

_TODAY = date.today().isoformat()  # noqa: DTZ011 - the day as the person at the keyboard has it


@app.command()
@takes_sign_in
def train(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    valuation_date: str = typer.Option(_TODAY, "--date", help="The valuation date."),
    property_class: list[str] = typer.Option([], "--class", help="A class to learn from; without any, all of them."),
    seed: int = typer.Option(0, help="The seed; the same data and seed give the same model."),
) -> None:
    """Train a model of COUNTY_ID as of a date, and show its accuracy on sales that it had not seen."""
    screen = console()
    request = {"valuation_date": valuation_date, "property_classes": property_class or None, "seed": seed}
    with sign_in() as client:
        results = train_model(client, screen, county_id, request)
    screen.print(model_shown(results))


@app.command("list")
@takes_sign_in
def list_models(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
) -> None:
    """The models of COUNTY_ID, the newest first."""
    table = WholeTable("model", "status", "standing", "as of", "classes", "sales", *STATISTICS.values(), "coverage")
    with sign_in() as client:
        for item in client.pages(f"/v1/counties/{county_id}/valuation-models"):
            model = item["model"]
            cells = [item["id"], item["status"], item["standing"] or "-", item["parameters"]["valuation_date"]]
            if model is None:
                table.add_row(*cells)
                continue
            statistics = (f"{model['statistics'][name]['value']:.3f}" for name in STATISTICS)
            classes = ", ".join(model["property_classes"] or ["all"])
            sales = f"{model['training']['sales_used']:,}"
            table.add_row(*cells, classes, sales, *statistics, f"{model['coverage']:.1%}")
    console().print(table)


@app.command()
@takes_sign_in
def promote(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    model_id: str = typer.Argument(help="The model."),
    reason: str | None = typer.Option(None, help="Why, where its hold-out does not meet the standard."),
) -> None:
    """Make MODEL_ID the champion of its classes as of its day."""
    with sign_in() as client:
        promoted = promote_model(client, county_id, model_id, reason)
    classes = ", ".join(champion["property_class"] or "every class" for champion in promoted["champion_of"])
    console().print(f"{model_id} is the [bold]champion[/] of {classes}.")


def train_model(client: Client, screen: Console, county_id: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Train a model and watch. Returns its results. Raises ProblemError, JobFailedError."""
    job = wait_with_progress(client, screen, client.post(f"/v1/counties/{county_id}/valuation-models", request))
    results: dict[str, Any] = client.get(job["links"]["results"])
    return results


def promote_model(client: Client, county_id: str, model_id: str, reason: str | None) -> dict[str, Any]:
    """Promote a model. Raises ProblemError."""
    body = {} if reason is None else {"override_reason": reason}
    promoted: dict[str, Any] = client.post(f"/v1/counties/{county_id}/valuation-models/{model_id}/promote", body)
    return promoted


def model_shown(results: Mapping[str, Any]) -> Group:
    """A model's accuracy on its hold-out: overall, by component and by price."""
    model, overall = results["model"], results["overall"]
    training = model["training"]
    head = (
        f"[bold]{results['model_id']}[/] as of {model['valuation_date']}: {training['sales_used']:,} sales from"
        f" {training['first_sale_date']} to {training['last_sale_date']}, {len(training['features'])} features"
    )
    left_out = ", ".join(
        f"{count:,} {reason.replace('_', ' ')}" for reason, count in training["sales_excluded"].items() if count
    )
    table = WholeTable("hold-out", "sales", *STATISTICS.values(), "MAPE", "coverage", title=results["protocol"])
    strata = [s for s in results["strata"] if s["stratum"] == "price_decile" and s["accuracy"]]
    for name, accuracy in [("all", overall), *((f"price decile {s['value']}", s["accuracy"]) for s in strata)]:
        statistics = (with_interval(accuracy["statistics"].get(each)) for each in STATISTICS)
        table.add_row(
            name, f"{accuracy['sales']:,}", *statistics, f"{accuracy['mape']:.1f} %", f"{accuracy['coverage']:.1%}"
        )
    parts = WholeTable("component", "weight", "median", "COD", "PRD", "MAPE")
    for each in results["components"]:
        figures = (f"{each['median']:.3f}", f"{each['cod']:.1f}", f"{each['prd']:.3f}", f"{each['mape']:.1f} %")
        parts.add_row(each["component"].replace("_", " "), f"{each['weight']:.0%}", *figures)
    return Group(
        head, f"  left out: {left_out or 'none'}", table, parts, *(f"  ! {finding}" for finding in model["findings"])
    )
