"""The webhooks stack: from the end of a job to the attempts of its deliveries."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk.aws_events import EventPattern, Rule
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_secretsmanager import Secret, SecretStringGenerator
from aws_cdk.aws_stepfunctions import Choice, Condition, IChainable, StateMachine, Succeed, Wait, WaitTime
from constructs import Construct

from infra.best_practices import accept
from infra.constructs.dead_letters import DeadLetters
from infra.constructs.machine import Machine
from infra.constructs.platform import Platform
from infra.constructs.service_function import ServiceFunction
from infra.constructs.steps import call
from infra.function_specs import FunctionSpec, Grant

SIGNING_KEY_CHARACTERS = 64


class WebhooksStack(Stack):
    """EventBridge tells Dispatch of every end of `machines`; an execution of the machine here attempts one delivery,
    and waits between the attempts."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        platform: Platform,
        dispatch: FunctionSpec,
        attempt: FunctionSpec,
        machines: Sequence[StateMachine],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._offer_signing_key(platform)
        attempting = ServiceFunction(self, attempt, platform)
        definition = _definition(self, attempting)
        self.machine = Machine(self, "Webhooks", "webhooks", definition, (attempting,), platform.settings).machine
        platform.offer(
            Grant.RUN_DELIVERIES,
            environment={"WEBHOOK_STATE_MACHINE_ARN": self.machine.state_machine_arn},
            allow=self.machine.grant_start_execution,
        )
        self.dispatch = ServiceFunction(self, dispatch, platform).function
        self.functions = [self.dispatch, attempting.function]
        self.dead_letters = DeadLetters(self, "DeadLetters", "webhooks", platform.settings)
        Rule(
            self,
            "Ended",
            description="A job or a sync has ended",
            event_pattern=EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [machine.state_machine_arn for machine in machines],
                },
            ),
            targets=[self.dead_letters.event_target(self.dispatch)],
        )

    def _offer_signing_key(self, platform: Platform) -> None:
        key = Secret(
            self,
            "SigningKey",
            description="The key from which the secrets of webhooks are derived",
            generate_secret_string=SecretStringGenerator(
                exclude_punctuation=True, password_length=SIGNING_KEY_CHARACTERS
            ),
        )
        accept(key, {"AwsSolutions-SMG4": "A new key would be a new secret of every webhook; each can have a new one."})
        platform.offer(
            Grant.WEBHOOK_SIGNING,
            environment={"WEBHOOK_SIGNING_KEY_ARN": key.secret_arn},
            allow=lambda role: role.add_to_principal_policy(
                PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[key.secret_arn])
            ),
        )


def _definition(scope: Construct, function: ServiceFunction) -> IChainable:
    """Attempt, and again after as many seconds as the attempt says."""
    attempt = call(scope, "Attempt delivery", function, result_path="$.attempt")
    pause = Wait(scope, "Wait for the next attempt", time=WaitTime.seconds_path("$.attempt.wait_s"))
    attempt.next(
        Choice(scope, "Is there another attempt")
        .when(Condition.string_equals("$.attempt.outcome", "retry"), pause.next(attempt))
        .otherwise(Succeed(scope, "Delivery ended"))
    )
    return attempt
