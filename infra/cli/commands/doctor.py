"""`terrafusion doctor`: what is wrong before anything is started or deployed."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

from infra.cli.errors import CommandError
from infra.cli.findings import Finding
from infra.cli.session import DataDir, console
from infra.cli.tables import WholeTable


def doctor(
    data_dir: Path = DataDir,
    port: int = typer.Option(8080, help="The port of the API on this machine."),
    deployed: str | None = typer.Option(
        None, "--deployed", metavar="STAGE", help="Check the AWS account for this stage of cdk.json, too."
    ),
) -> None:
    """Check this machine, and with --deployed an AWS account. Exit code 1 where something has to be mended."""
    from infra.cli.machine_checks import check_machine

    findings = [*check_machine(data_dir, port), *(_account_findings(deployed) if deployed else ())]
    console().print(_table(findings))
    blocking = sum(finding.blocking for finding in findings)
    if blocking:
        console().print(f"{blocking} of {len(findings)} have to be mended.")
        raise typer.Exit(1)
    console().print("Nothing has to be mended.")


def _account_findings(name: str) -> Iterator[Finding]:
    from infra.application import project_context
    from infra.cli.account_checks import check_account
    from infra.cli.deployed_stage import DeployedStage
    from infra.constructs.database import ENGINE_VERSION
    from infra.settings import configured_stages

    stages = {stage.name: stage for stage in configured_stages(project_context()["stages"])}
    if name not in stages:
        raise CommandError(f"cdk.json, stages: there is no stage {name}; there are {', '.join(stages)}")
    return check_account(DeployedStage(name), stages[name], ENGINE_VERSION.aurora_postgres_full_version)


def _table(findings: Iterable[Finding]) -> WholeTable:
    table = WholeTable("", "check", "finding", "what to do")
    for finding in findings:
        mark = "mend" if finding.blocking else "ok"
        table.add_row(mark, finding.check, finding.text, finding.remedy)
    return table
