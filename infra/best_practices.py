"""AWS's best practices (cdk-nag's pack AwsSolutions): findings of the synthesized stacks, and accepted ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import Acknowledgment, App, Validations
from constructs import IConstruct

GENERATED = "…"
"""In a finding that is accepted: any text that the CDK generates (a logical id, an output's name)."""


class BestPracticeError(ValueError):
    """Findings that are neither mended nor accepted; the message lists them."""


@dataclass(frozen=True)
class Finding:
    """A rule (`AwsSolutions-IAM5[Resource::*]`) that a resource breaks."""

    rule: str
    path: str
    description: str


def accept(scope: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings of `scope` and of what is below it: each rule with its reason.

    A rule with several findings names each, `AwsSolutions-IAM5[Action::s3:List*]`; one `…` in it stands for generated
    text. Raises ValueError for a reason without words.
    """
    for rule, reason in reasons.items():
        if len(reason.split()) < 3:
            raise ValueError(f"{scope.node.path}: {rule} is accepted without a reason")
        Validations.of(scope).acknowledge(Acknowledgment(id=rule, reason=reason))


def managed_policy(name: str) -> str:
    """The finding that a role has AWS's own policy `name` for a service's role."""
    return f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{name}]"


def require_best_practices(app: App) -> None:
    """Check a synthesized app. Raises BestPracticeError for findings that nobody accepted."""
    findings = list(open_findings(app))
    if findings:
        lines = (f"{f.path}: {f.rule}: {f.description}" for f in findings)
        raise BestPracticeError("mend these, or accept them where the resource is made:\n" + "\n".join(lines))


def open_findings(app: App) -> Iterator[Finding]:
    """The findings of a synthesized app that nobody accepted, warnings included."""
    from cdk_nag import AwsSolutionsChecks  # a second of loading, which only those who check should wait for

    for violation in AwsSolutionsChecks(app).validate_scope(app).violations:
        for resource in violation.violating_resources:
            path = str(resource.construct_path)
            if not any(_covers(rule, violation.rule_name) for rule in _accepted_rules(app, path)):
                yield Finding(violation.rule_name, path, violation.description)


def _accepted_rules(app: App, path: str) -> Iterator[str]:
    """The rules that the construct at `path`, or one around it, accepts."""
    construct: IConstruct = app
    for name in path.split("/"):
        construct = construct.node.find_child(name)
        for entry in construct.node.metadata:
            if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                yield from (rule.removeprefix("Annotation::") for rule in entry.data)


def _covers(accepted: str, rule: str) -> bool:
    start, generated, end = accepted.partition(GENERATED)
    return rule.startswith(start) and rule.endswith(end) if generated else rule == accepted
