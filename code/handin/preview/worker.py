"""Builds the documents once, in a process of its own, and hands the pages over as they are set.

`python -m handin.preview.worker ROOT` imports what a build needs, then waits for its job, a line of JSON on
standard input: one that waits is ready when a file is saved. It answers in lines of JSON on standard output:

    {"step": "12/40 fig-data"}
    {"document": "report", "pages": [{"file": …, "width": …, "height": …, "lines": [[x, y, w, h, text], …]}]}
    {"error": "sections/2-experiments.qmd:12: …"}
    {"done": ["_output/report.pdf", …], "seconds": 1.1}

A page's picture is a file named after its content: a page that did not change keeps its name. Lengths are
parts of the page, from its upper left corner.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
from rich.console import Console

from handin.environment import Mode
from handin.errors import HandinError
from handin.files import fingerprint
from handin.files.publish import publish
from handin.project import Project, load_project
from handin.render.builtin import Builder
from handin.render.quarto import render_by_quarto
from handin.render.typeset import to_svg

DOTS_PER_POINT = 2.5  # of the pictures of Quarto's pages, 180 dpi


@dataclass(frozen=True)
class Job:
    """What to build."""

    root: str
    documents: list[str]  # the one that is looked at first
    renderer: str  # "builtin" or "quarto"
    draft: bool
    pages: str  # folder that takes the pictures


class Build:
    """One build that tells `say` what it does."""

    def __init__(self, job: Job, project: Project, say: Say) -> None:
        self._job = job
        self._project = project
        self._say = say

    def run(self) -> list[Path]:
        """Build all documents.

        Raises:
            HandinError: As the renderers do; the documents are as they were.
        """
        project, job = self._project, self._job
        console = Console(file=_Steps(self._say), width=200)
        if job.renderer == "builtin":
            builder = Builder(project, mode=Mode(draft=job.draft), console=console, on_set=self._from_typst)
            return builder.render(job.documents)
        paths = render_by_quarto(project, job.documents, mode=Mode(draft=job.draft), console=console)
        for path in paths:
            self._tell(path.stem, path.read_bytes(), ".png", _pictures(path))
        return paths

    def _from_typst(self, name: str, pdf: bytes, typst: Path) -> None:
        self._tell(Path(name).stem, pdf, ".svg", to_svg(typst, self._project))

    def _tell(self, document: str, pdf: bytes, suffix: str, pictures: list[bytes]) -> None:
        """Store the pictures, and say what is on each page; of one that did not change both are there."""
        read = pypdfium2.PdfDocument(pdf)
        pages = []
        for number, picture in enumerate(pictures):
            path = Path(self._job.pages) / f"{hashlib.sha256(picture).hexdigest()[:24]}{suffix}"
            told = path.with_suffix(".json")
            if not told.exists():
                page = {"file": path.name, **_lines(read[number])}
                publish({path: picture, told: json.dumps(page).encode()})
            pages.append(json.loads(told.read_bytes()))
        self._say(document=document, pages=pages)


class Say:
    """Writes lines of JSON."""

    def __init__(self, stream: io.TextIOBase | Any) -> None:
        self._stream = stream

    def __call__(self, **what: object) -> None:
        print(json.dumps(what), file=self._stream, flush=True)


class _Steps(io.StringIO):
    """A file that passes on what the renderer prints, line by line, as steps."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.strip():
                self._say(step=line.strip())
        return len(text)


def _lines(page: Any) -> dict[str, Any]:
    """Size (pt) and lines of a page: invisible over its picture, they can be found and copied."""
    width, height = page.get_size()
    text = page.get_textpage()
    lines = []
    for index in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(index)
        parts = left / width, 1 - top / height, (right - left) / width, (top - bottom) / height
        lines.append([*(round(part, 4) for part in parts), text.get_text_bounded(left, bottom, right, top)])
    return {"width": width, "height": height, "lines": lines}


def _pictures(path: Path) -> list[bytes]:
    """The pages of a PDF as PNG."""
    pictures = []
    for page in pypdfium2.PdfDocument(path):
        written = io.BytesIO()
        page.render(scale=DOTS_PER_POINT).to_pil().save(written, "PNG")
        pictures.append(written.getvalue())
    return pictures


def main() -> None:
    """Wait for a job, do it, tell how it went."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the newer save: leave in good order
    say = Say(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what else is printed is no message
    started = time.perf_counter()
    try:
        with suppress(HandinError, OSError):  # half edited, say
            fingerprint.of(
                load_project(Path(sys.argv[1]))
            )  # has parsed the tool's modules when it is asked again
        line = sys.stdin.readline()
        if not line:
            return  # the preview has ended
        job = Job(**json.loads(line))
        started = time.perf_counter()
        project = load_project(Path(job.root))
        paths = Build(job, project, say).run()
        done = [path.relative_to(project.root).as_posix() for path in paths]
        say(done=done, seconds=round(time.perf_counter() - started, 2))
    except HandinError as error:
        say(error=str(error), seconds=round(time.perf_counter() - started, 2))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
