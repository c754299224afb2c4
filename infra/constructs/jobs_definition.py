"""The jobs machine: the function of the job's kind runs it; on an error it is called again to record the failure.

Input: `{county_id, job_id, kind}`. The call after an error has `failure: {Error, Cause}` as well.
"""

from collections.abc import Sequence

from aws_cdk.aws_stepfunctions import Choice, Condition, Fail, IChainable, Succeed
from constructs import Construct

from infra.constructs.service_function import ServiceFunction
from infra.constructs.steps import DISCARD, FAILURE, call


def jobs_definition(scope: Construct, functions: Sequence[ServiceFunction]) -> IChainable:
    """The first state: a choice by `$.kind` among the kinds that the functions run."""
    done = Succeed(scope, "Done")
    failed = Fail(scope, "Job failed", error_path=f"{FAILURE}.Error", cause_path=f"{FAILURE}.Cause")
    choice = Choice(scope, "Kind of job")
    for function in functions:
        for kind in function.spec.job_kinds:
            record = call(scope, f"Record failed {kind}", function, result_path=DISCARD, on_failure=failed)
            record.next(failed)
            task = call(scope, f"Run {kind}", function, result_path=DISCARD, on_failure=record)
            task.next(done)
            choice.when(Condition.string_equals("$.kind", kind), task)
    return choice.otherwise(
        Fail(scope, "Unknown kind", error="UnknownKind", cause="No function of the registry runs this kind of job.")
    )
