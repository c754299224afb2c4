"""Processor time of the command line: its help, and a list of counties, beside Python doing nothing."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.api_property import running_platform
from tests.benchmarks.result import BenchmarkResult

ROUNDS = 7


def run(_rows: int | None = None) -> BenchmarkResult:
    """Seconds of the processor (user and system), the least of several runs of each, in turn."""
    terrafusion = str(Path(sys.executable).parent / "terrafusion")
    with tempfile.TemporaryDirectory(prefix="terrafusion-benchmark-") as folder, running_platform(Path(folder)):
        commands = {
            "python_s": [sys.executable, "-c", "pass"],
            "help_s": [terrafusion, "--help"],
            "county_list_s": [terrafusion, "county", "list", "--data-dir", folder],
        }
        measured = [{name: _processor(command) for name, command in commands.items()} for _ in range(ROUNDS)]
    least = {name: min((each[name] for each in measured), key=lambda result: result[0]) for name in commands}
    return BenchmarkResult(
        name="command_line",
        rows=None,
        seconds=least["county_list_s"][0],
        peak_rss_mb=max(result[1] for each in measured for name, result in each.items() if name != "python_s"),
        ratio_to_limit=round(least["county_list_s"][0] / least["python_s"][0], 1),
        ratio_to_peer=None,
        details={name: round(seconds, 3) for name, (seconds, _) in least.items()},
    )


def _processor(command: list[str]) -> tuple[float, float]:
    """Seconds of the processor, and the largest memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        message = f"{' '.join(command)} ended with {process.returncode} after {time.perf_counter() - started:.1f} s"
        raise RuntimeError(message)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
