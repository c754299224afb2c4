"""The documentation of transformations and rules, from their registries."""

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.mapping.transformations import TRANSFORMATIONS
from shared.mapping.validations import VALIDATIONS


def transformations_table() -> str:
    """A Markdown table of every transformation: name, parameters with their defaults, meaning."""
    rows = ["| transformation | parameters | what it does |", "|---|---|---|"]
    for name, step in TRANSFORMATIONS.items():
        rows.append(f"| `{name}` | {parameters(step, 'type')} | {meaning(step)} |")
    return "\n".join(rows)


def validations_table() -> str:
    """A Markdown table of every rule: name, parameters with their defaults, meaning."""
    rows = ["| rule | parameters | what has to hold |", "|---|---|---|"]
    for name, rule in VALIDATIONS.items():
        rows.append(f"| `{name}` | {parameters(rule, 'rule', 'severity')} | {meaning(rule)} |")
    return "\n".join(rows)


def parameters(step: type[BaseModel], *without: str) -> str:
    """The parameters of an element, with their defaults; `without` those that are told elsewhere."""
    fields = ((name, info) for name, info in step.model_fields.items() if name not in without)
    return ", ".join(_parameter(name, info) for name, info in fields) or "none"


def _parameter(name: str, info: FieldInfo) -> str:
    if info.is_required():
        return f"`{name}`"
    return f"`{name}` ({'optional' if info.default is None else repr(info.default)})"


def meaning(step: type[BaseModel]) -> str:
    """What an element's docstring says, on one line."""
    return " ".join((step.__doc__ or "").split()).replace("|", "\\|")
