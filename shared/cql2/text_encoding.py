"""CQL2 text to CQL2-JSON, by the package `cql2`, within bounds in which that package is safe.

Measured with 0.6.0: its process dies of 2,000 nested parentheses and of 4,000 operators in a chain, and an error inside
n nested parentheses takes 2^n steps. So parentheses that only group are parsed one by one, from within, each
standing for a property in the text around it; what is nested otherwise, and chains, are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cql2 import ParseError, parse_text

from shared.cql2.errors import FilterError

MAX_PARENTHESES = 50
"""Nested ones; a choice. Programs put each of a chain of conditions into one more pair."""
MAX_OPERATORS = 500
"""NOT and arithmetic operators together; a choice, an eighth of what the package dies of."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<word>[^\W\d][\w.:]*)
      | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
      | (?P<open>\()
      | (?P<close>\))
      | (?P<comma>,)
      | (?P<arithmetic>[+\-*/%^])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_GEOMETRY = re.compile(r"(MULTI)?(POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION", re.IGNORECASE)
_DIMENSIONS = ("z", "m", "zm")
_NO_CALL = frozenset({"and", "or", "not", "between", "like", "is", "null", "div"})
"""Words before a parenthesis that is no list of arguments."""
_GROUP = "\x01"
"""Begins the name of the property that stands for a group; no text may have it."""
_PLACE = re.compile(r"-->\s*(\d+):(\d+)")


@dataclass
class _Token:
    kind: str
    text: str
    at: int
    close: int = -1
    """Of an opening parenthesis: the index of the closing one."""
    has_comma: bool = False


@dataclass
class _Piece:
    """A stretch of the text in which groups are replaced, and where its parts come from."""

    text: list[str] = field(default_factory=list)
    starts: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0

    def add(self, text: str, at: int) -> None:
        self.starts.append((self.length, at))
        self.text.append(text)
        self.length += len(text)

    def position(self, offset: int) -> int:
        """The place in the filter of a place in the piece."""
        start, at = max((start for start in self.starts if start[0] <= offset), default=(0, 0))
        return at + offset - start


def text_to_json(text: str) -> Any:
    """The filter in CQL2-JSON. Raises FilterError with the character at which it cannot be read."""
    if any(character in text for character in ("\x00", _GROUP)):
        raise FilterError("The filter holds a control character.")
    tokens = [_Token(str(match.lastgroup), match.group(), match.start()) for match in _TOKEN.finditer(text)]
    _pair_parentheses(tokens, text)
    operators = sum(
        token.kind == "arithmetic" or (token.kind == "word" and token.text.lower() in ("not", "div"))
        for token in _outside_geometries(tokens)
    )
    if operators > MAX_OPERATORS:
        raise FilterError(f"The filter has {operators:,} operators (NOT, arithmetic); {MAX_OPERATORS} are taken.")
    return _Grouping(text, tokens).parse(0, len(tokens))


def _pair_parentheses(tokens: list[_Token], text: str) -> None:
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind == "open":
            opened.append(index)
            if len(opened) > MAX_PARENTHESES:
                raise FilterError(
                    f"Parentheses are nested {MAX_PARENTHESES} deep at most; see character {token.at + 1}."
                )
        elif token.kind == "close":
            if not opened:
                raise _unreadable(text, token.at)
            tokens[opened.pop()].close = index
        elif token.kind == "comma" and opened:
            tokens[opened[-1]].has_comma = True
        elif token.kind == "other" and token.text in "'\"":
            raise FilterError(f"The quotation that begins at character {token.at + 1} of the filter does not end.")
    if opened:
        raise FilterError(f"The parenthesis at character {tokens[opened[-1]].at + 1} of the filter is not closed.")


def _outside_geometries(tokens: list[_Token]) -> list[_Token]:
    kept, index = [], 0
    while index < len(tokens):
        kept.append(tokens[index])
        if tokens[index].kind == "open" and _opens_geometry(tokens, index):
            index = tokens[index].close
        index += 1
    return kept


def _before(tokens: list[_Token], index: int) -> _Token | None:
    """The last token before this one that is no space."""
    return next((token for token in reversed(tokens[max(0, index - 2) : index]) if token.kind != "space"), None)


def _opens_geometry(tokens: list[_Token], index: int) -> bool:
    words = [token.text for token in tokens[max(0, index - 4) : index] if token.kind != "space"][-2:]
    if words and words[-1].lower() in _DIMENSIONS:
        words.pop()
    return bool(words and _GEOMETRY.fullmatch(words[-1]))


class _Grouping:
    """The parse of a filter, group by group."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._text = text
        self._tokens = tokens

    def parse(self, start: int, end: int) -> Any:
        """The tokens from `start` until before `end`."""
        piece, groups = _Piece(), dict[str, Any]()
        self._collect(piece, groups, start, end, in_array=False)
        text = "".join(piece.text)
        if not text.strip():
            raise _unreadable(self._text, self._tokens[start].at if start < len(self._tokens) else len(self._text))
        try:
            parsed = parse_text(text).to_json()
        except ParseError as error:
            raise _unreadable(self._text, piece.position(_offset(text, str(error)))) from None
        except Exception as error:
            raise FilterError(f"The filter cannot be read: {error}.") from None
        return _with_groups(parsed, groups) if groups else parsed

    def _collect(self, piece: _Piece, groups: dict[str, Any], start: int, end: int, *, in_array: bool) -> None:
        index = start
        while index < end:
            token = self._tokens[index]
            if token.kind != "open":
                piece.add(" " if token.kind == "space" else token.text, token.at)
                index += 1
                continue
            before = _before(self._tokens, index)
            word = before.text.lower() if before is not None and before.kind == "word" else None
            if _opens_geometry(self._tokens, index):
                for inner in self._tokens[index : token.close + 1]:
                    piece.add(" " if inner.kind == "space" else inner.text, inner.at)
            elif (word is not None and word not in _NO_CALL) or token.has_comma:
                is_array = word == "in" or word is None or word in _NO_CALL
                if is_array and in_array:
                    raise FilterError(f"A list holds values, no lists; see character {token.at + 1} of the filter.")
                piece.add(token.text, token.at)
                self._collect(piece, groups, index + 1, token.close, in_array=in_array or is_array)
                piece.add(")", self._tokens[token.close].at)
            else:
                name = f"{_GROUP}{len(groups)}"
                groups[name] = self.parse(index + 1, token.close)
                piece.add(f' "{name}" ', token.at)
            index = token.close + 1


def _with_groups(node: Any, groups: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_with_groups(part, groups) for part in node]
    if isinstance(node, dict):
        name = node.get("property")
        if isinstance(name, str) and name in groups:
            return groups[name]
        return {key: _with_groups(part, groups) for key, part in node.items()}
    return node


def _offset(text: str, message: str) -> int:
    """The place in the text that the package's message names by line and column."""
    place = _PLACE.search(message)
    if place is None:
        return 0
    line, column = int(place.group(1)), int(place.group(2))
    return sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + column - 1


def _unreadable(text: str, at: int) -> FilterError:
    near = text[at : at + 40]
    rest = f"near {near!r}" if near.strip() else "at its end"
    return FilterError(f"The filter cannot be read at character {at + 1}, {rest}.")
