"""Requests to a local cloud's gateway on one connection, as a client with keep-alive sends them."""

import http.client
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit


class GatewayAnswer(NamedTuple):
    """The status and the content of an answer."""

    status: int
    content: bytes


def get_by(address: str, token: str) -> Callable[[str], GatewayAnswer]:
    """A function that gets a path with a bearer token."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    headers = {"Authorization": f"Bearer {token}"}

    def get(path: str) -> GatewayAnswer:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return GatewayAnswer(answer.status, answer.read())

    return get
