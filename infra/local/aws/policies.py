"""IAM policies: statements of the template, and their decision about a call.

The rules are AWS's for calls within one account (IAM User Guide, "How AWS enforcement code logic ... allow or deny
access"): an explicit Deny wins, then an Allow of the role's own policies or of the resource's, and what nothing allows
is denied.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from infra.local.cloud_assembly import TemplateError


@dataclass(frozen=True)
class Access:
    """An action on a resource, both as policies name them, and the keys of the request that conditions look at."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """A statement of a policy. `principals` is empty in a role's own policy."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Operator, key, and the values of which one must match."""

    def applies(self, access: Access) -> bool:
        """True where action, resource and all conditions match."""
        return (
            any(_matches(pattern.lower(), access.action.lower()) for pattern in self.actions)
            and any(_matches(pattern, access.resource) for pattern in self.resources)
            and all(_holds(operator, values, access.context.get(key)) for operator, key, values in self.conditions)
        )


def statements(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """The statements of a policy document. Raises TemplateError for elements that are not known here."""
    return tuple(_statement(element) for element in _list(document["Statement"]))


def allows(role: Sequence[Statement], resource_policy: Sequence[Statement], role_arn: str, access: Access) -> bool:
    """True where a role may make a call on a resource with this policy."""
    of_resource = [statement for statement in resource_policy if _names(statement, role_arn)]
    applying = [statement for statement in (*role, *of_resource) if statement.applies(access)]
    return any(statement.allows for statement in applying) and all(statement.allows for statement in applying)


def _statement(element: Mapping[str, Any]) -> Statement:
    unknown = set(element) - {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
    operators = set(element.get("Condition", {})) - {*_OPERATORS, _NULL}
    if unknown or operators:
        message = f"a policy has {', '.join(sorted(unknown | operators))}, which is not known here: {element}"
        raise TemplateError(message)
    return Statement(
        allows=element["Effect"] == "Allow",
        actions=tuple(_list(element["Action"])),
        resources=tuple(_list(element.get("Resource", "*"))),
        principals=tuple(_principals(element.get("Principal", {}))),
        conditions=tuple(
            (operator, key, tuple(str(value) for value in _list(values)))
            for operator, keys in element.get("Condition", {}).items()
            for key, values in keys.items()
        ),
    )


def _holds(operator: str, values: Sequence[str], given: str | None) -> bool:
    """True where the request's key is one of the values; of `Null`, where that it has none is as the value says."""
    if operator == _NULL:
        return any((value.lower() == "true") is (given is None) for value in values)
    return given is not None and any(_OPERATORS[operator](value, given) for value in values)


def _principals(principal: Any) -> Iterable[str]:
    if isinstance(principal, str):
        return [principal]
    return [name for names in principal.values() for name in _list(names)]


def _names(statement: Statement, role_arn: str) -> bool:
    """True where a statement of a resource's policy speaks of the role; of the whole account it can only deny."""
    account = f"{role_arn.rpartition(':')[0]}:root"
    named = {"*", role_arn} if statement.allows else {"*", role_arn, account}
    return not named.isdisjoint(statement.principals)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> "re.Pattern[str]":
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _matches(pattern: str, text: str) -> bool:
    return _pattern(pattern).fullmatch(text) is not None


_NULL = "Null"
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": _matches,
    "ArnEquals": _matches,
    "ArnLike": _matches,
    "Bool": lambda value, given: value.lower() == given.lower(),
}
