"""Renders by Quarto, and what is done before and after every render of Quarto's, whoever started it.

Quarto is told by `_quarto.yml` to run `handin/quarto_step.py` before and after. Before, the state of the
sources is noted; afterwards the executed notebooks that Quarto leaves beside the documents are kept, and
what was made is noted as made from that state. `handin render` does both by itself, and
puts all in place at once, when the last document is complete.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console

from handin import sources
from handin.environment import DRAFT_MARK, HAND_IN, Mode, environment
from handin.errors import HandinError, Place
from handin.project import Project
from handin.qmd.source import merged, on_disk, read_source
from handin.render.notebook import tidy
from handin.render.record import record
from handin.render.settings import refuse_author

NOTE = "quarto-began"  # in the scratch folder: a render of Quarto's that has begun
STEP = "HANDIN_STEP"  # says "no" where the steps before and after are none of Quarto's business


def quarto_version() -> str | None:
    """The version of the Quarto on the PATH, None where there is none that runs."""
    found = shutil.which("quarto")
    if found is None:
        return None
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def render_by_quarto(
    project: Project,
    names: Sequence[str],
    *,
    mode: Mode = HAND_IN,
    to: str = "typst",
    console: Console | None = None,
    output: Path | None = None,
) -> list[Path]:
    """Render the named documents of a project.

    Args:
        project: The project.
        names: Its documents, or some of them.
        mode: A draft, say.
        to: A format of Quarto's.
        console: Shows what Quarto says; None for silence.
        output: A folder that takes what Quarto makes; then nothing is put in place.

    Returns:
        What Quarto made of the documents.

    Raises:
        HandinError: Quarto failed; what it said is part of the message. No document has changed then.
    """
    console = console or Console(quiet=True)
    variables = {**environment(project, mode), "QUARTO_PYTHON": sys.executable, STEP: "no"}
    whole = set(names) == set(project.documents)
    with (
        sources.locked(project.root, console.print) as build,
        tempfile.TemporaryDirectory(prefix="quarto-", dir=build) as scratch,
    ):
        made = output or Path(scratch)
        for name in project.documents:
            for left in sources.intermediates(project.root / name):
                left.unlink()
        before(project, mode)
        for documents in [[]] if whole else [[name] for name in names]:
            command = ["quarto", "render", *documents, "--to", to, "--no-execute-daemon"]
            command += ["--output-dir", os.path.relpath(made, project.root)]
            command += ["--metadata", f"{DRAFT_MARK}:true"] if mode.is_draft else []
            _run(command, project.root, variables, console)
        outputs = [path for path in sorted(made.iterdir()) if path.is_file()]
        return after(project, outputs, mode, places=output is None)


def before(project: Project, mode: Mode = HAND_IN) -> None:
    """Before Quarto renders: note the fingerprint of the sources.

    Raises:
        HandinError: A document names authors of its own, which the templates would not find.
    """
    for name in project.documents:
        refuse_author(read_source(on_disk(project.root), name).front_matter)
    note = sources.fingerprint(project, mode).encode()
    sources.replace({project.root / sources.BUILD / NOTE: note})


def after(
    project: Project, outputs: Iterable[Path], mode: Mode = HAND_IN, *, places: bool = True
) -> list[Path]:
    """After Quarto has rendered: keep notebooks, note what all was made from.

    Args:
        project: The project.
        outputs: What Quarto made, in its output folder.
        mode: A draft, say.
        places: Whether it is put in place.

    Returns:
        The outputs in their places.

    Raises:
        HandinError: Quarto has not executed a document (`--no-execute`).
    """
    note = project.root / sources.BUILD / NOTE
    try:
        began, made_from = note.stat().st_mtime_ns, note.read_text()
    except OSError:  # `pre-render` is missing in `_quarto.yml`
        began, made_from = 0, ""
    documents = {Path(name).stem: name for name in project.documents}
    made = {project.output_dir / path.name: path.read_bytes() for path in outputs if path.stem in documents}
    files = dict(made)
    for path in made:
        if path.suffix == ".pdf":
            files |= _kept(project, documents[path.stem], began)
    if places:
        still = made_from == sources.fingerprint(project, mode)
        sources.put_in_place(project.root, files, made_from if still else "")
    note.unlink(missing_ok=True)
    return list(made)


def _kept(project: Project, name: str, began: int) -> dict[Path, bytes]:
    """The notebook of a document that Quarto has rendered, if it calls itself one.

    Quarto leaves the notebook that it executed beside the document (`keep-ipynb`), and from 1.9 on numbers
    it where a render that was killed has left one (src/execute/jupyter/jupyter.ts).
    """
    left = sources.intermediates(project.root / name)
    new = [path for path in left if path.stat().st_mtime_ns > began]
    notebooks = [
        nbformat.read(path, as_version=4) for path in sorted(new, key=lambda path: path.stat().st_mtime)
    ]
    for path in left:
        path.unlink()
    if not notebooks:
        return {}  # a PDF by LaTeX
    notebook = notebooks[-1]
    chunks = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if chunks and all(cell.execution_count is None for cell in chunks):
        raise HandinError(
            "Quarto has not executed its chunks, so that what it made is no hand-in",
            place=Place(name),
            remedy="render it without --no-execute",
        )
    tidy(notebook)
    metadata = merged(project.metadata, read_source(on_disk(project.root), name).metadata)
    if not metadata.get("notebook"):
        return {}
    return {project.output_dir / f"{Path(name).stem}.ipynb": record(notebook, metadata, project)}


def _run(command: list[str], root: Path, variables: dict[str, str], console: Console) -> None:
    """Run Quarto, showing what it says as it comes: it ends a chunk's line only when the chunk is done."""
    said = ""
    pipes: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
    }
    with subprocess.Popen(command, cwd=root, env=variables, process_group=0, **pipes) as process:
        assert process.stdout
        try:
            while text := os.read(process.stdout.fileno(), 65536).decode(errors="replace"):
                said += text
                console.out(text, end="", highlight=False)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)  # `quarto` is a script: what it has started would go on
            raise
    if process.returncode:
        words = [line.rstrip() for line in said.splitlines() if line.strip()]
        raise HandinError("Quarto failed:\n" + "\n".join(words[-40:]), place=Place(" ".join(command[:2])))
