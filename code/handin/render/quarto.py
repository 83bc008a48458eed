"""Renders by Quarto, and what is done before and after every render of Quarto's, whoever started it.

Quarto is told by `_quarto.yml` to run `handin/quarto_step.py` before and after. Before, the fingerprint of
the sources is noted; afterwards the executed notebook that Quarto leaves beside a document is kept, and what
was made is noted as made from these sources.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from handin import sources
from handin.environment import DRAFT_MARK, Mode, environment
from handin.errors import HandinError, Place
from handin.project import Project
from handin.qmd.source import merged, on_disk, read_source
from handin.qmd.statements import require_statements
from handin.render.notebook import tidy
from handin.render.record import record
from handin.render.settings import refuse_author

# In the scratch folder: the fingerprint from which the Quarto of this number, which runs our steps, began.
BEGAN = f"quarto-began-{os.getppid()}"
OLDEST = (1, 7)


def quarto_version() -> str | None:
    """The version of the Quarto on the PATH, None where there is none that runs, or an old one."""
    found = shutil.which("quarto")
    if found is None:
        return None
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    numbers = tuple(map(int, re.findall(r"\d+", done.stdout)[:2]))
    return done.stdout.strip() if done.returncode == 0 and numbers >= OLDEST else None


def render_by_quarto(project: Project, names: Sequence[str], mode: Mode, to: str) -> None:
    """Render the named documents of a project; Quarto says on the terminal what it does.

    Args:
        project: The project.
        names: Its documents, or some of them.
        mode: A draft, say.
        to: A format of Quarto's.

    Raises:
        HandinError: Quarto failed.
    """
    variables = {**environment(project, mode), "QUARTO_PYTHON": sys.executable}
    command = ["quarto", "render", *([] if set(names) == set(project.documents) else names), "--to", to]
    command += ["--metadata", f"{DRAFT_MARK}:true"] if mode.is_draft else []
    with sources.locked(project.root, print):
        # In a group of its own, since `quarto` is a script: what that has started would go on after Ctrl-C.
        quarto = subprocess.Popen(
            command, cwd=project.root, env=variables, stdin=subprocess.DEVNULL, process_group=0
        )
        try:
            failed = quarto.wait()
        except BaseException:
            os.killpg(quarto.pid, signal.SIGTERM)
            quarto.wait()
            raise
    if failed:
        raise HandinError("Quarto failed", place=Place("quarto render"), remedy="mend what it names above")


def before(project: Project, mode: Mode) -> None:
    """Before Quarto renders: note the fingerprint of the sources.

    Raises:
        HandinError: A claim's words are missing, or a document names authors of its own.
    """
    if not mode.is_draft:
        require_statements(project)
    for name in project.documents:
        refuse_author(read_source(on_disk(project.root), name).front_matter)
    now = sources.fingerprint(project, mode).encode()
    sources.replace({project.root / sources.BUILD / BEGAN: now})


def after(project: Project, outputs: Iterable[Path], mode: Mode) -> None:
    """After Quarto has rendered: keep the notebook, note what all was made from.

    Args:
        project: The project.
        outputs: What Quarto made.
        mode: A draft, say.

    Raises:
        HandinError: Quarto has not executed a document (`--no-execute`).
    """
    note = project.root / sources.BUILD / BEGAN
    try:
        began, made_from = note.stat().st_mtime_ns, note.read_text()
    except OSError:  # `pre-render` is missing in `_quarto.yml`
        began, made_from = 0, ""
    if made_from != sources.fingerprint(project, mode):
        made_from = ""  # they were edited meanwhile
    documents = {Path(name).stem: name for name in project.documents}
    files = {path: path.read_bytes() for path in outputs if path.stem in documents}
    for path in [path for path in files if path.suffix == ".pdf"]:
        name = documents[path.stem]
        notebook = _executed(project.root / name, began)
        if notebook is None:
            made_from = ""  # a PDF by LaTeX
            continue
        metadata = merged(project.metadata, read_source(on_disk(project.root), name).metadata)
        if metadata.get("notebook"):
            files[path.with_suffix(".ipynb")] = record(notebook, metadata, project)
    sources.put_in_place(project.root, files, made_from)
    note.unlink(missing_ok=True)


def _executed(document: Path, began: int) -> NotebookNode | None:
    """The notebook that Quarto has executed and left beside a document since it began (`keep-ipynb`).

    From 1.9 on it has a number where a render that was killed has left one (src/execute/jupyter/jupyter.ts).
    """
    left = sorted(sources.intermediates(document), key=lambda path: path.stat().st_mtime_ns)
    if not left or left[-1].stat().st_mtime_ns <= began:
        return None
    notebook: NotebookNode = nbformat.read(left[-1], as_version=4)
    for path in left:
        path.unlink()
    chunks = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if chunks and all(cell.execution_count is None for cell in chunks):
        raise HandinError(
            "Quarto has not executed its chunks, so that what it made is no hand-in",
            place=Place(document.name),
            remedy="render it without --no-execute",
        )
    tidy(notebook)
    return notebook
