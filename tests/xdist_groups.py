"""Tests shared out to two processes or more, so that the suite uses the machine.

Wherever a folder of tests is run (`pytest`, `pytest tests/unit`), and not where files or single tests are named, nor
with `-n 0`, `--pdb` or `-p no:xdist`. Each process has a PostgreSQL server of its own. Tests that share something
that takes long to make stay together, in one process and in their order: those of a file, and those of the folders
below.
"""

import os
from pathlib import Path
from typing import Any

import pytest

CORES = os.cpu_count() or 1
PROCESSES = min(4, CORES)
THREADS = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")
"""A process computes on its share of the cores: threads without a core of their own spin on another's."""
TOGETHER = {
    "e2e": "platform",  # one demo, left running, and the templates that it serves
    "infrastructure": "platform",
    "integration/valuation": "trained county",
    "integration/avm": "models",  # of a thousand sales and of few, each trained once
}
FIRST = ("integration/sync/test_killed_anywhere.py", "platform", "models", "trained county")
"""The longest tests, begun first: begun last, one process would still run them when all others have ended."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Say what `-n` and `--dist` would, before xdist looks."""
    option = config.option
    asked_otherwise = getattr(option, "numprocesses", 0) is not None or option.dist != "no"
    is_worker = hasattr(config, "workerinput")
    if asked_otherwise or is_worker or option.collectonly or option.usepdb or PROCESSES == 1:
        return
    if all(Path(argument).is_dir() for argument in config.args):
        option.numprocesses, option.dist, option.loadscopereorder = PROCESSES, "loadscope", False
        for name in THREADS:
            os.environ.setdefault(name, str(CORES // PROCESSES))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Who gives a group to whichever process is free."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return Together(config, log) if config.option.dist == "loadscope" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A process among others begins with the groups that take longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: FIRST.index(group) if (group := _group(item.nodeid)) in FIRST else len(FIRST))


def _group(nodeid: str) -> str:
    file = nodeid.partition("::")[0].removeprefix("tests/")
    return next((name for folder, name in TOGETHER.items() if file.startswith(f"{folder}/")), file)
