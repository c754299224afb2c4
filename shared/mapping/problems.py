"""What can be wrong with a mapping, and where it stands in the text."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class MappingProblem:
    """One fault. `line` and `column` count from 1; `path` names the element: `table_mappings[0].field_map[2].type`."""

    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.path + ': ' if self.path else ''}{self.message}"


class MappingError(ValueError):
    """A mapping that cannot be used; `problems` holds every fault that was found, in the order of the text."""

    def __init__(self, problems: list[MappingProblem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
