"""TerraFusion on the local cloud: the accounts and the settings that the emulator is given."""

from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.accounts import Account

if TYPE_CHECKING:
    from infra.local.cloud import LocalCloud

_COUNTIES = "king_wa lucas_oh"
"""The counties of the demo, which every account may see."""

_GROUPS = {
    "assessor": ("Assessor",),
    "valuation": ("ValuationStaff",),
    "reporting": ("ReportingStaff",),
    # whoever runs the local cloud is its operator: the administrator may onboard any county
    "itadmin": ("ITAdmin", "PlatformOperator"),
    "auditor": ("Auditor",),
}

ACCOUNTS = tuple(
    Account(
        username,
        groups,
        {"email": f"{username}@terrafusion.test", "email_verified": "true", "custom:counties": _COUNTIES},
    )
    for username, groups in _GROUPS.items()
)
"""One account for each role."""

_ENVIRONMENT = {"SOURCE_NETWORKS": "127.0.0.0/8,::1/128"}
"""Variables of all functions: the counties' systems may be on this machine."""

_WARM_HANDLERS = "functions.sync.tasks.machine."
"""Handlers that workers import right after the start, so that the first sync does not wait for it."""


def local_platform(data_dir: Path, port: int = 8080, *, durable: bool = True) -> "LocalCloud":
    """The local cloud that serves TerraFusion, not started yet; the parameters are those of `LocalCloud`."""
    from infra.local.cloud import LocalCloud  # here, so that a command which needs no cloud does not wait for it

    return LocalCloud(
        data_dir,
        port,
        durable=durable,
        accounts=ACCOUNTS,
        environment=_ENVIRONMENT,
        warm_handlers=_WARM_HANDLERS,
    )
