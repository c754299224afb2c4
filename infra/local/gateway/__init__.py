"""API Gateway in front of the functions, on one port of this machine."""

from infra.local.gateway.app import Gateway, GatewayServer, listen
from infra.local.gateway.events import ApiIdentity
from infra.local.gateway.processes import ApiProcesses
from infra.local.gateway.tokens import TokenVerifier

__all__ = ["ApiIdentity", "ApiProcesses", "Gateway", "GatewayServer", "TokenVerifier", "listen"]
