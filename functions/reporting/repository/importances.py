"""SQL of the importances of features in the values of a run."""

from uuid import UUID

from sqlalchemy import Connection, text

from functions.reporting.domain.mass_appraisal import Importance, ReportArea
from functions.reporting.domain.parameters import MAX_IMPORTANCES


def importances(connection: Connection, county_id: str, run_id: UUID, area: ReportArea | None) -> list[Importance]:
    """The features of greatest importance in a run's values, or in those of an area."""
    condition = "" if area is None else f" AND r.{area.kind} = :area"  # one of two names of ours
    rows = connection.execute(
        text(
            "SELECT name AS feature, round(avg(abs(CAST(amount AS numeric))), 2) AS mean_contribution,"  # noqa: S608 - names of ours
            " count(*) AS properties FROM valuation_run_results r, jsonb_each_text(r.contributions) AS c (name, amount)"
            f" WHERE r.county_id = :county_id AND r.run_id = :run_id AND name <> 'base'{condition}"
            f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_IMPORTANCES}"
        ),
        {"county_id": county_id, "run_id": run_id, **({} if area is None else {"area": area.value})},
    )
    return [Importance.model_validate(dict(row)) for row in rows.mappings()]
