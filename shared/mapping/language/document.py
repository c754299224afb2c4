"""YAML read into plain values, with the place of each: what messages about a mapping point to.

Scalars stay the text that was written. In legacy codes `01` is not 1, `1.10` is not 1.1 and `no` is not false;
what a field needs is decided by the field, not by YAML.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shared.mapping.language.errors import MappingError, MappingProblem

MAX_CHARACTERS = 512 * 1024
MAX_ELEMENTS = 50_000

Value = str | None | list["Value"] | dict[str, "Value"]
Path = tuple[str | int, ...]

_STANDARD = "tag:yaml.org,2002:"
_TAGS = {_STANDARD + name for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")}


@dataclass
class Document:
    """The values of a YAML text, and where each one stands; `unread` are the paths of those that a problem keeps from
    being read as they were meant.
    """

    value: Value
    places: dict[Path, tuple[int, int]]
    problems: list[MappingProblem] = field(default_factory=list)
    unread: set[Path] = field(default_factory=set)

    def problem(self, path: Path, message: str) -> MappingProblem:
        """A fault at `path`, or at the nearest element above it that the text has."""
        present = path
        while present not in self.places:
            present = present[:-1]
        line, column = self.places[present]
        return MappingProblem(line, column, written(path), message)


def written(path: Path) -> str:
    """`('table_mappings', 0, 'type')` as `table_mappings[0].type`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(text: str) -> Document:
    """Read one YAML document. Raises MappingError where it is no YAML, or too large; other faults are collected."""
    if len(text) > MAX_CHARACTERS:
        raise _unreadable(1, 1, f"the mapping has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _unreadable(line, column, f"this is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(1, 1, f"this is not YAML: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise _unreadable(1, 1, "this is nested too deeply to be a mapping") from error
    if node is None:
        raise _unreadable(1, 1, "the mapping is empty")
    reader = _Reader()
    value = reader.read(node, ())
    return Document(value, reader.places, reader.problems, reader.unread)


def _unreadable(line: int, column: int, message: str) -> MappingError:
    return MappingError([MappingProblem(line, column, "", message)])


class _Reader:
    def __init__(self) -> None:
        self.places: dict[Path, tuple[int, int]] = {}
        self.problems: list[MappingProblem] = []
        self.unread: set[Path] = set()
        self._seen: set[int] = set()

    def read(self, node: Node, path: Path) -> Value:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.places[path] = (line, column)
        if id(node) in self._seen:  # an alias repeats a node, and a few of them can stand for billions
            self._report(node, path, "aliases (*name) are not read; write the value again")
            return None
        self._seen.add(id(node))
        if len(self._seen) > MAX_ELEMENTS:
            raise _unreadable(line, column, f"the mapping has more than {MAX_ELEMENTS:,} elements")
        if node.tag not in _TAGS:
            self._report(node, path, f"the tag {node.tag.removeprefix(_STANDARD)!r} is not read")
            return None
        if isinstance(node, MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._read_scalar(node, path)

    def _read_mapping(self, node: MappingNode, path: Path) -> Value:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._report(key_node, path, "a key has to be a plain word", (*path, ""))
                continue
            key = str(key_node.value)
            if key in values:
                self._report(key_node, (*path, key), f"{key!r} stands here twice")
                continue
            values[key] = self.read(value_node, (*path, key))
            self.places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        return values

    def _read_scalar(self, node: Node, path: Path) -> Value:
        if "\x00" in node.value:
            self._report(node, path, "a text cannot contain NUL")
            return None
        return None if node.tag == _STANDARD + "null" else str(node.value)

    def _report(self, node: Node, path: Path, message: str, unread: Path | None = None) -> None:
        """Report a problem; what it keeps from being read stands at `path`, unless `unread` is given."""
        mark = node.start_mark
        self.problems.append(MappingProblem(mark.line + 1, mark.column + 1, written(path), message))
        self.unread.add(path if unread is None else unread)
