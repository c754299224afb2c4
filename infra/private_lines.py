"""Private lines from a stage's network to those of counties: VPN connections and peered networks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any


@dataclass(frozen=True)
class PrivateLine:
    """A line, and the CIDR blocks behind it: either a VPN to the router at `ip`, or a peering with the VPC `vpc_id`.

    `account`, `region`: of the VPC, by default the stage's own. `role_arn`: a role of another account by which
    CloudFormation accepts the peering there. Whoever owns the VPC adds a route to the stage's `vpc_cidr`.
    """

    name: str
    networks: tuple[str, ...]
    ip: str = ""
    vpc_id: str = ""
    account: str | None = None
    region: str | None = None
    role_arn: str | None = None

    @classmethod
    def of_options(cls, name: str, options: Mapping[str, Any]) -> "PrivateLine":
        """Read a line of the context (`private_lines` of a stage). Raises ValueError for one that cannot be."""
        try:
            line = cls(name=name, **{**options, "networks": tuple(str(ip_network(n)) for n in options["networks"])})
        except (TypeError, KeyError):
            raise ValueError(f"{name}: a line has networks, and ip or vpc_id (account, region, role_arn)") from None
        if bool(line.ip) == bool(line.vpc_id):
            raise ValueError(f"{name}: a line has an ip (VPN) or a vpc_id (peering)")
        if line.account and not line.role_arn:
            raise ValueError(f"{name}: the peering with account {line.account} needs its role_arn")
        if line.ip and not ip_address(line.ip).is_global:
            raise ValueError(f"{name}: {line.ip} is no public address of a router")
        return line


def require_apart(vpc_cidr: str, lines: Iterable[PrivateLine]) -> None:
    """Raise ValueError where two networks share addresses: a route could lead to one of them alone."""
    seen = {f"the stage's vpc_cidr {vpc_cidr}": ip_network(vpc_cidr)}
    for line in lines:
        for block in line.networks:
            for owner, other in seen.items():
                if ip_network(block).overlaps(other):
                    raise ValueError(f"{line.name}: {block} overlaps {owner}")
            seen[f"{block} of {line.name}"] = ip_network(block)
