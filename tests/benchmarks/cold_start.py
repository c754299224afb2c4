"""Imports of a cold start: each API function's handler, against the third-party modules that it needs, alone."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping

from infra.function_specs import FunctionSpec
from infra.functions import REGISTRY
from tests.benchmarks.result import BenchmarkResult

ROUNDS = 7

_LIST = """
import sys, importlib
importlib.import_module({module!r})
import sysconfig
site = sysconfig.get_paths()["purelib"]
own = ("functions", "shared", "infra")
names = [
    name for name, module in list(sys.modules.items())
    if (getattr(module, "__file__", None) or "").startswith(site) and name.split(".")[0] not in own
]
print("\\n".join(names))
"""
_BARE = """
import importlib
for name in {names!r}:
    importlib.import_module(name)
"""
_OWN = "import importlib; importlib.import_module({module!r})"


def run(_rows: int | None = None) -> BenchmarkResult:
    """Seconds of the slowest ratio among the API functions; `details` has every function's."""
    with tempfile.TemporaryDirectory() as cache:
        environment = _with_bytecode(cache)
        empty = min(_python("pass", environment)[0] for _ in range(ROUNDS))
        details = {spec.name: _measure(spec, empty, environment) for spec in REGISTRY.api}
    worst = max(details.values(), key=lambda measured: measured["ratio"])
    return BenchmarkResult(
        name="cold_start",
        rows=len(details),
        seconds=worst["seconds"],
        peak_rss_mb=None,
        ratio_to_limit=worst["ratio"],
        ratio_to_peer=None,
        details=details,
    )


def _with_bytecode(cache: str) -> Mapping[str, str]:
    """An environment in which the first import compiles a module and the next ones read it, as a bundle's functions do,
    whatever the caller's says."""
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return given | {"PYTHONPYCACHEPREFIX": cache}


def _measure(spec: FunctionSpec, empty: float, environment: Mapping[str, str]) -> dict[str, float]:
    names = _python(_LIST.format(module=spec.module_path), environment)[1].split()
    own, bare = [], []
    for _ in range(ROUNDS):  # in turn, so that both meet the same machine
        own.append(_python(_OWN.format(module=spec.module_path), environment)[0])
        bare.append(_python(_BARE.format(names=names), environment)[0])
    # the shortest of each: what else the machine does makes an import longer, and none shorter
    seconds, limit = min(own) - empty, min(bare) - empty
    return {"seconds": round(seconds, 4), "bare": round(limit, 4), "ratio": round(seconds / limit, 3)}


def _python(code: str, environment: Mapping[str, str]) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    return time.perf_counter() - started, done.stdout
