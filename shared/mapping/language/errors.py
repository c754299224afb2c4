"""What can be wrong with a mapping, and where it stands in the text."""

from dataclasses import dataclass

from shared.problems import Fault, Unprocessable


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

    def as_problem(self, pointer: str) -> Unprocessable:
        """The problem of a request whose mapping stands at `pointer`: a fault for each, with its line."""
        faults = tuple(
            Fault(pointer, f"line {one.line}, column {one.column}: {one.message}", line=one.line)
            for one in self.problems
        )
        return Unprocessable(
            f"The mapping has {len(faults)} fault(s); see errors.", slug="mapping-invalid", faults=faults
        )
