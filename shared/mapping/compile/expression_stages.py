"""Named column expressions in the order in which Polars can evaluate them.

Polars evaluates an expression each time it is named, so each intermediate result gets a column of its own, in
stages: the expressions of a stage only read columns of earlier stages.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl


@dataclass
class ExpressionStages:
    """Expressions by stage; those of one stage are evaluated together."""

    stages: list[list[pl.Expr]] = field(default_factory=list)
    _depths: dict[str, int] = field(default_factory=dict)

    def add(self, expression: pl.Expr, *reads: str) -> str:
        """Add an expression that reads the columns `reads` (the source's are of stage 0); returns its column's name."""
        depth = max((self._depths.get(name, 0) for name in reads), default=0)
        name = f"\x1d{len(self._depths)}"  # no source has a column of such a name
        self._depths[name] = depth + 1
        if depth == len(self.stages):
            self.stages.append([])
        self.stages[depth].append(expression.alias(name))
        return name

    def evaluate(self, source: pl.DataFrame) -> pl.DataFrame:
        """The source's columns, and one for each expression."""
        frame = source
        for stage in self.stages:
            frame = frame.with_columns(stage)
        return frame
