"""Migrations expand: the release before runs on the schema of the one after, so a deployment can be rolled back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import ROOT

FIRST_HELD = "0005"
"""Earlier ones were never deployed beside an older release."""
NEVER_USED = {"op.drop_table('districts')", "op.drop_table('district_layers')"}
"""What no release had code for, so that none misses it."""
CONTRACTING = {"drop_table", "drop_column", "rename_table"}

MIGRATIONS = sorted(
    path for path in (ROOT / "shared" / "db" / "migrations" / "versions").glob("[0-9]*.py") if path.name >= FIRST_HELD
)


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_a_migration_takes_nothing_from_the_release_before(path: Path) -> None:
    assert set(_contractions(path.read_text())) <= NEVER_USED


@pytest.mark.parametrize(
    "statement",
    [
        "op.drop_table('sales')",
        "op.drop_column('sales', 'price')",
        "op.alter_column('sales', 'price', nullable=False)",
        "op.alter_column('sales', 'price', new_column_name='amount')",
        "op.add_column('sales', sa.Column('grantor', sa.Text, nullable=False))",
        "op.execute('ALTER TABLE sales DROP COLUMN price')",
    ],
)
def test_a_contraction_is_told(statement: str) -> None:
    assert list(_contractions(f"def upgrade():\n    {statement}")) == [statement]


@pytest.mark.parametrize(
    "statement",
    [
        "op.add_column('sales', sa.Column('grantor', sa.Text))",
        "op.add_column('sales', sa.Column('parcels', sa.Integer, nullable=False, server_default='1'))",
        "op.alter_column('sales', 'price', nullable=True)",
        "op.execute('CREATE INDEX ON sales (price)')",
    ],
)
def test_an_expansion_passes(statement: str) -> None:
    assert list(_contractions(f"def upgrade():\n    {statement}")) == []


def _contractions(source: str) -> Iterator[str]:
    for definition in ast.parse(source).body:
        if isinstance(definition, ast.FunctionDef) and definition.name != "downgrade":
            for call in (node for node in ast.walk(definition) if isinstance(node, ast.Call)):
                if isinstance(call.func, ast.Attribute) and _contracts(call.func.attr, call):
                    yield ast.unparse(call)


def _contracts(verb: str, call: ast.Call) -> bool:
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    match verb:
        case "alter_column":
            return options.get("nullable") == "False" or "new_column_name" in options or "type_" in options
        case "add_column":
            return any(_cannot_be_left_out(node) for node in ast.walk(call) if isinstance(node, ast.Call))
        case "execute":
            words = " ".join(ast.unparse(argument) for argument in call.args).upper()
            return any(word in words for word in ("DROP COLUMN", "DROP TABLE", "RENAME ", "SET NOT NULL"))
    return verb in CONTRACTING


def _cannot_be_left_out(column: ast.Call) -> bool:
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in column.keywords}
    return options.get("nullable") == "False" and "server_default" not in options
