"""Accounts of the user pool that the local cloud creates, each with a password of this data directory's own."""

import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.aws.clients import Clients
from infra.local.state import StateStore


@dataclass(frozen=True)
class Account:
    """A user of the pool to be created: the groups that it joins, and its attributes by name."""

    username: str
    groups: tuple[str, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """The first group."""
        return self.groups[0]


@dataclass(frozen=True)
class Credentials:
    """An account that exists, and its password."""

    username: str
    password: str
    role: str


def create_accounts(
    clients: Clients, state: StateStore, pool_id: str, accounts: Iterable[Account]
) -> list[Credentials]:
    """Create the accounts that are missing. An administrator's later changes to the others are kept.

    An account whose first group the pool does not have is left out.
    """
    cognito = clients("cognito-idp")
    existing = {user["Username"] for user in _all_users(cognito, pool_id)}
    pool_groups = {group["GroupName"] for group in cognito.list_groups(UserPoolId=pool_id)["Groups"]}
    created = []
    for account in accounts:
        if account.role not in pool_groups:
            continue
        credentials = Credentials(account.username, _password(state, account.username), account.role)
        if account.username not in existing:
            _create(cognito, pool_id, account, credentials.password)
        _join_groups(cognito, state, pool_id, account, pool_groups)
        created.append(credentials)
    return created


def _password(state: StateStore, username: str) -> str:
    password = state.get("ready_user", username)
    if password is None:
        password = _new_password()
        state.put("ready_user", username, password)
    return str(password)


def _create(cognito: Any, pool_id: str, account: Account, password: str) -> None:
    cognito.admin_create_user(
        UserPoolId=pool_id,
        Username=account.username,
        UserAttributes=[{"Name": name, "Value": value} for name, value in account.attributes.items()],
        MessageAction="SUPPRESS",
    )
    cognito.admin_set_user_password(UserPoolId=pool_id, Username=account.username, Password=password, Permanent=True)


def _join_groups(cognito: Any, state: StateStore, pool_id: str, account: Account, pool_groups: set[str]) -> None:
    """Add the account to each of its groups once: a membership that was taken away afterwards stays away."""
    joined = state.get("account_groups", account.username) or []
    joining = [group for group in account.groups if group in pool_groups and group not in joined]
    for group in joining:
        cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=account.username, GroupName=group)
    if joining:
        state.put("account_groups", account.username, [*joined, *joining])


def _all_users(cognito: Any, pool_id: str) -> list[dict[str, Any]]:
    pages = cognito.get_paginator("list_users").paginate(UserPoolId=pool_id)
    return [user for page in pages for user in page["Users"]]


def _new_password() -> str:
    """Twenty characters, with one of each kind that a pool's policy may require."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_+=")
    letters = [secrets.choice(kind) for kind in kinds]
    letters += [secrets.choice(string.ascii_letters + string.digits) for _ in range(16)]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)
