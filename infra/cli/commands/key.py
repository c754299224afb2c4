"""`terrafusion key`: access keys of tools that cannot renew a token."""

from datetime import UTC, datetime, timedelta

import typer

from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable

app = typer.Typer(no_args_is_help=True)

CountiesArgument = typer.Argument(help="The counties that it opens.")
PermissionOption = typer.Option(["view_properties"], "--permission", help="What it opens there; may be repeated.")
NameOption = typer.Option(..., "--name", help="A name by which you know it, such as the tool's.")
DaysOption = typer.Option(90, "--days", min=1, max=366, help="For so long.")


@app.command("new")
@takes_sign_in
def new_key(
    sign_in: SignIn,
    counties: list[str] = CountiesArgument,
    name: str = NameOption,
    permissions: list[str] = PermissionOption,
    days: int = DaysOption,
) -> None:
    """Make a key, and show its secret this once."""
    expires_at = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    body = {"name": name, "counties": counties, "permissions": permissions, "expires_at": expires_at}
    with sign_in() as client:
        key = client.request("POST", "/v1/keys", body=body)
    screen = console()
    screen.print(f"Key [bold]{key['id']}[/] for {', '.join(key['counties'])}, until {key['expires_at'][:10]}:")
    print(key["secret"])
    screen.print("Send it as the password, with any user name. It is not shown again.")


@app.command("list")
@takes_sign_in
def list_keys(sign_in: SignIn) -> None:
    """List your keys and, where you manage users, those of your counties; the newest first."""
    table = WholeTable("key", "name", "owner", "status", "counties", "permissions", "expires", "last used")
    with sign_in() as client:
        for key in client.keys():  # noqa: SIM118 - an iterator of the API
            opens = (", ".join(key["counties"]), ", ".join(key["permissions"]))
            times = (key["expires_at"][:10], (key["last_used_at"] or "never")[:16])
            table.add_row(key["id"], key["name"], key["owner"], key["status"], *opens, *times)
    console().print(table)


@app.command("revoke")
@takes_sign_in
def revoke_key(sign_in: SignIn, key_id: str = typer.Argument(help="The key's id, from `key list`.")) -> None:
    """Revoke a key: it opens nothing more after a minute."""
    with sign_in() as client:
        client.request("DELETE", f"/v1/keys/{key_id}")
    console().print(f"Key {key_id} is revoked.")
