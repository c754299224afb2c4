"""The counties of the demo: each a folder with its configuration and its mapping, as an administrator writes them."""

from pathlib import Path

_HERE = Path(__file__).parent

DEMO_COUNTIES = ("king_wa", "lucas_oh")


def configuration_text(county_id: str) -> str:
    """The county's configuration, as JSON."""
    return (_HERE / county_id / "configuration.json").read_text()


def mapping_text(county_id: str) -> str:
    """The county's mapping, as YAML."""
    return (_HERE / county_id / "mapping.yaml").read_text()
