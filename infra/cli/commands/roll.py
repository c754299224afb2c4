"""`terrafusion roll`: values brought to a county's assessment rolls."""

from typing import Any

import typer
from rich.console import Console

from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.commands.value import dollars
from infra.cli.errors import CommandError
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

app = typer.Typer(no_args_is_help=True)

County = typer.Argument(help="The county.")
RollYear = typer.Argument(help="The roll's year.")


@app.command("list")
@takes_sign_in
def list_rolls(
    sign_in: SignIn,
    county_id: str = County,
) -> None:
    """The rolls of COUNTY_ID, the newest first."""
    table = WholeTable("year", "status", "assessments", "total value", "closed or opened by")
    with sign_in() as client:
        for roll in client.get(f"/v1/counties/{county_id}/rolls"):
            by = f"{roll['changed_by']}, {roll['changed_at'][:10]}" if roll["changed_by"] else "-"
            count = f"{roll['assessments']:,}"
            table.add_row(str(roll["roll_year"]), roll["status"], count, dollars(roll["total_value"]), by)
    console().print(table)


@app.command()
@takes_sign_in
def approve(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = typer.Argument(help="The valuation run."),
    roll_year: int = RollYear,
    without_review: bool = typer.Option(False, help="Leave out the values that are to be reviewed."),
) -> None:
    """Bring the values of RUN_ID to the roll of ROLL_YEAR."""
    request = {"roll_year": roll_year, "filter": {"review": False} if without_review else {}}
    _change(f"/v1/counties/{county_id}/valuation-runs/{run_id}/approve", request, sign_in)


@app.command()
@takes_sign_in
def undo(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = typer.Argument(help="The valuation run."),
) -> None:
    """Take the latest approval of RUN_ID back."""
    _change(f"/v1/counties/{county_id}/valuation-runs/{run_id}/undo", {}, sign_in)


@app.command()
@takes_sign_in
def close(
    sign_in: SignIn,
    county_id: str = County,
    roll_year: int = RollYear,
) -> None:
    """Close the roll of ROLL_YEAR: no values are approved to it, and none are taken back."""
    with sign_in() as client:
        roll = client.post(f"/v1/counties/{county_id}/rolls/{roll_year}/close", {})
    console().print(f"The roll of {roll['roll_year']} is [bold]{roll['status']}[/].")


@app.command()
@takes_sign_in
def check(
    sign_in: SignIn,
    county_id: str = County,
    roll_year: int = RollYear,
    rows: str | None = typer.Option(None, help="List what this check found last, instead of running all of them."),
) -> None:
    """Run the checks over the roll of ROLL_YEAR, and list those that find something."""
    path, screen = _path(county_id, roll_year), console()
    with sign_in() as client:
        if rows is not None:
            found = WholeTable("row", "property", "what", "waived")
            for row in client.pages(f"{path}/checks/{rows}/rows"):
                found.add_row(row["row_key"], row["property_id"] or "", row["detail"], "yes" if row["waived"] else "")
            screen.print(found)
            return
        check_roll(client, screen, county_id, roll_year)


@app.command()
@takes_sign_in
def waive(
    sign_in: SignIn,
    county_id: str = County,
    roll_year: int = RollYear,
    check_name: str = typer.Argument(help="The check, as `roll check` names it."),
    reason: str = typer.Option(..., help="Why it does not keep the roll from being certified."),
    row: str | None = typer.Option(None, help="One row of the check, instead of all of them."),
) -> None:
    """Waive CHECK_NAME for the roll of ROLL_YEAR."""
    with sign_in() as client:
        body = {"check_name": check_name, "row_key": row, "reason": reason}
        waiver = client.post(f"{_path(county_id, roll_year)}/waivers", body)
    console().print(f"Waiver {waiver['waiver_id']} stands.")


@app.command()
@takes_sign_in
def certify(
    sign_in: SignIn,
    county_id: str = County,
    roll_year: int = RollYear,
    reason: str | None = typer.Option(None, help="What there is to say with it."),
) -> None:
    """Certify the roll of ROLL_YEAR, or the supplements that it has had since it was certified."""
    with sign_in() as client:
        certify_roll(client, console(), county_id, roll_year, reason)


@app.command()
@takes_sign_in
def verify(sign_in: SignIn, county_id: str = County, roll_year: int = RollYear) -> None:
    """Verify the certificate of the roll of ROLL_YEAR; fails where something does not fit."""
    with sign_in() as client:
        verify_certificate(client, console(), county_id, roll_year)


@app.command()
@takes_sign_in
def compare(
    sign_in: SignIn,
    county_id: str = County,
    roll_year: int = RollYear,
    other_year: int = typer.Argument(help="The year that it is compared with."),
) -> None:
    """The roll of ROLL_YEAR beside that of another year, with the reasons of the difference."""
    with sign_in() as client:
        compared = client.get(f"{_path(county_id, roll_year)}/compare", **{"with": other_year})
    table = WholeTable("reason", "assessments", "total value")
    table.add_row(f"roll of {other_year}", *_sums(compared["before"]))
    for each in compared["reasons"]:
        table.add_row(each["reason"], *_sums(each))
    table.add_row(f"roll of {roll_year}", *_sums(compared["after"]))
    console().print(table)


def check_roll(client: Client, screen: Console, county_id: str, roll_year: int) -> dict[str, Any]:
    """Run the checks over a roll, print those that find something, and return their outcome."""
    job = wait_with_progress(client, screen, client.request("POST", f"{_path(county_id, roll_year)}/checks"))
    outcome: dict[str, Any] = client.get(job["links"]["results"])
    table = WholeTable("check", "what", "severity", "rows", "waived", "owner")
    for each in outcome["checks"]:
        if each["rows"]:
            counts = (f"{each['rows']:,}", f"{each['waived']:,}")
            table.add_row(each["name"], each["title"], each["severity"], *counts, each["owner"])
    screen.print(table)
    verdict = "can be certified" if outcome["certifiable"] else "cannot be certified: rows of checks that block"
    screen.print(f"The roll of {roll_year} {verdict}.")
    return outcome


def certify_roll(client: Client, screen: Console, county_id: str, roll_year: int, reason: str | None) -> None:
    """Certify a roll, and print its certificate. Raises JobFailedError where a check blocks it."""
    submitted = client.post(f"{_path(county_id, roll_year)}/certify", {"reason": reason})
    certificate = client.get(wait_with_progress(client, screen, submitted)["links"]["results"])
    statement = certificate["statement"]
    totals = statement["totals"]
    screen.print(
        f"The roll of {roll_year} was certified by {statement['certified_by']} on {statement['certified_at'][:10]}:"
        f" {totals['assessments']:,} assessments, {dollars(totals['total_value'])},"
        f" {len(certificate['supplements'])} supplement(s). SHA-256 of its manifest:"
    )
    print(certificate["sha256"])


def verify_certificate(client: Client, screen: Console, county_id: str, roll_year: int) -> None:
    """Verify a roll's certificate. Raises CommandError where something does not fit."""
    submitted = client.request("POST", f"{_path(county_id, roll_year)}/certificate/verify")
    outcome = client.get(wait_with_progress(client, screen, submitted)["links"]["results"])
    for finding in outcome["findings"]:
        screen.print(finding, markup=False)
    if not outcome["intact"]:
        raise CommandError(f"The roll of {roll_year} is not as it was certified.")
    screen.print(
        f"The certificate of {roll_year} is intact: {outcome['manifests']} manifest(s) made again, byte for byte,"
        f" and {outcome['rows']:,} rows."
    )


def _sums(figures: dict[str, Any]) -> tuple[str, str]:
    return f"{figures['assessments']:,}", dollars(figures["total_value"])


def _path(county_id: str, roll_year: int) -> str:
    return f"/v1/counties/{county_id}/rolls/{roll_year}"


def change_roll(client: Client, screen: Console, path: str, request: object) -> str:
    """Approve a run or take an approval back, and watch. Returns what was written, in words.

    Raises ProblemError, JobFailedError.
    """
    job = wait_with_progress(client, screen, client.post(path, request))
    done = client.get(job["links"]["results"])
    verb = "written to" if done["action"] == "approve" else "put back on"
    skipped = "".join(f", {count:,} skipped ({reason.replace('_', ' ')})" for reason, count in done["skipped"].items())
    return (
        f"{done['assessments']:,} assessments and {done['properties']:,} properties {verb} the roll of"
        f" {done['roll_year']}{skipped}."
    )


def _change(path: str, request: object, sign_in: SignIn) -> None:
    screen = console()
    with sign_in() as client:
        screen.print(change_roll(client, screen, path, request))
