"""The HTTPS API: firewall, gateway, authorizer, and one function a module."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Size, Stack
from aws_cdk.aws_apigateway import (
    AccessLogField,
    AccessLogFormat,
    ApiDefinition,
    EndpointType,
    LogGroupLogDestination,
    MethodLoggingLevel,
    SpecRestApi,
    StageOptions,
)
from aws_cdk.aws_cognito import IUserPool
from aws_cdk.aws_iam import ServicePrincipal
from aws_cdk.aws_logs import LogGroup
from constructs import Construct

from infra.best_practices import accept, managed_policy
from infra.constructs.canary import Canary
from infra.constructs.firewall import Firewall
from infra.constructs.platform import Platform
from infra.constructs.rest_api_definition import rest_api_definition
from infra.constructs.service_function import ServiceFunction
from infra.function_specs import FunctionSpec

REQUESTS_PER_SECOND = 200
BURST = 400


class ApiStack(Stack):
    """A REST API whose routes and scopes derive from the modules' declarations (`api.routes`)."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        platform: Platform,
        functions: Sequence[FunctionSpec],
        authorizer: FunctionSpec,
        user_pool: IUserPool,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        settings = platform.settings
        modules = [ServiceFunction(self, spec, platform) for spec in functions]
        asked = ServiceFunction(self, authorizer, platform)
        self.functions = [*(module.function for module in modules), asked.function]
        self.access_log = LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/apigateway/{settings.physical_name('api')}",
            retention=settings.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.api = SpecRestApi(
            self,
            "Api",
            api_definition=ApiDefinition.from_inline(rest_api_definition(self, modules, user_pool, asked)),
            rest_api_name=settings.physical_name("api"),
            endpoint_types=[EndpointType.REGIONAL],
            min_compression_size=Size.kibibytes(1),
            # any type: a function says by itself which of its answers are bytes, whatever a client accepts
            binary_media_types=["*/*"],
            cloud_watch_role=True,
            deploy_options=StageOptions(
                stage_name=settings.name,
                throttling_rate_limit=REQUESTS_PER_SECOND,
                throttling_burst_limit=BURST,
                logging_level=MethodLoggingLevel.ERROR,
                tracing_enabled=True,
                access_log_destination=LogGroupLogDestination(self.access_log),
                access_log_format=_access_log_format(),
            ),
        )
        accept(
            self.api,
            {
                "AwsSolutions-APIG2": "Handlers validate against the API's schemas, with a pointer to each error.",
                managed_policy("AmazonAPIGatewayPushToCloudWatchLogs"): "API Gateway asks for this policy.",
            },
        )
        self._permit_gateway_calls(modules, asked)
        if settings.production:
            errors = self.api.metric_server_error(period=Duration.minutes(1), statistic="Sum")
            Canary(self, "Canary", [*modules, asked], errors, settings)
        Firewall(
            self,
            "Firewall",
            name=settings.physical_name("api"),
            stage=self.api.deployment_stage,
            retention=settings.log_retention,
        )
        CfnOutput(self, "ApiUrl", value=self.api.url)

    def _permit_gateway_calls(self, modules: Sequence[ServiceFunction], authorizer: ServiceFunction) -> None:
        """One permission a function, for all of its routes."""
        gateway = ServicePrincipal("apigateway.amazonaws.com")
        sources = dict.fromkeys(modules, f"{self.api.deployment_stage.stage_name}/*/*") | {authorizer: "authorizers/*"}
        for function, source in sources.items():
            arn = self.format_arn(service="execute-api", resource=self.api.rest_api_id, resource_name=source)
            function.alias.add_permission("Gateway", principal=gateway, source_arn=arn)


def _access_log_format() -> AccessLogFormat:
    """One JSON object a request, with the request id that problem documents have."""
    fields = {
        "request_id": AccessLogField.context_request_id(),
        "time": AccessLogField.context_request_time(),
        "ip": AccessLogField.context_identity_source_ip(),
        "subject": AccessLogField.context_authorizer_claims("sub"),
        "principal": AccessLogField.context_authorizer_principal_id(),
        "method": AccessLogField.context_http_method(),
        "resource": AccessLogField.context_resource_path(),
        "path": AccessLogField.context_path(),
        "status": AccessLogField.context_status(),
        "bytes": AccessLogField.context_response_length(),
        "milliseconds": AccessLogField.context_response_latency(),
        "integration_milliseconds": AccessLogField.context_integration_latency(),
        "refused": AccessLogField.context_error_response_type(),
    }
    # numbers, which metric filters compare; the others can be "-", which would be no JSON
    numbers = {"status", "milliseconds"}
    members = (f'"{name}":{value}' if name in numbers else f'"{name}":"{value}"' for name, value in fields.items())
    return AccessLogFormat.custom("{" + ",".join(members) + "}")
