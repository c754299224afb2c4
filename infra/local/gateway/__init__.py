"""What API Gateway does in front of the functions, on one port of this machine."""

from infra.local.gateway.app import Gateway, GatewayServer, listen
from infra.local.gateway.tokens import TokenVerifier

__all__ = ["Gateway", "GatewayServer", "TokenVerifier", "listen"]
