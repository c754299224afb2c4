"""`terrafusion mapping targets` and `terrafusion mapping init`: what a mapping can fill, and a first one."""

import json
from pathlib import Path
from typing import Any

import typer

from infra.cli.commands.source_sample import FORMATS, sampled_database, sampled_file
from infra.cli.session import DataDir, console, local_client
from infra.cli.tables import WholeTable
from shared.mapping import parse_mapping
from shared.mapping.language.semantic_checks import FIELD_TYPES
from shared.mapping.proposal import propose
from shared.mapping.targets import target_tables

SECRETS = "terrafusion/"


def targets(
    table: str | None = typer.Argument(None, help="One table; without it all of them."),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """List the tables and columns that a mapping can fill."""
    tables = target_tables()
    if table is not None and table not in tables:
        raise typer.BadParameter(f"there is no table {table}: {', '.join(tables)}")
    chosen = [tables[table]] if table else list(tables.values())
    rows = [
        {
            "table": target.name,
            "column": column.name,
            "holds": column.kind.value,
            "types": sorted(FIELD_TYPES[column.kind]),
            "required": column.required,
            "key": column.name == target.key,
        }
        for target in chosen
        for column in target.columns.values()
    ]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    shown = WholeTable("table", "column", "holds", "field's `type`", "")
    for row in rows:
        note = "the key" if row["key"] else "required" if row["required"] else ""
        shown.add_row(str(row["table"]), str(row["column"]), str(row["holds"]), ", ".join(row["types"]), note)  # type: ignore[arg-type]
    console().print(shown)


def init(
    sources: list[str] = typer.Argument(metavar="FILE...|SECRET", help="Files, or the secret of a database."),
    county: str = typer.Option(..., "--county", help="The county's id, like benton_wa."),
    out: Path | None = typer.Option(None, "--out", help="Where the mapping goes; without it, to the screen."),
    deployed: bool = typer.Option(False, help="The secret is in the AWS account that you are signed in to."),
    data_dir: Path = DataDir,
) -> None:
    """Propose a first mapping of files, or of the database behind a secret, each guess with its reason."""
    if len(sources) == 1 and sources[0].startswith(SECRETS):
        system, head = "DATABASE", []
        tables = sampled_database(_secret(sources[0], deployed, data_dir))
    else:
        files = [Path(source) for source in sources]
        missing = [str(file) for file in files if not file.is_file()]
        if missing:
            raise typer.BadParameter(f"there is no file {', '.join(missing)}")
        system = "FILES"
        tables = [sampled_file(file) for file in files]
        listed = {
            file.name.partition(".")[0]: {"format": FORMATS[file.suffix.lower()], "file": file.name} for file in files
        }
        head = [f'in configuration.json: "source": {json.dumps({"kind": "files", "tables": listed})}']
    try:
        text = propose(tables, county, system, head)
    except ValueError as error:
        raise typer.BadParameter(f"no table looks like one of ours: {error}") from None
    parse_mapping(text)  # what is proposed loads
    if out is None:
        print(text, end="")
        return
    out.write_text(text, encoding="utf-8")
    console().print(f"Written to {out}. Look at each line, then try it: terrafusion mapping check {out.parent}")


def _secret(name: str, deployed: bool, data_dir: Path) -> dict[str, Any]:
    import boto3

    manager: Any = boto3.client("secretsmanager") if deployed else local_client("secretsmanager", data_dir)
    try:
        address: dict[str, Any] = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:
        raise typer.BadParameter(f"there is no secret {name}: put it there with `terrafusion county source`") from None
    return address
