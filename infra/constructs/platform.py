"""Grants as the stacks define them: each with its permissions and environment variables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aws_cdk.aws_ec2 import ISecurityGroup, IVpc
from aws_cdk.aws_iam import IRole

from infra.function_specs import Grant
from infra.settings import StageSettings


@dataclass(frozen=True)
class Capability:
    """The permissions and environment variables of a grant."""

    environment: Mapping[str, str]
    allow: Callable[[IRole], object]
    wildcards: Mapping[str, str] = field(default_factory=dict)
    """Resources that the permissions name by a pattern, each with the reason; `…` stands for generated text."""


@dataclass(frozen=True)
class Placement:
    """The network of the functions that reach the database or a county's system."""

    vpc: IVpc
    security_group: ISecurityGroup


@dataclass
class Platform:
    """A stage's settings and grants, passed from stack to stack in order of deployment; each stack adds its own."""

    settings: StageSettings
    placement: Placement | None = None
    _capabilities: dict[Grant, Capability] = field(default_factory=dict)

    def offer(
        self,
        grant: Grant,
        *,
        environment: Mapping[str, str] | None = None,
        allow: Callable[[IRole], object],
        wildcards: Mapping[str, str] | None = None,
    ) -> None:
        """Define `grant` for the stacks that follow."""
        self._capabilities[grant] = Capability(environment or {}, allow, wildcards or {})

    def capability(self, grant: Grant) -> Capability:
        """The definition of `grant`. Raises LookupError when only a later stack defines it."""
        if grant not in self._capabilities:
            raise LookupError(f"no stack so far offers the grant {grant}: see the order in infra/application.py")
        return self._capabilities[grant]
