"""`terrafusion audit`: who changed what in a county, and whether the trail is as it was written."""

import typer
from rich.console import Console

from infra.cli.errors import CommandError
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

app = typer.Typer(no_args_is_help=True)

County = typer.Argument(help="The county.")
MAX_CHARACTERS = 80
"""Of a cell; the API has the whole."""


@app.command("list")
@takes_sign_in
def list_events(
    sign_in: SignIn,
    county_id: str = County,
    actor: str | None = typer.Option(None, help="Whose actions."),
    action: str | None = typer.Option(None, help="The action, such as property.edited."),
    subject: str | None = typer.Option(None, help="What was changed, such as properties/0123059127."),
    text: str | None = typer.Option(None, "--text", help="A text that they contain."),
    since: str | None = typer.Option(None, help="From this time on (2026-03-01T00:00:00Z)."),
    until: str | None = typer.Option(None, help="Before this time."),
    limit: int = typer.Option(20, "--limit", min=1, help="How many."),
) -> None:
    """The county's audit events, the newest first."""
    filters = {"actor": actor, "action": action, "subject": subject, "q": text, "since": since, "until": until}
    with sign_in() as client:
        page = client.get(f"/v1/counties/{county_id}/audit-events", page_size=limit, **filters)
    table = WholeTable("event", "time", "actor", "address", "action", "subject", "old", "new", "details")
    for event in page["items"]:
        values = (_shown(event[name]) for name in ("old", "new", "details"))
        time, who = event["occurred_at"][:19], (event["actor"], event["address"] or "")
        table.add_row(str(event["event_id"]), time, *who, event["action"], event["subject"], *values)
    console().print(table)


@app.command()
@takes_sign_in
def verify(sign_in: SignIn, county_id: str = County) -> None:
    """Seal what has been written, and hold every seal against the events and its record; fails where one differs."""
    with sign_in() as client:
        verify_trail(client, console(), county_id)


def verify_trail(client: Client, screen: Console, county_id: str) -> None:
    """Seal and verify a county's audit trail. Raises CommandError where something is not as it was sealed."""
    seals = events = 0
    findings: list[str] = []
    path = f"/v1/counties/{county_id}/audit-seals"
    client.request("POST", path)
    for verdict in client.pages(f"{path}/verification"):
        seals, events = seals + 1, events + verdict["events"]
        findings += [f"seal {verdict['seal_no']}: {each['kind']}: {each['detail']}" for each in verdict["findings"]]
    for finding in findings:
        screen.print(finding, markup=False)
    if findings:
        raise CommandError(f"The audit trail of {county_id} is not as it was sealed: {len(findings)} finding(s).")
    screen.print(f"The audit trail of {county_id} is intact: {events:,} events under {seals:,} seal(s).")


def _shown(values: dict[str, object] | None) -> str:
    text = ", ".join(f"{name}: {value}" for name, value in (values or {}).items())
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
