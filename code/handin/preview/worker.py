"""`python -m handin.preview.worker ROOT strict|draft` builds the documents and says how it goes.

It imports what a build needs, then waits for a line on standard input, the name of the document that is
looked at: one that waits is ready when a file is saved. It answers in lines of JSON on standard output:
{"step": "12/40 fig-data"}, {"document": "…/report.pdf"}, and at the end {"error": "sections/2.qmd:12: …"},
which is empty where all went well.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import TextIO

from rich.console import Console

from handin.environment import Mode
from handin.errors import HandinError
from handin.preview import PREVIEWED
from handin.project import load_project
from handin.render.builtin import Builder
from handin.sources import replace


class Answers(io.StringIO):
    """Writes lines of JSON; what the renderer prints to it is passed on as steps."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def say(self, **what: str) -> None:
        print(json.dumps(what), file=self._stream, flush=True)

    def write(self, text: str) -> int:
        for line in filter(None, map(str.strip, text.splitlines())):
            self.say(step=line)
        return len(text)


def build(root: Path, mode: Mode, first: str, answers: Answers) -> None:
    """Build all documents into the preview's folder, the one that is looked at first.

    Raises:
        HandinError: As the renderer does.
    """
    project = load_project(root)

    def keep(name: str, pdf: bytes) -> None:
        path = project.root / PREVIEWED / f"{Path(name).stem}.pdf"
        replace({path: pdf})
        answers.say(document=str(path))

    names = sorted(project.documents, key=lambda name: Path(name).stem != first)
    Builder(project, mode=mode, console=Console(file=answers, width=200), on_set=keep).render(names)


def main() -> None:
    """Wait for a job, do it, tell how it went."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the newer save: leave in good order
    answers = Answers(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what else is printed is no answer
    root, claims = sys.argv[1:]
    try:
        if line := sys.stdin.readline():  # else the preview has ended
            build(Path(root), Mode(draft=claims == "draft"), line.strip(), answers)
            answers.say(error="")
    except HandinError as error:
        answers.say(error=str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
