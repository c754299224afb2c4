"""A local cloud in a process of its own, for tests that kill it: `python -m ... DATA_DIR ASSEMBLY`.

Prints one line of JSON when it serves; ends on SIGTERM.
"""

import json
import signal
import sys
import threading
from pathlib import Path

from infra.cli.local_platform import ACCOUNTS
from infra.local.cloud import LocalCloud


def main() -> None:
    """Serves until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with LocalCloud(Path(sys.argv[1]), 0, assembly=Path(sys.argv[2]), accounts=ACCOUNTS) as cloud:
        users = {user.username: user.password for user in cloud.credentials}
        description = {"url": cloud.url, "endpoint": cloud.environment["AWS_ENDPOINT_URL"], "users": users}
        print(json.dumps(description), flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
