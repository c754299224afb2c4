"""API functions that are slow, die or hang, for tests of the processes that they run in."""

import os
import time
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

resolver = APIGatewayRestResolver()


@resolver.get("/v1/items/<item_id>")
def item(item_id: str) -> dict[str, Any]:
    """Slow enough for requests to overlap."""
    time.sleep(0.001)
    return {"item": item_id, "tenant": resolver.current_event.headers["x-tenant"]}


def resolve(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return resolver.resolve(event, context)


def sleep(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    time.sleep(float(event["queryStringParameters"]["seconds"]))
    return {"statusCode": 200, "body": str(os.getpid())}


def die(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    os._exit(7)


def compute(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """With a library whose threads do not survive a fork."""
    import polars as pl

    total = pl.DataFrame({"n": range(100_000)}).select(pl.col("n").sort().sum()).item()
    return {"statusCode": 200, "body": str(total)}
