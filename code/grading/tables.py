"""The rows as a table at the terminal and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from grading.row import Row, in_words


def _columns(row: Row) -> dict[str, object]:
    return {
        "login": _inert(row.login),
        "hand-in": _inert(row.name),
        "rules passed": row.passed,
        "rules": row.rules,
        "rules failed": _inert(" ".join(row.failed)),
        "pages": row.body_pages,
        "pages in all": row.pages,
        "tasks found": len(row.tasks),
        "tasks asked": row.asked,
        "figures": row.figures,
        "code lines": row.code_lines,
        "code bytes": row.code_bytes,
        "warnings": _inert(" | ".join(in_words(warning) for warning in row.warnings)),
    }


def as_csv(rows: Sequence[Row]) -> str:
    """One line per hand-in, UTF-8 with a byte order mark, as spreadsheets expect it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(map(_columns, rows))
    return "\ufeff" + out.getvalue()


def _inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    text = " ".join(text.split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


COLUMNS = tuple(_columns(Row("")))


def as_table(rows: Sequence[Row]) -> Table:
    """The terminal's table; what strangers wrote is shown as text, never as markup."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("login")
    table.add_column("hand-in", overflow="fold")
    for heading in ("rules", "pages", "tasks", "figures", "code"):
        table.add_column(heading, justify="right")
    table.add_column("warnings", overflow="fold")
    for row in rows:
        style = "red" if row.failed else ""
        more = len(row.warnings) - 1
        table.add_row(
            Text(row.login or "?"),
            Text(row.name),
            Text(f"{row.passed}/{row.rules}", style),
            _number(row.body_pages),
            f"{len(row.tasks)}/{row.asked}",
            _number(row.figures),
            str(row.code_lines),
            Text(
                (in_words(row.warnings[0]) if row.warnings else "") + (f"; {more} more" if more > 0 else "")
            ),
        )
    return table


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)
