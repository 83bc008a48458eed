"""Renders by Quarto: all or nothing, with the environment and the progress of the built-in renderer."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console

from handin.environment import DRAFT_MARK, HAND_IN, Mode, environment
from handin.errors import HandinError, Place
from handin.files import fingerprint
from handin.files.lock import alone
from handin.files.publish import publish
from handin.project import Project
from handin.render.collect import FIGURES, FINGERPRINT
from handin.render.figures import obsolete_figures
from handin.render.kernel import ANSI
from handin.render.notebook import remarks
from handin.render.progress import VARIABLE, Progress

CELL = re.compile(r"Cell (?P<number>\d+)/(?P<total>\d+): '(?P<label>[^']*)'\.*(Done)?$")
DOCUMENT = re.compile(r"\[\d+/\d+\] (?P<name>\S+\.qmd)$")
SETTING = re.compile(r"^\[typst\]: Compiling (?P<file>\S+)")


def quarto_version() -> str | None:
    """The version of the Quarto on the PATH, None where there is none that runs."""
    found = shutil.which("quarto")
    if found is None:
        return None
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def quarto_environment(project: Project, mode: Mode = HAND_IN) -> dict[str, str]:
    """The variables for Quarto: the project's, and the Python that runs the chunks."""
    variables = environment(project, mode)
    folders = [str(Path(sys.executable).parent), variables.get("PATH", os.defpath)]
    own = {"QUARTO_PYTHON": sys.executable, "PATH": os.pathsep.join(folders)}  # post-render says `python`
    return variables | own


def render_by_quarto(
    project: Project,
    names: Sequence[str],
    *,
    mode: Mode = HAND_IN,
    to: str = "typst",
    console: Console | None = None,
) -> list[Path]:
    """Render the named documents of a project.

    Quarto writes into a scratch folder; its documents are moved to their place when the last one is complete.

    Returns:
        The PDFs, or the web pages.

    Raises:
        HandinError: Quarto failed; what it said is part of the message. No document has changed then.
    """
    root = project.root
    say = Progress(console, Path()).say
    with (
        alone(root, "handin render", say) as build,
        tempfile.TemporaryDirectory(prefix="quarto-", dir=build) as name,
    ):
        folder = Path(name)
        output = folder / "output"
        progress_file = folder / "progress.jsonl"
        variables = quarto_environment(project, mode)
        figures = folder / "figures"
        figures.mkdir()
        variables |= {
            VARIABLE: str(progress_file),
            FIGURES: str(figures),
            FINGERPRINT: fingerprint.of(project, variables).as_json(),
        }
        # After a render of the whole project figures that no document draws any more can go.
        rounds = [[]] if set(names) == set(project.documents) else [[name] for name in names]
        with Progress(console, progress_file) as progress:
            for documents in rounds:
                command = ["quarto", "render", *documents, "--to", to, "--no-execute-daemon"]
                command += ["--output-dir", output.relative_to(root).as_posix()]
                command += ["--metadata", f"{DRAFT_MARK}:true"] if mode.is_draft else []
                _run(command, root, variables, progress)
        files = {
            place / path.name: path.read_bytes()
            for folder, place in ((output, project.output_dir), (figures, project.figures_dir))
            for path in sorted(folder.glob("*"))
            if path.is_file()
        }
        whole = rounds == [[]]
        publish(files, obsolete_figures(project.figures_dir, files) if whole else ())
    notebooks = [nbformat.reads(data, 4) for path, data in files.items() if path.suffix == ".ipynb"]
    for remark in dict.fromkeys(remark for notebook in notebooks for remark in remarks(notebook)):
        progress.say(remark)
    return [path for path in files if path.suffix in (".pdf", ".html")]


def _run(command: list[str], root: Path, variables: dict[str, str], progress: Progress) -> None:
    said: list[str] = []
    steps = _Steps()
    pipes: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "stdin": subprocess.DEVNULL,
        "process_group": 0,
    }
    with subprocess.Popen(command, cwd=root, env=variables, **pipes) as process, ExitStack() as step:
        try:
            for text in _pieces(process):
                said.append(text)
                if new := steps.begun(text):
                    step.close()
                    step.enter_context(progress.step(new))
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)  # `quarto` is a script: what it has started would go on
            raise
        if code:
            step.pop_all()  # the step was not completed
    if code:
        words = [line.rstrip() for line in "".join(said).splitlines() if line.strip()]
        raise HandinError("Quarto failed:\n" + "\n".join(words[-40:]), place=Place(" ".join(command[:2])))


def _pieces(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """What the process says, as it comes: Quarto ends a cell's line only when the cell is done."""
    assert process.stdout is not None
    while data := os.read(process.stdout.fileno(), 65536):
        yield ANSI.sub("", data.decode("utf-8", errors="replace")).replace("\r", "")


class _Steps:
    """Makes out of Quarto's words the steps that it goes through."""

    def __init__(self) -> None:
        self._last_cell = False

    def begun(self, text: str) -> str | None:
        """The step that a piece of text begins, the last one named in it; None where it names none."""
        found = None
        for line in text.splitlines():
            if match := CELL.search(line):
                found = f"  {match['number']}/{match['total']} {match['label'] or 'a chunk'}"
                self._last_cell = match["number"] == match["total"]
            elif match := DOCUMENT.search(line):
                found = f"Read {match['name']}"
            elif match := SETTING.match(line):
                found = f"Set {match['file']}"
            if self._last_cell and line.endswith("Done"):
                found = "Convert"
                self._last_cell = False
        return found
