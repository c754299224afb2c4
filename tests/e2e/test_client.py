"""The client against the running platform: its page's quick start, and its wheel in an environment of its own."""

import asyncio
import os
import re
import subprocess
import sys
import venv
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from infra.settings import ROOT
from terrafusion import AsyncClient, Client, NotFoundError
from tests.e2e.conftest import Platform

PAGE = ROOT / "infra" / "client" / "README.md"


def quick_start() -> str:
    """The program of the page."""
    code: str
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return code


def environment(platform: Platform) -> dict[str, str]:
    return os.environ | {"TERRAFUSION_URL": platform.address, "TERRAFUSION_PASSWORD": platform.passwords["itadmin"]}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", folder, PAGE.parent], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_quick_start_runs_from_the_wheel_alone(platform: Platform, wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "alone", with_pip=False)
    python = tmp_path / "alone" / "bin" / "python"
    subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, wheel], check=True)
    packages = subprocess.run(
        ["uv", "pip", "list", "--python", python], capture_output=True, text=True, check=True
    ).stdout
    assert "pydantic" not in packages
    assert "terrafusion-client" in packages

    done = subprocess.run(
        [python, "-c", quick_start()], cwd=tmp_path, env=environment(platform), capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert "king_wa King County" in done.stdout
    assert re.search(r"\d+ 20\d\d-\d\d-\d\d \d+", done.stdout)
    assert "succeeded" in done.stdout
    assert (tmp_path / "parcels.parquet").read_bytes().startswith(b"PAR1")


def test_the_platforms_own_wheel_holds_the_client_too(tmp_path: Path) -> None:
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", tmp_path, ROOT], check=True)
    (built,) = tmp_path.glob("*.whl")
    code = "import sys, terrafusion; print(terrafusion.Client, terrafusion.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(built)}, cwd=tmp_path, capture_output=True, text=True
    )
    assert str(built) in done.stdout, done.stderr


def test_both_clients_read_the_same_typed_values(platform: Platform) -> None:
    password = platform.passwords["auditor"]
    with Client(platform.address, username="auditor", password=password) as client:
        county = client.county("lucas_oh")
        parcels = [next(iter(county.properties(page_size=1))) for _ in range(2)]
        parcel = county.get_property(parcels[0].property_id)
        events = list(county.audit_events(page_size=2))
        with pytest.raises(NotFoundError) as missing:
            county.get_property("no such parcel")

    async def read() -> list[str]:
        async with AsyncClient(platform.address, username="auditor", password=password) as waiting:
            first, second = await asyncio.gather(
                waiting.county("lucas_oh").get_property(parcel.property_id), waiting.county("lucas_oh").get_county()
            )
            assert first == parcel
            assert second.county_id == "lucas_oh"
            return [event.action async for event in waiting.county("lucas_oh").audit_events(page_size=2)]

    assert parcels[0] == parcels[1]
    assert isinstance(parcel.total_value, Decimal)
    assert parcel.entity_tag()
    assert isinstance(events[0].occurred_at, datetime)
    assert events[0].occurred_at.tzinfo
    assert missing.value.request_id
    assert asyncio.run(read()) == [event.action for event in events]
