"""The custom resource's handler: it answers to the CDK's provider framework, which talks to CloudFormation."""

from collections.abc import Mapping
from typing import Any

from functions.migrations import service
from shared.observability import lambda_entry

PHYSICAL_ID = "terrafusion-schema"
"""Always the same: a change of it would make CloudFormation delete the schema's former self."""


@lambda_entry
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Create and Update migrate, Delete leaves the data alone.

    Event: `{RequestType: "Create" | "Update" | "Delete", ...}`. An error fails the deployment, which rolls back.
    """
    if event["RequestType"] != "Delete":
        service.migrate()
    return {"PhysicalResourceId": PHYSICAL_ID}
