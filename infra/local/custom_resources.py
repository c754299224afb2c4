"""Custom resources, created and updated as CloudFormation would: the schema's migration is one."""

import json
import logging
from typing import Any
from uuid import uuid4

from infra.local.errors import LocalCloudError
from infra.local.state import StateStore
from infra.local.template import CustomResource
from infra.local.workers import InvocationError, Invoke

_log = logging.getLogger(__name__)

_KIND = "custom_resource"


class DeploymentError(LocalCloudError):
    """A custom resource's function failed: the message says which, and what it said."""


def deploy(resources: list[CustomResource], invoke: Invoke, state: StateStore, *, anew: bool) -> list[str]:
    """Calls the function of each resource that is new or whose properties have changed; their logical ids.

    With `anew` what earlier deployments made is gone (an empty database): everything is created.
    """
    if anew:
        state.mirror(_KIND, {})
    changed = []
    for resource in resources:
        deployed = state.get(_KIND, resource.logical_id)
        if deployed is not None and deployed["properties"] == resource.properties:
            continue
        physical_id = _call(resource, invoke, deployed)
        state.put(_KIND, resource.logical_id, {"properties": dict(resource.properties), "physical_id": physical_id})
        changed.append(resource.logical_id)
    return changed


def _call(resource: CustomResource, invoke: Invoke, deployed: Any) -> str:
    event: dict[str, Any] = {
        "RequestType": "Create" if deployed is None else "Update",
        "ServiceToken": resource.function,
        "StackId": "local",
        "RequestId": str(uuid4()),
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.type,
        "ResourceProperties": dict(resource.properties),
    }
    if deployed is not None:
        event |= {"PhysicalResourceId": deployed["physical_id"], "OldResourceProperties": deployed["properties"]}
    try:
        answer = invoke(resource.function, event)
    except InvocationError as error:
        _log.error("%s %s failed: %s", resource.type, resource.logical_id, json.dumps(error.document, indent=1))
        raise DeploymentError(f"{resource.type} {resource.logical_id} failed: {error}") from error
    physical_id = deployed["physical_id"] if deployed else resource.logical_id
    return str((answer or {}).get("PhysicalResourceId") or physical_id)
