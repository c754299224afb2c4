"""The documentation of the transformations, from the registry."""

from pydantic.fields import FieldInfo

from shared.mapping.step import Step
from shared.mapping.transformations import TRANSFORMATIONS


def transformations_table() -> str:
    """A Markdown table of every transformation: name, parameters with their defaults, meaning."""
    rows = ["| transformation | parameters | what it does |", "|---|---|---|"]
    for name, step in TRANSFORMATIONS.items():
        rows.append(f"| `{name}` | {_parameters(step)} | {_meaning(step)} |")
    return "\n".join(rows)


def _parameters(step: type[Step]) -> str:
    fields = ((name, info) for name, info in step.model_fields.items() if name != "type")
    return ", ".join(_parameter(name, info) for name, info in fields) or "none"


def _parameter(name: str, info: FieldInfo) -> str:
    if info.is_required():
        return f"`{name}`"
    return f"`{name}` ({'optional' if info.default is None else repr(info.default)})"


def _meaning(step: type[Step]) -> str:
    return " ".join((step.__doc__ or "").split()).replace("|", "\\|")
