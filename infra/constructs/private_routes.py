"""Routes from the functions to the networks of counties, by VPN or by peering."""

from aws_cdk.aws_ec2 import CfnRoute, CfnVPCPeeringConnection, SubnetType, Vpc, VpnConnectionOptions
from constructs import Construct

from infra.private_lines import PrivateLine


def vpn_connections(lines: tuple[PrivateLine, ...]) -> dict[str, VpnConnectionOptions] | None:
    """The options of the VPC's VPN connections; their routes are propagated to the functions' subnets."""
    return {
        line.name: VpnConnectionOptions(ip=line.ip, static_routes=list(line.networks)) for line in lines if line.ip
    } or None


class PeeredNetworks(Construct):
    """A peering connection a line, and a route to each of its networks from each subnet of the functions."""

    def __init__(self, scope: Construct, construct_id: str, vpc: Vpc, lines: tuple[PrivateLine, ...]) -> None:
        super().__init__(scope, construct_id)
        subnets = vpc.select_subnets(subnet_type=SubnetType.PRIVATE_WITH_EGRESS).subnets
        for line in lines:
            if not line.vpc_id:
                continue
            peering = CfnVPCPeeringConnection(
                self,
                line.name,
                vpc_id=vpc.vpc_id,
                peer_vpc_id=line.vpc_id,
                peer_owner_id=line.account,
                peer_region=line.region,
                peer_role_arn=line.role_arn,
            )
            for number, subnet in enumerate(subnets):
                for position, network in enumerate(line.networks):
                    CfnRoute(
                        self,
                        f"{line.name}{number}{position}",
                        route_table_id=subnet.route_table.route_table_id,
                        destination_cidr_block=network,
                        vpc_peering_connection_id=peering.ref,
                    )
