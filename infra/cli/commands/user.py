"""`terrafusion user`: a county's users."""

from typing import TYPE_CHECKING, cast

import typer

from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable

if TYPE_CHECKING:
    from terrafusion.requests import Invitation, UserChange

app = typer.Typer(no_args_is_help=True)

CountyArgument = typer.Argument(help="The county.")
UserArgument = typer.Argument(help="The user's name, from `user list`.")
RoleArgument = typer.Argument(help="Assessor, ValuationStaff, ReportingStaff, ITAdmin or Auditor.")


@app.command("list")
@takes_sign_in
def list_users(sign_in: SignIn, county: str = CountyArgument) -> None:
    """List a county's users by their names."""
    table = WholeTable("user", "roles", "status", "invited by", "last sign-in")
    with sign_in() as client:
        for user in client.county(county).users():
            status = user["status"] if user["enabled"] else "disabled"
            last_sign_in = (user["last_signed_in_at"] or "never")[:16]
            table.add_row(user["username"], ", ".join(user["roles"]), status, user["invited_by"] or "", last_sign_in)
    console().print(table)


@app.command("invite")
@takes_sign_in
def invite_user(
    sign_in: SignIn,
    county: str = CountyArgument,
    email: str = typer.Argument(help="The address to which the invitation is mailed."),
    role: str = RoleArgument,
) -> None:
    """Invite a user, or let a user of your other counties work for this one too."""
    with sign_in() as client:
        user = client.county(county).invite_user(cast("Invitation", {"email": email, "role": role}))
    console().print(f"{user['username']} works for {county} as {', '.join(user['roles'])}.")


@app.command("resend")
@takes_sign_in
def resend_invitation(sign_in: SignIn, county: str = CountyArgument, user: str = UserArgument) -> None:
    """Mail an invitation again."""
    with sign_in() as client:
        client.county(county).resend_invitation(user)
    console().print(f"The invitation of {user} is sent again.")


@app.command("role")
@takes_sign_in
def change_role(
    sign_in: SignIn, county: str = CountyArgument, user: str = UserArgument, role: str = RoleArgument
) -> None:
    """Give a user another role, and end the user's sessions."""
    _change(sign_in, county, user, cast("UserChange", {"role": role}))
    console().print(f"{user} is {role}.")


@app.command("disable")
@takes_sign_in
def disable_user(sign_in: SignIn, county: str = CountyArgument, user: str = UserArgument) -> None:
    """Let a user sign in no longer, and end the user's sessions."""
    _change(sign_in, county, user, {"enabled": False})
    console().print(f"{user} is disabled.")


@app.command("enable")
@takes_sign_in
def enable_user(sign_in: SignIn, county: str = CountyArgument, user: str = UserArgument) -> None:
    """Let a disabled user sign in again."""
    _change(sign_in, county, user, {"enabled": True})
    console().print(f"{user} is enabled.")


@app.command("reset")
@takes_sign_in
def reset_password(sign_in: SignIn, county: str = CountyArgument, user: str = UserArgument) -> None:
    """End a user's password, sessions and access keys, and mail a new password."""
    with sign_in() as client:
        client.county(county).reset_password(user)
    console().print(f"A new password is mailed to {user}.")


@app.command("remove")
@takes_sign_in
def remove_user(sign_in: SignIn, county: str = CountyArgument, user: str = UserArgument) -> None:
    """Let a user work for a county no longer."""
    with sign_in() as client:
        client.county(county).remove_user(user)
    console().print(f"{user} works for {county} no longer.")


def _change(sign_in: SignIn, county: str, user: str, change: "UserChange") -> None:
    with sign_in() as client:
        users = client.county(county)
        users.change_user(user, change, if_match=users.get_user(user))
