"""The page that leads from a CSV file to a ratio study, command by command as it stands there."""

import os
import re
import subprocess
from pathlib import Path

from infra.settings import ROOT
from tests.e2e.conftest import Platform, command

PAGE = (ROOT / "infra/examples/README.md").read_text()
PLATFORM = "uv run terrafusion up"


def commands_of_the_page() -> list[str]:
    """The lines that a reader types, in their order; lines of one block belong together."""
    blocks = re.findall(r"(?:^ {4}.*\n)+", PAGE, re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks]


def test_the_page_leads_from_files_to_a_ratio_study(platform: Platform, tmp_path: Path) -> None:
    start, *blocks = commands_of_the_page()
    assert start.strip() == PLATFORM  # it runs already, on a folder of its own
    (tmp_path / ".terrafusion").symlink_to(platform.data_dir)
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    script = "set -e\n" + "".join(blocks).replace("uv run terrafusion", command()[0])

    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "160"},  # as wide as the tables
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    for expected in ("2 row(s): 2 good, 0 rejected", "First County is onboarded", "all compared", "succeeded: sync"):
        assert expected in ran.stdout
    assert "0.863 (0.846 to 0.883)" in ran.stdout  # the median ratio of these 400 sales, with its interval
