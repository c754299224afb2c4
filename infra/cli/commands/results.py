"""Results of jobs as tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType

from infra.cli.tables import WholeTable

MAX_ROWS = 40
"""Rows of a list that are shown; `--json` has them all."""
STATISTICS = {"median": "median", "cod": "COD", "prd": "PRD", "prb": "PRB"}


def results_shown(kind: str, results: Any) -> RenderableType:
    """Results as an appraiser reads them where the kind has a table of its own, member by member otherwise."""
    if kind == "ratio_study":
        return ratio_studies_table({"": results})
    if kind == "market_analysis":
        return Group(months_table(results["overall"]), *_members(results, without=("overall",)))
    return Group(*_members(results))


def ratio_studies_table(studies: Mapping[str, Mapping[str, Any]]) -> WholeTable:
    """Ratio studies by county (or whatever names them): overall and by stratum, with verdicts."""
    named = any(studies)
    head = ("county",) if named else ()
    table = WholeTable(*head, "values", "stratum", "sales", *STATISTICS.values(), "verdict")
    for name, results in studies.items():
        samples = [("all", results["overall"])]
        samples += [(f"{s['stratum']} {s['value']}", s["study"]) for s in results["strata"] if s["study"]]
        for stratum, study in samples:
            failing = [v["statistic"] for v in study["verdicts"] if v["result"] == "does not meet"]
            table.add_row(
                *((name,) if named else ()),
                results["value_source"],
                stratum,
                f"{study['sales']:,}",
                *(with_interval(study["statistics"].get(each)) for each in STATISTICS),
                f"does not meet: {', '.join(failing)}" if failing else "meets",
            )
    return table


def with_interval(statistic: Mapping[str, Any] | None) -> str:
    """A statistic with its confidence interval."""
    if statistic is None:
        return "-"
    if statistic["low"] is None:
        return f"{statistic['value']:.3f}"
    return f"{statistic['value']:.3f} ({statistic['low']:.3f} to {statistic['high']:.3f})"


def months_table(market: Mapping[str, Any], title: str | None = None) -> WholeTable:
    """A market's months: sales, median price, price index."""
    table = WholeTable("month", "sales", "median price", "index", "standard error", title=title)
    for month in market["months"]:
        index = "-" if month["index"] is None else f"{month['index']:.1f}"
        error = "-" if month["standard_error"] is None else f"{month['standard_error']:.1f}"
        table.add_row(month["month"], f"{month['sales']:,}", month["median_price"], index, error)
    return table


def _members(results: Mapping[str, Any], without: tuple[str, ...] = ()) -> Iterable[RenderableType]:
    """Plain members as lines, lists of objects as tables."""
    plain = WholeTable("", "", show_header=False, box=None)
    tables = []
    for name, value in results.items():
        if name in without or value in (None, [], {}):
            continue
        if isinstance(value, list) and all(isinstance(each, Mapping) for each in value):
            tables.append(_rows_table(_words(name), value))
            continue
        for inner, text in _flat(name, value):
            plain.add_row(_words(inner), text)
    return [plain, *tables]


def _rows_table(title: str, rows: list[Mapping[str, Any]]) -> WholeTable:
    flat = [dict(_flat("", row)) for row in rows[:MAX_ROWS]]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    hidden_rows = len(rows) - len(flat)
    table = WholeTable(
        *map(_words, columns), title=f"{title} (the first {MAX_ROWS} of {len(rows):,})" if hidden_rows else title
    )
    for row in flat:
        table.add_row(*(row.get(name, "-") for name in columns))
    return table


def _flat(name: str, value: Any) -> Iterable[tuple[str, str]]:
    """A value's plain members, each named by its way there; of a list in a list the length is all there is room for."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name} {key}".strip(), inner)
    elif isinstance(value, list):
        plain = all(not isinstance(each, (Mapping, list)) for each in value)
        yield name, ", ".join(map(str, value)) if plain else f"{len(value):,}"
    elif value is not None:
        yield name, f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
