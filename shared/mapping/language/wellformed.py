"""The well-formed part of a mapping, which gets its semantic checks although other parts are malformed.

A malformed element is replaced by a placeholder, so that the others keep their paths. `Gaps` are the elements that
could not be read: no semantic error is reported of them, nor one that depends on their content.
"""

from dataclasses import dataclass, field
from typing import Any

from shared.mapping.language.errors import Path
from shared.mapping.language.model import CountyMapping, TableMapping

TABLES, FIELDS, RULES, VALUE_MAPS, LOOKUPS = "table_mappings", "field_map", "validations", "value_maps", "lookups"
WRITE_BACK = "write_back"

_PLACEHOLDER = "\x00"
"""The text of placeholders. It equals no text of the mapping: NUL is refused where a text is read."""

_KEPT = ("target", "type")
_FIELD = {
    "source": _PLACEHOLDER,
    "target": _PLACEHOLDER,
    "type": "string",
    "default_from_config": "county_id_default",  # the target that was kept may be the county's id
}
_RULE = {"rule": "required", "field": _PLACEHOLDER}
_LOOKUP = {"source_table_name": _PLACEHOLDER, "key": [_PLACEHOLDER], "columns": [_PLACEHOLDER]}
_TABLE = {
    "source_table_name": _PLACEHOLDER,
    "source_query": _PLACEHOLDER,
    "target_table_name": _PLACEHOLDER,
    "primary_key_source_fields": [_PLACEHOLDER],
    "primary_key_target_fields": [_PLACEHOLDER],
    "watermark_field": _PLACEHOLDER,
    "attributes": {},
}


@dataclass
class Gaps:
    """Elements that could not be read. `malformed`: their paths, and those of their unreadable parts; `incomplete`: the
    paths of collections that may define more names than could be read.
    """

    malformed: set[Path] = field(default_factory=set)
    incomplete: set[Path] = field(default_factory=set)

    def cover(self, path: Path) -> bool:
        """True for the path of a malformed element, or of a part of one."""
        return any(path[:length] in self.malformed for length in range(1, len(path) + 1))

    def may_define(self, collection: Path, name: str) -> bool:
        """True where a malformed element may define `name`."""
        return collection in self.incomplete or self.cover((*collection, name))


class WellFormed:
    """The document of a mapping, with malformed elements replaced in place: see `leave_out` and `shorten`."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.gaps = Gaps()

    def leave_out(self, path: Path) -> None:
        """Replace the smallest element around `path` on which no other element depends."""
        match path:
            case ("table_mappings", int(index), *inner):
                self._leave_out_of_tables(index, tuple(inner))
            case ("table_mappings", *_):
                self._leave_out_collection(self.document, (TABLES,), [_TABLE | {FIELDS: [_FIELD]}])
            case ("value_maps" | "lookups" as collection, str(name), *part):
                self.gaps.malformed.add((collection, name))
                if part == ["[key]"]:  # the name itself is malformed
                    self.document[collection].pop(name, None)
                elif name in self.document[collection]:
                    self.document[collection][name] = {} if collection == VALUE_MAPS else _LOOKUP
            case ("value_maps" | "lookups" as collection, *_):
                self._leave_out_collection(self.document, (collection,), {})
            case ("write_back", *_):  # nothing else of a mapping depends on it
                self._replace(self.document, (WRITE_BACK,), None)
            case (str(key), *_) if key in CountyMapping.model_fields:
                self._replace(self.document, (key,), "1.1" if key == "target_schema_version" else _PLACEHOLDER)
            case (str(key), *_) if isinstance(self.document.pop(key, None), dict):
                # a key that is not known may be one of these under another name
                self.gaps.incomplete |= {(name,) for name in (VALUE_MAPS, LOOKUPS) if name not in self.document}
            case _:
                pass

    def shorten(self, path: Path, length: int) -> None:
        """Truncate a collection to `length` elements."""
        holder: Any = self.document
        for part in path[:-1]:
            holder = holder[part]
        whole = holder[path[-1]]
        holder[path[-1]] = dict(list(whole.items())[:length]) if isinstance(whole, dict) else whole[:length]
        self.gaps.incomplete.add(path)

    def _leave_out_of_tables(self, index: int, inner: Path) -> None:
        path: Path = (TABLES, index)
        table = self.document[TABLES][index]
        if not isinstance(table, dict) or not inner:
            self._replace(self.document[TABLES], path, _TABLE | {FIELDS: [_FIELD]})
            self.gaps.incomplete.add((TABLES,))
            return
        match inner:
            case ("field_map", int(field_index), *part):
                self._leave_out_field(table[FIELDS], field_index, (*path, FIELDS), tuple(part))
            case ("validations", int(rule_index), *_):
                self._replace(table[RULES], (*path, RULES, rule_index), _RULE)
            case ("field_map", *_):
                self._leave_out_collection(table, (*path, FIELDS), [_FIELD])
            case ("validations", *_):
                self._leave_out_collection(table, (*path, RULES), [])
            case (str(key), *_) if key in TableMapping.model_fields:
                self._replace(table, (*path, key), _TABLE[key])
                if key == "target_table_name":
                    self.gaps.incomplete.add((TABLES,))
            case (key, *_):
                may_be_source = isinstance(table.pop(key, None), str)
                if may_be_source and not table.keys() & {"source_table_name", "source_query"}:
                    table["source_table_name"] = _PLACEHOLDER

    def _leave_out_field(self, fields: list[Any], index: int, path: Path, part: Path) -> None:
        """A field's target and type are kept where they can be read: other fields and rules depend on them."""
        written = fields[index] if isinstance(fields[index], dict) else {}
        kept = {key: written[key] for key in _KEPT if key in written and part[:1] != (key,)}
        fields[index] = _FIELD | kept
        self.gaps.malformed |= {(*path, index, key) for key in _KEPT if key not in kept}
        if "target" not in kept:
            self.gaps.incomplete.add(path)

    def _leave_out_collection(
        self, holder: dict[str, Any], path: Path, placeholder: list[Any] | dict[str, Any]
    ) -> None:
        """Replace a collection, unless it was read: then the error is that of a second one of its name."""
        self.gaps.incomplete.add(path)
        read = holder.get(str(path[-1]))
        if not read or not isinstance(read, type(placeholder)):
            self._replace(holder, path, placeholder)

    def _replace(self, holder: Any, path: Path, placeholder: object) -> None:
        holder[path[-1]] = placeholder
        self.gaps.malformed.add(path)
