"""The page's costs are those of the templates at the list prices."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.application import synthesize_templates
from infra.costs import COUNTY_SIZES, PAGE, Template, cost_table, county_costs, idle_costs, read_templates
from infra.documentation import with_sections
from infra.prices import aurora_prices, prices
from infra.settings import DEVELOPMENT

Stages = tuple[list[Template], list[Template]]


@pytest.fixture(scope="module")
def stages(assembly: Path, deployed: Path) -> Stages:
    return read_templates(assembly), read_templates(deployed / "assembly-prod")


def test_the_pages_table_is_what_the_templates_cost(stages: Stages) -> None:
    text = PAGE.read_text()

    assert "<!-- costs -->" in text
    assert with_sections(text, {"costs": lambda: cost_table(*stages)}) == text, "run: uv run python -m infra.costs"


def test_every_price_has_its_date_and_is_used_as_its_unit_says() -> None:
    listed = prices()

    assert (listed["region"], len(listed["as_of"])) == ("us-east-1", 7)
    assert aurora_prices() == aurora_prices("aurora") == listed["aurora"]["standard"]
    assert aurora_prices("aurora-iopt1")["million_ios"] == 0


def test_a_stage_for_trying_costs_a_fraction_of_its_database_while_nobody_works(
    stages: Stages,
) -> None:
    development, production = (idle_costs(templates)["database"] for templates in stages)

    always_on = 0.5 * prices()["aurora"]["standard"]["acu_hour"] * 730
    assert development < 0.1 * always_on
    assert production == pytest.approx(2 * prices()["aurora"]["standard"]["acu_hour"] * 730)


def test_larger_counties_cost_more_and_a_second_way_out_is_charged(
    stages: Stages,
    tmp_path: Path,
) -> None:
    _, production = stages
    totals = [sum(county_costs(size, production).values()) for size in COUNTY_SIZES]
    two = read_templates(synthesize_templates(tmp_path, replace(DEVELOPMENT, nat_gateways=2)))

    assert totals == sorted(totals)
    gateways = "NAT gateways, with their addresses"
    assert idle_costs(two)[gateways] == 2 * idle_costs(stages[0])[gateways]
