"""Groups of schedules that functions write while they run: counties' syncs, and jobs that are made again."""

from collections.abc import Callable

from aws_cdk import Stack
from aws_cdk.aws_iam import IRole, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_scheduler import CfnScheduleGroup

from infra.constructs.dead_letters import DeadLetters
from infra.constructs.platform import Platform
from infra.function_specs import Grant


def offer_schedules(
    stack: Stack,
    platform: Platform,
    grant: Grant,
    *,
    group_name: str,
    variables: str,
    description: str,
    target: tuple[str, str],
    allow_target: Callable[[IRole], object],
    dead_letters: DeadLetters,
) -> CfnScheduleGroup:
    """Define `grant`: to write schedules of a new group, whose role may call what `allow_target` allows it.

    `variables` begins the names of the environment variables. `target` is the one for the ARN of what the schedules
    call, and the ARN; `description` is the role's.
    """
    group = CfnScheduleGroup(stack, "Schedules", name=platform.settings.physical_name(group_name))
    name = str(group.name)
    schedules = stack.format_arn(service="scheduler", resource="schedule", resource_name=f"{name}/*")
    # Only a schedule of this account's group may take the role (the confused deputy of another account).
    role = Role(
        stack,
        "ScheduleRole",
        description=description,
        assumed_by=ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {
                    "aws:SourceArn": stack.format_arn(
                        service="scheduler", resource="schedule-group", resource_name=name
                    )
                },
            },
        ),
    )
    allow_target(role)
    statements = [
        PolicyStatement(
            actions=[f"scheduler:{verb}Schedule" for verb in ("Create", "Delete", "Update")], resources=[schedules]
        ),
        PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        ),
    ]
    variable, target_arn = target
    platform.offer(
        grant,
        environment={
            f"{variables}_GROUP_NAME": group.ref,
            f"{variables}_ROLE_ARN": role.role_arn,
            f"{variables}_DEAD_LETTERS_ARN": dead_letters.keep_for(role),
            variable: target_arn,
        },
        allow=lambda grantee: [grantee.add_to_principal_policy(statement) for statement in statements],
        wildcards={"arn:<AWS::Partition>:scheduler:…/*": "Schedules are made while functions run."},
    )
    return group
