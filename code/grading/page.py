"""The rows as one web page that needs no server, no network and trusts nothing that students wrote.

Everything from a hand-in is escaped; thumbnails are pictures that we drew; and the page's own policy lets the
browser run its one script, by hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from grading.row import Row, in_words
from handin.rules.finding import Finding, Status

_HEADINGS = ("First page", "Login", "Rules passed", "Pages", "Tasks", "Figures", "Code lines", "Warnings")
_SHOWN = 3  # warnings before the rest is folded away


def as_page(rows: Sequence[Row], title: str, footer: str) -> str:
    """The whole page as HTML."""
    style, script = _part("page.css"), _part("page.js")
    broken = sum(bool(row.failed) for row in rows)
    return Template(_part("page.html")).substitute(
        policy=f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        title=escape(title),
        style=style,
        script=script,
        summary=f"{len(rows)} hand-ins: {len(rows) - broken} break no rule, {broken} break one or more.",
        head="".join(f'<th><button type="button">{heading}</button></th>' for heading in _HEADINGS),
        rows="\n".join(_row(row) for row in rows),
        footer=escape(footer),
    )


def _row(row: Row) -> str:
    cells = (
        _cell(_picture(row), "", "picture"),
        _cell(f'{escape(row.login or "?")}<div class="name">{escape(row.name)}</div>', row.login),
        _cell(_rules(row), row.passed, "number"),
        _cell(_count(row.body_pages, row.pages), row.body_pages, "number"),
        _cell(f"{len(row.tasks)} of {row.asked}", len(row.tasks), "number"),
        _cell(_count(row.figures), row.figures, "number"),
        _cell(f"{row.code_lines:,}", row.code_lines, "number"),
        _cell(_warnings(row.warnings), len(row.warnings)),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _cell(content: str, key: str | int | None, kind: str = "") -> str:
    shown = "" if key is None else escape(str(key))
    return f'<td data-key="{shown}"{f" class={kind}" if kind else ""}>{content}</td>'


def _picture(row: Row) -> str:
    # The thumbnail comes from a process that read a stranger's PDF: nothing but base64 may stand here.
    if not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", row.thumbnail):
        return "<span>no picture</span>"
    return f'<img loading="lazy" alt="first page of the report" src="data:image/png;base64,{row.thumbnail}">'


def _rules(row: Row) -> str:
    return f'<span class="{"bad" if row.failed else "good"}">{row.passed} of {row.rules}</span>'


def _count(value: int | None, of: int | None = None) -> str:
    if value is None:
        return "–"
    return f"{value} of {of}" if of is not None and of != value else str(value)


def _warnings(warnings: Sequence[Finding]) -> str:
    if not warnings:
        return ""
    first, rest = warnings[:_SHOWN], warnings[_SHOWN:]
    folded = f"<details><summary>{len(rest)} more</summary>{_list(rest)}</details>" if rest else ""
    return _list(first) + folded


def _list(warnings: Sequence[Finding]) -> str:
    items = (
        f"<li{'' if warning.status is Status.FAIL else ' class=doubt'}>{escape(in_words(warning))}</li>"
        for warning in warnings
    )
    return f"<ul>{''.join(items)}</ul>"


def _part(name: str) -> str:
    return files("grading").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The source of a style or script as a Content Security Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
