"""The mapping, and the table of it, that a request names."""

from shared.mapping import CountyMapping, MappingError, TableMapping, parse_mapping
from shared.problems import Unprocessable


def parse_requested(text: str) -> CountyMapping:
    """The mapping of a request's body. Raises Unprocessable with each error's line."""
    try:
        return parse_mapping(text)
    except MappingError as error:
        raise error.as_problem("/body/mapping") from error


def requested_table(mapping: CountyMapping, name: str) -> TableMapping:
    """The table of a mapping that fills the target `name`. Raises Unprocessable."""
    try:
        return mapping.table(name)
    except KeyError:
        target_names = ", ".join(table.target_table_name for table in mapping.table_mappings)
        raise Unprocessable(
            f"The mapping does not fill {name}; it fills: {target_names}.",
            pointer="/body/table",
            slug="table-not-mapped",
        ) from None
