"""The network stack: VPC of functions and database, and the address that counties see."""

from typing import Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk.aws_ec2 import (
    CfnEIP,
    FlowLogDestination,
    FlowLogTrafficType,
    GatewayVpcEndpointAwsService,
    IpAddresses,
    NatProvider,
    SecurityGroup,
    SubnetConfiguration,
    SubnetType,
    Vpc,
)
from aws_cdk.aws_logs import LogGroup
from constructs import Construct

from infra.constructs.platform import Placement, Platform


class NetworkStack(Stack):
    """A VPC in two zones: functions in private subnets, the database in isolated ones."""

    def __init__(self, scope: Construct, construct_id: str, platform: Platform, **kwargs: Any) -> None:
        self._zones = list(platform.settings.zones)
        super().__init__(scope, construct_id, **kwargs)
        addresses = [
            CfnEIP(self, f"EgressAddress{number or ''}", domain="vpc")
            for number in range(platform.settings.nat_gateways)
        ]
        for address in addresses:
            # Counties write the addresses into their firewalls: they must outlive the gateways, and the stack.
            address.apply_removal_policy(RemovalPolicy.RETAIN)
        self.vpc = Vpc(
            self,
            "Vpc",
            ip_addresses=IpAddresses.cidr("10.40.0.0/16"),
            max_azs=2,
            nat_gateways=len(addresses),
            nat_gateway_provider=NatProvider.gateway(eip_allocation_ids=[a.attr_allocation_id for a in addresses]),
            subnet_configuration=[
                SubnetConfiguration(name="Public", subnet_type=SubnetType.PUBLIC, cidr_mask=24),
                SubnetConfiguration(name="Functions", subnet_type=SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
                SubnetConfiguration(name="Database", subnet_type=SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
        )
        self.vpc.add_gateway_endpoint("ObjectStorage", service=GatewayVpcEndpointAwsService.S3)
        self.vpc.add_flow_log(
            "RejectedTraffic",
            destination=FlowLogDestination.to_cloud_watch_logs(
                LogGroup(
                    self,
                    "FlowLog",
                    log_group_name=f"/aws/vpc/{platform.settings.physical_name('rejected')}",
                    retention=platform.settings.log_retention,
                    removal_policy=RemovalPolicy.DESTROY,
                )
            ),
            # what is let through is known by the log of whoever answers it
            traffic_type=FlowLogTrafficType.REJECT,
        )
        functions = SecurityGroup(
            self,
            "FunctionsSecurityGroup",
            vpc=self.vpc,
            description="Functions: out to AWS and to the systems of the counties, nothing in",
            allow_all_outbound=True,
        )
        platform.placement = Placement(self.vpc, functions)
        CfnOutput(
            self,
            "CountiesAllow",
            value=",".join(address.ref for address in addresses),
            description="Addresses that syncs connect from",
        )

    @property
    def availability_zones(self) -> list[str]:
        """The zones of a stage whose region is known: the CDK would look them up, with credentials, at synthesis."""
        return self._zones or super().availability_zones
