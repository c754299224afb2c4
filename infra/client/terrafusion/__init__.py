"""TerraFusion's client: the API of a county assessor's platform, synchronous and asynchronous.

from terrafusion import Client

with Client("https://...", username="...", password="...") as client:
    for parcel in client.county("king_wa").properties(neighborhood="98103"):
        print(parcel.situs_address, parcel.total_value)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terrafusion.client import AsyncClient, Client
    from terrafusion.errors import (
        ConflictError,
        DownloadError,
        Fault,
        ForbiddenError,
        InvalidRequestError,
        JobFailedError,
        NewPasswordRequiredError,
        NotFoundError,
        NotSignedInError,
        ProblemError,
        ServerError,
        StaleResourceError,
        TerraFusionError,
        TooManyRequestsError,
        UnreachableError,
        WaitTimeoutError,
    )
    from terrafusion.operations import AsyncItems, AsyncSubmission, Items, Submission
    from terrafusion.resource import Resource

__all__ = [
    "AsyncClient",
    "AsyncItems",
    "AsyncSubmission",
    "Client",
    "ConflictError",
    "DownloadError",
    "Fault",
    "ForbiddenError",
    "InvalidRequestError",
    "Items",
    "JobFailedError",
    "NewPasswordRequiredError",
    "NotFoundError",
    "NotSignedInError",
    "ProblemError",
    "Resource",
    "ServerError",
    "StaleResourceError",
    "Submission",
    "TerraFusionError",
    "TooManyRequestsError",
    "UnreachableError",
    "WaitTimeoutError",
]

_MODULES = {
    "AsyncClient": "client",
    "Client": "client",
    "AsyncItems": "operations",
    "AsyncSubmission": "operations",
    "Items": "operations",
    "Submission": "operations",
    "Resource": "resource",
}


def __getattr__(name: str) -> Any:
    """A public name, from its module: who needs the exceptions alone imports no more than them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
