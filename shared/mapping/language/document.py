"""A YAML document as plain values, each with its line and column, so that messages can point to them.

Scalars stay the text that was written. In legacy codes `01` is not 1, `1.10` is not 1.1 and `no` is not false;
what a field needs is decided by the field, not by YAML.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shared.mapping.language.errors import Diagnostic, MappingError, Path

MAX_CHARACTERS = 512 * 1024
"""Characters of a mapping: forty times the largest of the demo counties' (12,600). It bounds the memory and the time of
a request, so only its order matters."""
MAX_ELEMENTS = 50_000
"""Values of a mapping: a value map may have thousands of codes. It bounds what aliases and nesting can make of the
characters above; only its order matters."""

Value = str | None | list["Value"] | dict[str, "Value"]

_STANDARD = "tag:yaml.org,2002:"
_TAGS = {_STANDARD + name for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")}


@dataclass
class Document:
    """The values of a YAML text by path, with their line and column; `unread` are the paths whose values an error keeps
    from being read as they were meant.
    """

    value: Value
    positions: dict[Path, tuple[int, int]]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    unread: set[Path] = field(default_factory=set)

    def diagnostic(self, path: Path, message: str) -> Diagnostic:
        """An error at `path`, or at the nearest element above it that the text has."""
        present = path
        while present not in self.positions:
            present = present[:-1]
        line, column = self.positions[present]
        return Diagnostic(line, column, path_text(path), message)


def path_text(path: Path) -> str:
    """`('table_mappings', 0, 'type')` as `table_mappings[0].type`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(text: str) -> Document:
    """Read one YAML document. Raises MappingError where it is no YAML, or too large; other errors are collected."""
    if len(text) > MAX_CHARACTERS:
        raise _fatal(1, 1, f"the mapping has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _fatal(line, column, f"this is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise _fatal(1, 1, f"this is not YAML: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise _fatal(1, 1, "this is nested too deeply to be a mapping") from error
    if node is None:
        raise _fatal(1, 1, "the mapping is empty")
    reader = _Reader()
    value = reader.read(node, ())
    return Document(value, reader.positions, reader.diagnostics, reader.unread)


def _fatal(line: int, column: int, message: str) -> MappingError:
    return MappingError([Diagnostic(line, column, "", message)])


class _Reader:
    def __init__(self) -> None:
        self.positions: dict[Path, tuple[int, int]] = {}
        self.diagnostics: list[Diagnostic] = []
        self.unread: set[Path] = set()
        self._seen: set[int] = set()

    def read(self, node: Node, path: Path) -> Value:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.positions[path] = (line, column)
        if id(node) in self._seen:  # an alias repeats a node, and a few of them can stand for billions
            self._report(node, path, "aliases (*name) are not read; write the value again")
            return None
        self._seen.add(id(node))
        if len(self._seen) > MAX_ELEMENTS:
            raise _fatal(line, column, f"the mapping has more than {MAX_ELEMENTS:,} elements")
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
            self.positions[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        return values

    def _read_scalar(self, node: Node, path: Path) -> Value:
        if "\x00" in node.value:
            self._report(node, path, "a text cannot contain NUL")
            return None
        return None if node.tag == _STANDARD + "null" else str(node.value)

    def _report(self, node: Node, path: Path, message: str, unread: Path | None = None) -> None:
        """Record an error; the value that it keeps from being read is at `path`, unless `unread` is given."""
        mark = node.start_mark
        self.diagnostics.append(Diagnostic(mark.line + 1, mark.column + 1, path_text(path), message))
        self.unread.add(path if unread is None else unread)
