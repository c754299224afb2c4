"""The error of a filter."""

from shared.problems import Unprocessable


class FilterError(Unprocessable):
    """A filter that cannot be read or does not fit its layer; `pointer` is that of the part in CQL2-JSON."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail, pointer=pointer, slug="filter-invalid")
