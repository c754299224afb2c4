"""What the stacks made so far offer to functions: each grant's permissions and environment variables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aws_cdk.aws_ec2 import ISecurityGroup, IVpc
from aws_cdk.aws_iam import IRole

from infra.functions import Grant
from infra.settings import StageSettings


@dataclass(frozen=True)
class Capability:
    """How a function gets what a grant names."""

    environment: Mapping[str, str]
    allow: Callable[[IRole], object]


@dataclass(frozen=True)
class Placement:
    """Where the functions that reach the database or a county's system run."""

    vpc: IVpc
    security_group: ISecurityGroup


@dataclass
class Platform:
    """Passed from stack to stack, in order of deployment; each stack adds what it offers."""

    settings: StageSettings
    placement: Placement | None = None
    _capabilities: dict[Grant, Capability] = field(default_factory=dict)

    def offer(
        self, grant: Grant, *, environment: Mapping[str, str] | None = None, allow: Callable[[IRole], object]
    ) -> None:
        """Say what `grant` means from here on."""
        self._capabilities[grant] = Capability(environment or {}, allow)

    def capability(self, grant: Grant) -> Capability:
        """What `grant` means. Raises LookupError when it is offered by a later stack only."""
        if grant not in self._capabilities:
            raise LookupError(f"no stack so far offers the grant {grant}: see the order in infra/application.py")
        return self._capabilities[grant]
