"""A process whose children carry out runs until they are killed: `python -m tests.integration.sync.killed_process`.

It imports once and forks for each run, before any library has made a thread. Reads a line of JSON for each run, answers
with the child's process id, and when that has ended with the signal that ended it, or 0.
"""

import json
import os
import sys
from pathlib import Path

from sqlalchemy.engine import make_url

from functions.sync.domain import partitioning
from functions.sync.engine.publication import file_plan
from shared.aws import client
from shared.db import engine
from tests.integration.sync.sync_steps import Steps, carry_out, die, disturbed, keep_objects_in


def main() -> None:
    """Serve requests until the input ends."""
    partitioning.PARTITION_ROWS = int(sys.argv[1])
    file_plan.ROWS_PER_FILE = int(sys.argv[2])
    keep_objects_in(Path(sys.argv[3]))
    for service in ("secretsmanager", "events"):
        client(service)  # made here, so that no child has to
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what it logs is no answer
            _walk(asked)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"signal": os.WTERMSIG(status), "code": os.WEXITSTATUS(status)}), flush=True)


def _walk(asked: dict[str, str]) -> None:
    url = make_url(asked["database"])
    vars(engine).update(database_url=lambda _: url)
    try:
        with disturbed(Steps(int(asked["at"]), "after" if asked["when"] == "after" else "before"), die):
            carry_out(asked["county_id"], asked["run_id"])
    except BaseException:
        os._exit(1)


if __name__ == "__main__":
    main()
