"""Verdict on a case: the result of its run, compared with the outcomes that its expected.json allows.

`expected.json`: `says`, the situation and what is right in it; `rounds`, what is brought before each sync; `again`: one
more sync after a failure; `preview`; `onboarding`, a refusal that is right too; and `outcomes`. All of an outcome has
to hold, and one of them has to.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import shapely
from sqlalchemy import text

from shared.db import unit_of_work

Expected = dict[str, Any]


@dataclass
class RunResult:
    """The data after the last run, and the messages of all runs."""

    run: str
    """`applied`, `failed` or `waits`."""
    message: str
    first_failed: str
    parcels: dict[str, Expected]
    sales: dict[str, Expected]
    rejected: list[tuple[str, str]]
    """Of rows in quarantine: the key, and the reasons."""
    warned: list[tuple[str, str]]
    noted: str = ""
    flags: dict[str, str] = field(default_factory=dict)


def result_of_run(county_id: str, run_id: str, first_failed: str = "", noted: str = "") -> RunResult:
    """Read the result of a run from the operational database."""

    def rows(statement: str) -> list[Any]:
        return list(connection.execute(text(statement), {"run": run_id}))

    with unit_of_work(county_id) as connection:
        ((status, error, findings, counts),) = rows(
            "SELECT status, error::text, guard_findings::text, counts::text FROM jobs JOIN sync_runs"
            " ON sync_runs.run_id = jobs.job_id WHERE job_id = CAST(:run AS uuid)"
        )
        parcels, sales = (
            {row["id"]: row for (row,) in rows(
                f"SELECT to_jsonb(t) || jsonb_build_object('id', {key}) FROM {table} AS t WHERE retired_at IS NULL"
            )}
            for table, key in (("properties_operational", "property_id"), ("sales", "sale_id"))
        )  # fmt: skip
        rejected, warned = (
            [(key or "", reasons) for key, reasons in rows(
                f"SELECT coalesce(target_key, source_key), reasons::text FROM {table} WHERE run_id = CAST(:run AS uuid)"
            )]
            for table in ("rejected_rows", "sync_warnings")
        )  # fmt: skip
    run = {"succeeded": "applied", "failed": "failed", "awaiting_approval": "waits"}[status]
    message = {"applied": "", "failed": error, "waits": findings}[run] or ""
    noted = " ".join([noted, counts or "", *(reasons for _, reasons in warned)])
    return RunResult(run, message, first_failed, parcels, sales, rejected, warned, noted)


def verdict(expected: Expected, result: RunResult) -> tuple[Expected | None, list[str]]:
    """The outcome that holds (or None), and the faults of those that do not."""
    against = []
    for outcome in expected["outcomes"]:
        faults = list(_faults(outcome, result))
        if not faults:
            return outcome, []
        against.append(f"{outcome['verdict']} {outcome['says']}: " + "; ".join(faults[:4]))
    return None, against


def _faults(outcome: Expected, result: RunResult) -> Iterator[str]:
    expected = outcome.get("run", "applied")
    if result.run not in ([expected] if isinstance(expected, str) else expected):
        yield f"the run is {result.run} ({result.message[:300]})"
    for name in ("message", "first_failed", "noted"):
        if name in outcome and not re.search(outcome[name], getattr(result, name)):
            yield f"{name} is {getattr(result, name)[:300]!r}"
    yield from _rejected_faults(outcome, result)
    if "count" in outcome and len(result.parcels) != outcome["count"]:
        yield f"{len(result.parcels)} parcels"
    for table in ("parcels", "sales"):
        if table in outcome:
            yield from _table_faults(outcome, table, result)
    for sale, pattern in outcome.get("flags", {}).items():
        if not re.search(pattern, result.flags.get(sale, "")):
            yield f"the flags of {sale} are {result.flags.get(sale)}"


def _rejected_faults(outcome: Expected, result: RunResult) -> Iterator[str]:
    request = outcome.get("rejected", {"rows": 0, "each": ""})
    matching = [reasons for _, reasons in result.rejected if re.search(request["each"], reasons)]
    if len(matching) < request["rows"] or (outcome.get("no_rejected") and result.rejected):
        yield f"rejected: {result.rejected[:3]}"


def _table_faults(outcome: Expected, table: str, result: RunResult) -> Iterator[str]:
    rows: dict[str, Expected] = getattr(result, table)
    for key, alternatives in outcome[table].items():
        one_of = alternatives if isinstance(alternatives, list) else [alternatives]
        faults = [list(_row_faults(expected, key, rows.get(key), result)) for expected in one_of]
        if all(faults):
            yield f"{key}: {' or '.join(', '.join(of) for of in faults)}"
    others = set(rows) - set(outcome[table])
    if others and not outcome.get("others"):
        yield f"{table} that should not be: {sorted(others)[:3]}"


def _row_faults(expected: Expected, key: str, row: Expected | None, result: RunResult) -> Iterator[str]:
    if expected.get("absent"):
        yield from [f"it is there: {row}"] if row is not None else []
        return
    if "rejected" in expected:
        reasons = [reasons for of, reasons in result.rejected if of == key]
        if not any(re.search(expected["rejected"], item) for item in reasons):
            yield f"it is not rejected for that: {reasons}"
        if row is not None and not expected.get("kept"):
            yield "it is there"
    if "warned" in expected and not any(
        of == key and re.search(expected["warned"], said) for of, said in result.warned
    ):
        yield "no warning"
    values = {k: v for k, v in expected.items() if k not in {"rejected", "kept", "warned", "absent"}}
    if row is None:
        yield from ["it is not there"] if values and "rejected" not in expected else []
        return
    for name, value in values.items():
        actual = _value(row, name)
        if not (_shape_holds(value, actual) if name == "shape" else _holds(value, actual)):
            yield f"{name} is {str(actual)[:200]!r}"


def _value(row: Expected, name: str) -> Any:
    if name == "shape":
        return row["geometry"]
    result: Any = row
    for part in name.split("."):
        result = (result or {}).get(part)
    return result


def _holds(expected: Any, actual: Any) -> bool:
    match expected:
        case {"re": pattern}:
            return actual is not None and re.search(pattern, str(actual)) is not None
        case {"any": several}:
            return any(_holds(item, actual) for item in several)
        case {"near": near, "by": by}:
            return actual is not None and abs(float(actual) - near) <= by
        case {"not": other}:
            return not _holds(other, actual)
        case bool() | None | str() | list():
            return bool(actual == expected)
        case _:
            return actual is not None and float(actual) == float(expected)


def _shape_holds(expected: Expected | None, actual: str | None) -> bool:
    if expected is None or actual is None:
        return expected is None and actual is None
    shape = shapely.from_wkb(bytes.fromhex(actual.removeprefix("\\x")))
    by = expected.get("by", 1e-6)
    if any(abs(one - other) > by for one, other in zip(expected.get("bounds", ()), shape.bounds, strict=False)):
        return False
    return "points" not in expected or len(shapely.get_coordinates(shape)) == expected["points"]


def as_text(answer: Any) -> str:
    """The whole content of an answer as text, to be searched."""
    return json.dumps(answer)
