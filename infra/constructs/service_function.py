"""A Lambda function of the registry with a role, a log and layers of its own."""

from functools import cached_property

from aws_cdk import Duration, RemovalPolicy, Size, Stack
from aws_cdk.aws_ec2 import SubnetSelection, SubnetType
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_lambda import (
    Alias,
    ApplicationLogLevel,
    Architecture,
    Function,
    LayerVersion,
    LoggingFormat,
    Runtime,
    SnapStartConf,
    SystemLogLevel,
    Tracing,
    Version,
    VersionOptions,
)
from aws_cdk.aws_logs import LogGroup
from constructs import Construct

from infra.assets import layer_code, module_code
from infra.best_practices import accept
from infra.constructs.platform import Platform
from infra.function_specs import FunctionSpec, Grant, Layer
from infra.settings import COUNTY_LIMITS
from shared.settings import REQUIRED_SETTINGS

_NETWORK_INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
_ACCEPTED = {
    "AwsSolutions-L1": "The layers are compiled and tested for Python 3.13 (infra/assets.py), which AWS supports.",
    "AwsSolutions-IAM5[Resource::*]": "Network interfaces and trace segments are actions that take no resource.",
}
_IN_NETWORK = {Grant.DATABASE, Grant.DATABASE_OWNER, Grant.SOURCE_SECRETS}


class ServiceFunction(Construct):
    """A function on Python 3.13 and arm64 whose role has its grants and nothing else."""

    def __init__(self, scope: Construct, spec: FunctionSpec, platform: Platform) -> None:
        super().__init__(scope, spec.construct_id)
        self.spec = spec
        name = platform.settings.physical_name(spec.name)
        log = LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{name}",
            retention=platform.settings.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = Role(self, "Role", assumed_by=ServicePrincipal("lambda.amazonaws.com"), description=f"Runs {name}")
        log.grant_write(role)
        capabilities = [platform.capability(grant) for grant in sorted(spec.grants)]
        for capability in capabilities:
            capability.allow(role)
        granted = {name: value for c in capabilities for name, value in c.environment.items()}
        placement = platform.placement if spec.grants & _IN_NETWORK else None
        if placement:
            # These actions take no resource: Lambda joins the function to the network with them.
            role.add_to_policy(PolicyStatement(actions=_NETWORK_INTERFACES, resources=["*"]))
        self.function = Function(
            self,
            "Function",
            function_name=name,
            runtime=Runtime.PYTHON_3_13,
            architecture=Architecture.ARM_64,
            handler=spec.entry,
            code=module_code(spec.package),
            layers=[_layer(Stack.of(self), layer) for layer in spec.layers],
            memory_size=min(spec.memory_mb, platform.settings.max_function_mb),
            ephemeral_storage_size=Size.mebibytes(spec.scratch_mb),
            timeout=Duration.seconds(spec.timeout_s),
            snap_start=(SnapStartConf.ON_PUBLISHED_VERSIONS if spec.name in platform.settings.snap_start else None),
            # A machine's execution calls, to its end, the versions that it began with.
            current_version_options=VersionOptions(removal_policy=RemovalPolicy.RETAIN),
            reserved_concurrent_executions=platform.settings.reserved_concurrency.get(spec.name),
            role=role,
            log_group=log,
            logging_format=LoggingFormat.JSON,
            application_log_level_v2=ApplicationLogLevel.INFO,
            system_log_level_v2=SystemLogLevel.WARN,
            tracing=Tracing.ACTIVE,
            environment={
                "STAGE": platform.settings.name,
                "POWERTOOLS_SERVICE_NAME": spec.name,
                REQUIRED_SETTINGS: ",".join(sorted(granted)),
                **{COUNTY_LIMITS[name]: str(limit) for name, limit in platform.settings.county_limits.items()},
                **granted,
            },
            vpc=placement.vpc if placement else None,
            security_groups=[placement.security_group] if placement else None,
            vpc_subnets=SubnetSelection(subnet_type=SubnetType.PRIVATE_WITH_EGRESS) if placement else None,
        )
        accept(
            self,
            _ACCEPTED
            | {
                f"AwsSolutions-IAM5[Resource::{arn}]": reason
                for c in capabilities
                for arn, reason in c.wildcards.items()
            },
        )

    @cached_property
    def version(self) -> Version:
        """The function as this deployment publishes it; later deployments publish others and leave it."""
        return self.function.current_version

    @cached_property
    def alias(self) -> Alias:
        """The version that callers get who do not choose one."""
        return Alias(self, "Live", alias_name="live", version=self.version)


def _layer(stack: Stack, layer: Layer) -> LayerVersion:
    """The stack's own version of the layer, from the shared asset.

    A version made in one stack would not reach the functions of another: their templates name its output, which
    reads the same before and after, so nothing would tell CloudFormation to update them.
    """
    construct_id = f"{layer.title()}Layer"
    existing = stack.node.try_find_child(construct_id)
    if isinstance(existing, LayerVersion):
        return existing
    return LayerVersion(
        stack,
        construct_id,
        code=layer_code(layer, with_shared=layer is Layer.CORE),
        compatible_runtimes=[Runtime.PYTHON_3_13],
        compatible_architectures=[Architecture.ARM_64],
        removal_policy=RemovalPolicy.DESTROY,
    )
