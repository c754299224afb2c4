"""The ready-made users: one a role, with a password of this data directory's own."""

import secrets
import string
from dataclasses import dataclass
from typing import Any

from infra.local.aws.clients import Clients
from infra.local.state import StateStore

COUNTIES = "king_wa lucas_oh"
"""The counties of the demonstration data, which every ready-made user may see."""

_ROLES = {
    "assessor": "Assessor",
    "valuation": "ValuationStaff",
    "reporting": "ReportingStaff",
    "itadmin": "ITAdmin",
    "auditor": "Auditor",
}
_OPERATOR = ("itadmin", "PlatformOperator")
"""Whoever runs the local cloud is its operator: its administrator may onboard any county."""


@dataclass(frozen=True)
class ReadyUser:
    """Someone who can sign in right away."""

    username: str
    password: str
    role: str


def ready_users(clients: Clients, state: StateStore, pool_id: str) -> list[ReadyUser]:
    """The users, made where they are missing. An administrator's later changes to them are left alone."""
    cognito = clients("cognito-idp")
    known = {user["Username"] for user in _all_users(cognito, pool_id)}
    groups = {group["GroupName"] for group in cognito.list_groups(UserPoolId=pool_id)["Groups"]}
    users = []
    for username, role in _ROLES.items():
        if role not in groups:
            continue
        password = state.get("ready_user", username)
        if password is None:
            password = _new_password()
            state.put("ready_user", username, password)
        user = ReadyUser(username, password, role)
        if username not in known:
            _create(cognito, pool_id, user)
        users.append(user)
    username, group = _OPERATOR
    if group in groups and state.get("ready_operator", username) is None:
        cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=username, GroupName=group)
        state.put("ready_operator", username, group)
    return users


def _create(cognito: Any, pool_id: str, user: ReadyUser) -> None:
    attributes = {
        "email": f"{user.username}@terrafusion.test",
        "email_verified": "true",
        "custom:counties": COUNTIES,
    }
    cognito.admin_create_user(
        UserPoolId=pool_id,
        Username=user.username,
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        MessageAction="SUPPRESS",
    )
    cognito.admin_set_user_password(UserPoolId=pool_id, Username=user.username, Password=user.password, Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=user.username, GroupName=user.role)


def _all_users(cognito: Any, pool_id: str) -> list[dict[str, Any]]:
    pages = cognito.get_paginator("list_users").paginate(UserPoolId=pool_id)
    return [user for page in pages for user in page["Users"]]


def _new_password() -> str:
    """Twenty letters and digits, with one of each kind that the pool's policy may ask for."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_+=")
    letters = [secrets.choice(kind) for kind in kinds]
    letters += [secrets.choice(string.ascii_letters + string.digits) for _ in range(16)]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)
