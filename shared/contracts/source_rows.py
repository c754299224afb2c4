"""Columns and keys of a source's rows: their columns beside the source's own, and the ends of their key ranges."""

Key = list[str | int]
"""The end of a range of rows, as JSON can hold it: values of the key columns, or a position in a file."""

READ_FAULT = "_read_fault"
"""The column with the reason why a row could not be read (a line with too many fields); NULL for one that could."""

ROW_NUMBER = "_row_number"
"""The column with the number of a file's row, from 1."""

VALUE_FAULTS = "_value_faults"
"""The column with the values of a row that could not be read: a line for each, with the column's name, a tab and the
reason (`value_fault` writes one). Such a value is NULL, and a field that reads it rejects the row, or warns.
"""

ADDED_COLUMNS = (READ_FAULT, ROW_NUMBER, VALUE_FAULTS)


def value_fault(column: str, reason: str) -> str:
    """One line of VALUE_FAULTS."""
    return f"{fault_name(column)}\t{' '.join(reason.split())}"


def fault_name(column: str) -> str:
    """A column's name as it stands in VALUE_FAULTS: in one line, without tabs."""
    return " ".join(column.split())
