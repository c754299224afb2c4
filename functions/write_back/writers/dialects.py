"""The SQL of the systems that scripts are written for.

Names and values are quoted so that no reader of scripts (psql, sqlcmd, SQL*Plus) takes a part of them for a statement
or a command: quotation marks are doubled, and control characters are spelled out, so that no literal has two lines.
"""
# ruff: noqa: S608 - that is what this file is for

import re
from abc import ABC, abstractmethod

from shared.mapping.language.write_back import ColumnType

_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PLAIN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"([\x00-\x1f\x7f])")


class ScriptDialect(ABC):
    """The language of one kind of database."""

    empty_is_null = False
    """True where an empty text is NULL."""
    beginning: str
    end: str

    @abstractmethod
    def identifier(self, name: str) -> str:
        """A quoted name."""

    @abstractmethod
    def text(self, value: str) -> str:
        """A text as an expression on one line."""

    @abstractmethod
    def guarded(self, number: int, label: str, update: str, written_before: str) -> str:
        """An UPDATE whose number of rows is checked; `written_before` counts the rows that have the new values."""

    def value(self, value: str | None, type_: ColumnType) -> str:
        """A value of a column of a type."""
        if value is None:
            return "NULL"
        if type_ == "number" and _PLAIN_NUMBER.fullmatch(value):
            return value
        if type_ == "date" and _PLAIN_DAY.fullmatch(value):
            return self.day(value)
        return self.text(value)

    def day(self, value: str) -> str:
        """A day, given as 2025-01-31."""
        return f"DATE '{value}'"


def _spelled(value: str, quoted: str, character: str, joint: str) -> str:
    """A text as an expression: `quoted` and `character` are formats of a piece and of a control character."""
    pieces = [
        character.format(ord(piece)) if _CONTROL.fullmatch(piece) else quoted.format(piece.replace("'", "''"))
        for piece in _CONTROL.split(value)
        if piece
    ]
    whole = joint.join(pieces or [quoted.format("")])
    return f"({whole})" if len(pieces) > 1 else whole


class PostgreSqlScript(ScriptDialect):
    """PostgreSQL, for psql or any other client. A literal has no type of its own, and takes that of the column."""

    beginning = (
        "-- psql --set ON_ERROR_STOP=1 --file SCRIPT\n"
        "SET standard_conforming_strings = on;\n"
        "BEGIN;\n"
        "CREATE TEMPORARY TABLE terrafusion_rows\n"
        "  (row_no integer, row_label text, written bigint, written_before bigint) ON COMMIT DROP;\n"
    )
    end = (
        "-- a key that finds several rows divides by zero, which ends the transaction\n"
        "SELECT 1 / (CASE WHEN max(written) > 1 THEN 0 ELSE 1 END) AS every_key_finds_one_row FROM terrafusion_rows;\n"
        "SELECT row_no, row_label AS changed_in_between FROM terrafusion_rows\n"
        "  WHERE written = 0 AND written_before = 0 ORDER BY row_no;\n"
        "COMMIT;\n"
    )

    def identifier(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def text(self, value: str) -> str:
        return _spelled(value, "'{}'", "chr({})", " || ")

    def value(self, value: str | None, type_: ColumnType) -> str:  # noqa: ARG002 - see the class
        return "NULL" if value is None else self.text(value)

    def guarded(self, number: int, label: str, update: str, written_before: str) -> str:
        return (
            f"WITH updated AS ({update} RETURNING 1)\n"
            f"INSERT INTO terrafusion_rows SELECT {number}, {label}, (SELECT count(*) FROM updated),"
            f" ({written_before});\n"
        )


class SqlServerScript(ScriptDialect):
    """Microsoft SQL Server, for sqlcmd or Management Studio."""

    beginning = (
        "-- sqlcmd -b -f 65001 -i SCRIPT\n"
        "SET NOCOUNT ON; SET XACT_ABORT ON; SET QUOTED_IDENTIFIER ON; SET ANSI_NULLS ON;\n"
        "DECLARE @rows TABLE (row_no int PRIMARY KEY, row_label nvarchar(1000), written int, written_before int);\n"
        "BEGIN TRANSACTION;\n"
    )
    end = (
        "IF EXISTS (SELECT 1 FROM @rows WHERE written > 1)\n"
        "BEGIN\n"
        "  ROLLBACK TRANSACTION;\n"
        "  THROW 50000, N'A key finds several rows: nothing was written.', 1;\n"
        "END;\n"
        "SELECT row_no, row_label AS changed_in_between FROM @rows\n"
        "  WHERE written = 0 AND written_before = 0 ORDER BY row_no;\n"
        "COMMIT TRANSACTION;\n"
    )

    def identifier(self, name: str) -> str:
        return "[" + name.replace("]", "]]") + "]"

    def text(self, value: str) -> str:
        # sqlcmd replaces $(NAME) in literals too
        return _spelled(value, "N'{}'", "NCHAR({})", " + ").replace("$(", "$' + N'(")

    def day(self, value: str) -> str:
        return f"CAST(N'{value}' AS date)"

    def guarded(self, number: int, label: str, update: str, written_before: str) -> str:
        return (
            f"INSERT INTO @rows SELECT {number}, {label}, 0, ({written_before});\n"
            f"{update};\n"
            f"UPDATE @rows SET written = @@ROWCOUNT WHERE row_no = {number};\n"
        )


class OracleScript(ScriptDialect):
    """Oracle Database, for SQL*Plus or SQLcl. An empty text is NULL."""

    empty_is_null = True
    beginning = (
        "-- sqlplus USER @SCRIPT, with NLS_LANG=.AL32UTF8\n"
        "SET DEFINE OFF\n"
        "SET SERVEROUTPUT ON SIZE UNLIMITED\n"
        "WHENEVER SQLERROR EXIT FAILURE ROLLBACK\n"
    )
    end = "COMMIT;\n"

    def identifier(self, name: str) -> str:
        return f'"{name}"'  # a name cannot have a quotation mark there, and a mapping with one is refused

    def text(self, value: str) -> str:
        # SQL*Plus takes 2,499 characters a line
        pieces = [value[start : start + _ORACLE_PIECE] for start in range(0, len(value), _ORACLE_PIECE)] or [""]
        spelled = [_spelled(piece, "'{}'", "CHR({})", " || ") for piece in pieces]
        return spelled[0] if len(spelled) == 1 else f"({f' ||{chr(10)}      '.join(spelled)})"

    def guarded(self, number: int, label: str, update: str, written_before: str) -> str:
        counted = written_before.replace("SELECT count(*)", "SELECT count(*) INTO found", 1)
        return (
            "DECLARE found NUMBER;\n"
            "BEGIN\n"
            f"  {update};\n"
            "  IF SQL%ROWCOUNT > 1 THEN\n"
            "    RAISE_APPLICATION_ERROR(-20000, 'A key finds several rows: nothing was written.');\n"
            "  ELSIF SQL%ROWCOUNT = 0 THEN\n"
            f"    {counted};\n"
            "    IF found = 0 THEN\n"
            f"      DBMS_OUTPUT.PUT_LINE('changed in between: {number}, ' || {label});\n"
            "    END IF;\n"
            "  END IF;\n"
            "END;\n"
            "/\n"
        )


_ORACLE_PIECE = 1000
"""Characters of a piece of a literal, with its quotation marks doubled within a line of SQL*Plus."""

SCRIPT_DIALECTS: dict[str, ScriptDialect] = {
    "postgresql": PostgreSqlScript(),
    "sqlserver": SqlServerScript(),
    "oracle": OracleScript(),
}
"""The dialects by their names in a mapping."""
