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
    SubnetSelection,
    SubnetType,
    Vpc,
)
from aws_cdk.aws_logs import LogGroup
from constructs import Construct

from infra.constructs.platform import Placement, Platform
from infra.constructs.private_routes import PeeredNetworks, vpn_connections


class NetworkStack(Stack):
    """A VPC in two zones: functions in private subnets, the database in isolated ones."""

    def __init__(self, scope: Construct, construct_id: str, platform: Platform, **kwargs: Any) -> None:
        self._zones = list(platform.settings.zones)
        super().__init__(scope, construct_id, **kwargs)
        settings = platform.settings
        kept = settings.egress_allocation_ids
        addresses = [] if kept else self._egress_addresses(settings.nat_gateways)
        allocations = [*kept, *(address.attr_allocation_id for address in addresses)]
        self.vpc = Vpc(
            self,
            "Vpc",
            ip_addresses=IpAddresses.cidr(settings.vpc_cidr),
            max_azs=2,
            nat_gateways=settings.nat_gateways,
            nat_gateway_provider=NatProvider.gateway(eip_allocation_ids=allocations),
            subnet_configuration=[
                SubnetConfiguration(name="Public", subnet_type=SubnetType.PUBLIC, cidr_mask=24),
                SubnetConfiguration(name="Functions", subnet_type=SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
                SubnetConfiguration(name="Database", subnet_type=SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
            vpn_connections=vpn_connections(settings.private_lines),
            vpn_route_propagation=[SubnetSelection(subnet_type=SubnetType.PRIVATE_WITH_EGRESS)],
        )
        PeeredNetworks(self, "Peered", self.vpc, settings.private_lines)
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
            value=",".join((*kept, *(address.ref for address in addresses))),
            description="Addresses that syncs connect from",
        )

    def _egress_addresses(self, count: int) -> list[CfnEIP]:
        """Addresses that outlive the gateways, and the stack: counties write them into their firewalls."""
        addresses = [CfnEIP(self, f"EgressAddress{number or ''}", domain="vpc") for number in range(count)]
        for address in addresses:
            address.apply_removal_policy(RemovalPolicy.RETAIN)
        return addresses

    @property
    def availability_zones(self) -> list[str]:
        """The zones of a stage whose region is known: the CDK would look them up, with credentials, at synthesis."""
        return self._zones or super().availability_zones
