"""What rows of a source have beside the source's own columns."""

READ_FAULT = "_read_fault"
"""The column by which a source says of a row that it is none (a line with too many fields), and why."""

ROW_NUMBER = "_row_number"
"""The column by which the rows of a file are numbered from 1."""

VALUE_FAULTS = "_value_faults"
"""The column by which a source says which values of a row it could not read, and why: a line each, the column's name,
a tab, the reason (`value_fault` writes one). Such a value is NULL, and a field that reads it rejects the
row, or warns.
"""


def value_fault(column: str, reason: str) -> str:
    """One line of VALUE_FAULTS."""
    return f"{fault_name(column)}\t{' '.join(reason.split())}"


def fault_name(column: str) -> str:
    """A column's name as it stands in VALUE_FAULTS: in one line, without tabs."""
    return " ".join(column.split())
