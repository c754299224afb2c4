"""Commands for what takes long: submit, follow, show, keep the file. One implementation, from the API's description."""

import json
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from infra.cli.commands.api_description import COUNTY, operation, query_names, request_schema
from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.commands.lazy import LazyCommand, lazy_group
from infra.cli.commands.request_options import RequestOption, request_body, request_options
from infra.cli.commands.results import results_shown
from infra.cli.session import SignIn, console, takes_sign_in
from terrafusion import Client

_FORMATS = {
    ".gpkg": "geopackage",
    ".geojson.zip": "geojson",
    ".shp.zip": "shapefile",
    ".kml.zip": "kml",
    ".fgb.zip": "flatgeobuf",
    ".parquet.zip": "geoparquet",
    ".csv.zip": "csv",
    ".gdb.zip": "file_geodatabase",
}
"""Formats that files are not named after."""

CountyArgument = typer.Argument(help="The county.")
JsonOption = typer.Option(False, "--json", help="Print what the API answers.")
FileOption = typer.Option(None, "--file", help="Where the result goes; its ending says the format.")
RequestOptionFile = typer.Option(None, "--request", help="A JSON file with the request's body; options go over it.")
WatchOption = typer.Option(True, "--watch/--no-watch", help="Follow it to its end.")


def job_group(collection: str, run: str, cls: type[TyperGroup] = TyperGroup) -> typer.Typer:
    """The commands of a kind of job; `run` is what starting one is called."""
    group = typer.Typer(no_args_is_help=True, cls=cls)
    path = f"{COUNTY}/{collection}"
    noun = collection.removesuffix("s").replace("-", " ").replace("analyse", "analysis").replace("studie", "study")
    group.command(run, help=f"Start a {noun} of COUNTY_ID, follow it, and show what came out.")(run_command(path))
    if operation("get", path):
        group.command("list", help=f"List COUNTY_ID's {collection.replace('-', ' ')}, the newest first.")(_list(path))
    group.command("show", help=f"Show a {noun}: how far it is, and what came out.")(_show(path))
    if operation("get", f"{path}/{{id}}/download"):
        group.command("download", help=f"Keep the file of a {noun}.")(_download(path))
    group.callback()(lambda: None)
    return group


def run_command(path: str) -> Callable[..., None]:
    """A command that posts to a collection, with an option for each member of the body."""
    options = request_options(request_schema(path))

    def run(
        sign_in: SignIn,
        county_id: str,
        *,
        as_json: bool,
        file: Path | None,
        request: Path | None,
        watch: bool,
        **typed: Any,
    ) -> None:
        if file is not None:
            _take_format(options, typed, file)
        body = {**_read(request), **request_body(options, typed)}
        with sign_in() as client:
            job = client.post(path.format(county_id=county_id), body)
            if not watch:
                _say(job, as_json=as_json)
                return
            job = wait_with_progress(client, console(), job)
            _present(client, path, job, as_json=as_json, file=file)

    own = [
        _keyword("county_id", str, CountyArgument),
        *(option.parameter() for option in options),
        _keyword("request", Path | None, RequestOptionFile),
        _keyword("watch", bool, WatchOption),
        *_output(),
    ]
    return _command(run, own)


def _show(path: str) -> Callable[..., None]:
    def show(sign_in: SignIn, county_id: str, job_id: str, *, as_json: bool, file: Path | None, watch: bool) -> None:
        with sign_in() as client:
            job = client.get(f"{path.format(county_id=county_id)}/{job_id}")
            if watch:
                job = wait_with_progress(client, console(), job)
            _present(client, path, job, as_json=as_json, file=file)

    watch = typer.Option(False, "--watch/--no-watch", help="Follow it to its end.")
    return _command(show, [*_one(), _keyword("watch", bool, watch), *_output()])


def _list(path: str) -> Callable[..., None]:
    def list_jobs(sign_in: SignIn, county_id: str, *, limit: int, as_json: bool) -> None:
        with sign_in() as client:
            page = client.get(path.format(county_id=county_id), page_size=limit)
        if as_json:
            print(json.dumps(page, indent=1, ensure_ascii=False))
        else:
            console().print(results_shown("jobs", page))

    limit = typer.Option(20, "--limit", min=1, help="How many.")
    own = [_keyword("county_id", str, CountyArgument), _keyword("limit", int, limit)]
    return _command(list_jobs, [*own, _keyword("as_json", bool, JsonOption)])


def _download(path: str) -> Callable[..., None]:
    def download(sign_in: SignIn, county_id: str, job_id: str, *, file: Path) -> None:
        with sign_in() as client:
            job = client.get(f"{path.format(county_id=county_id)}/{job_id}")
            console().print(f"Written to {_keep(client, path, job, file)}.")

    file = typer.Argument(help="Where the file goes.")
    return _command(download, [*_one(), _keyword("file", Path, file)])


def _approve(path: str) -> Callable[..., None]:
    def approve(sign_in: SignIn, county_id: str, job_id: str, *, note: str | None, file: Path | None) -> None:
        with sign_in() as client:
            job = client.post(f"{path.format(county_id=county_id)}/{job_id}/approve", {"note": note})
            job = wait_with_progress(client, console(), job)
            _present(client, path, job, as_json=False, file=file)

    note = typer.Option(None, help="Why, for the audit trail.")
    own = [*_one(), _keyword("note", str | None, note), _keyword("file", Path | None, FileOption)]
    return _command(approve, own)


def _present(client: Client, path: str, job: Mapping[str, Any], *, as_json: bool, file: Path | None) -> None:
    """A job, and where it has succeeded its results: as JSON or as tables, and as a file."""
    screen = console()
    done = job["status"] == "succeeded"
    results = client.get(job["links"]["results"]) if done and "results" in job["links"] else None
    if as_json:
        print(json.dumps({"job": job, "results": results}, indent=1, ensure_ascii=False))
    else:
        _say(job, as_json=False)
        if results is not None:
            screen.print(results_shown(job["kind"], results))
    if file is not None and done:
        saved = _keep(client, path, job, file)
        if not as_json:
            screen.print(f"Written to {saved}.")


def _keep(client: Client, path: str, job: Mapping[str, Any], file: Path) -> Path:
    """The job's file; its results as JSON, where it has none."""
    download = f"{path}/{{id}}/download"
    if not operation("get", download):
        file.write_text(json.dumps(client.get(job["links"]["results"]), indent=1, ensure_ascii=False), encoding="utf-8")
        return file
    query = f"?format={_format(file)}" if "format" in query_names(download) else ""
    return client.download(f"{job['links']['self']}/download{query}", file)


def _say(job: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(job, indent=1, ensure_ascii=False))
        return
    kind = job["kind"].replace("_", " ").capitalize()
    console().print(f"{kind} [bold]{job['id']}[/] is {job['status']}.")


def _take_format(options: list[RequestOption], typed: dict[str, Any], file: Path) -> None:
    """The format that the file's ending says, where the request has one and none was typed."""
    for option in options:
        if option.path == ("format",) and typed.get("format") is None and _format(file) in option.choices:
            typed["format"] = _format(file)


def _format(file: Path) -> str:
    ending = "".join(file.suffixes[-2:]) if file.suffix == ".zip" else file.suffix
    return _FORMATS.get(ending, file.suffix.removeprefix("."))


def _read(request: Path | None) -> dict[str, Any]:
    if request is None:
        return {}
    try:
        body = json.loads(request.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{request} cannot be read as JSON: {error}") from None
    if not isinstance(body, dict):
        raise typer.BadParameter(f"{request} is no JSON object")
    return body


def _one() -> list[Parameter]:
    job = typer.Argument(help="Its id.")
    return [_keyword("county_id", str, CountyArgument), _keyword("job_id", str, job)]


def _output() -> list[Parameter]:
    return [_keyword("file", Path | None, FileOption), _keyword("as_json", bool, JsonOption)]


def _keyword(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _command(function: Callable[..., None], own: list[Parameter]) -> Callable[..., None]:
    first = Parameter("sign_in", Parameter.POSITIONAL_OR_KEYWORD, annotation=SignIn)
    function.__signature__ = Signature([first, *own])  # type: ignore[attr-defined]  # what `takes_sign_in` reads
    return takes_sign_in(function)


_PAIRS = LazyCommand(
    "infra.cli.commands.ratio_study:ratio_study", "Study the values and prices of a CSV file, on this machine."
)
# `ratio-study FILE` is `ratio-study file FILE`
ratio_study = job_group("ratio-studies", "run", lazy_group({"file": _PAIRS}, default="file"))
market_analysis = job_group("market-analyses", "run")
report = job_group("reports", "make")
report.command("approve", help="Sign a report: it says who approved it and when, and never changes.")(
    _approve(f"{COUNTY}/reports")
)
export = job_group("gis-exports", "make")
