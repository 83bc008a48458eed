"""Which PDF of a hand-in is the report, which ones render notebooks or scripts, which are figures.

Judged by name, by what stands on the first pages, by page size and by the program that wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from handin.reading.pdf import Content

_FOLDERS = re.compile(
    r"(?i)(^|/)(fig|figs|figures?|img|images?|plots?|graphics|media|visuali[sz]ations?)(/|$)"
)
_DRAWN_BY = re.compile(r"(?i)matplotlib|cairo|inkscape|gnuplot|R Graphics|MATLAB|draw\.io|graphviz|plotly")
_PAPERS = ((595, 842), (612, 792), (612, 1008))  # A4, letter, legal, pt
_PROMPT = re.compile(r"(?m)^(?:In|Out)? ?\[[ \d*]*\]:")
_SHEET = re.compile(
    r"(?i)hand-? ?in your solution|rules for submission|zip archive|deadline|grade your solution|"
    r"maximum points|ILIAS"
)


@dataclass(frozen=True)
class Roles:
    """Paths of PDFs, the likeliest first."""

    reports: tuple[str, ...]  # what may be the report
    notebooks: tuple[str, ...]  # what renders notebooks or scripts
    certain: bool  # whether the first report is the report


def sort_out(
    paths: Sequence[str],
    read: Callable[[str], Content | None],
    code: Sequence[str],
    logins: Sequence[str],
) -> Roles:
    """Tell the PDFs of a hand-in apart.

    Args:
        paths: The PDFs.
        read: Gives what can be read of one.
        code: The hand-in's notebooks and scripts, whose names their renders share.
        logins: Who is known to hand in.
    """
    documents = {path: read(path) for path in paths}
    documents = {path: content for path, content in documents.items() if not _is_figure(path, content)}
    stems = {PurePosixPath(path).stem.lower() for path in code}
    prompts = {path for path, content in documents.items() if content and _prompts(content) > 1}

    def named_as_notebook(path: str) -> bool:
        stem = PurePosixPath(path).stem.lower()
        # A name shared with the code says less than cells on the pages.
        return (stem in stems and not prompts) or any(
            word in path.lower() for word in ("notebook", "codebook", ".ipynb")
        )

    rendered = prompts | {path for path in documents if named_as_notebook(path)}
    rendered -= {path for path in rendered - prompts if _named_as_report(path)}
    if rendered == set(documents) and rendered - prompts:
        rendered = prompts  # a report that is called like the notebook
    score = {path: _likeness(path, documents[path], logins) for path in documents if path not in rendered}
    reports = sorted(score, key=lambda path: (-score[path], path))
    return Roles(
        reports=tuple(reports),
        notebooks=tuple(sorted(rendered, key=lambda path: (path not in prompts, path))),
        certain=len(reports) == 1 or (len(reports) > 1 and score[reports[0]] > score[reports[1]]),
    )


def _is_figure(path: str, content: Content | None) -> bool:
    if _FOLDERS.search(str(PurePosixPath(path).parent)):
        return True
    if content is None or len(content.pages) > 1 or _named_as_report(path):
        return False
    width, height = sorted((content.pages[0].width, content.pages[0].height))
    paper = any(abs(width - short) < 3 and abs(height - long) < 3 for short, long in _PAPERS)
    return not paper or bool(_DRAWN_BY.search(content.info.get("Producer", "")))


def _prompts(content: Content) -> int:
    """How many cells of a notebook the first pages show."""
    return sum(len(_PROMPT.findall(page.text)) for page in content.pages[:5])


def _named_as_report(path: str) -> bool:
    return bool(re.search(r"(?i)report|bericht", PurePosixPath(path).stem))


def _likeness(path: str, content: Content | None, logins: Sequence[str]) -> int:
    """How many signs say that this is a report, less those that say it is the assignment's own sheet."""
    first = content.pages[0].text if content else ""
    stem = PurePosixPath(path).stem.lower()
    found = 2 * _named_as_report(path) + sum(login.lower() in stem for login in logins)
    found += any(re.search(rf"(?i)\b{re.escape(login)}\b", first) for login in logins)
    return found - 2 * (len(set(map(str.lower, _SHEET.findall(first)))) > 1)
