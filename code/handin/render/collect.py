"""After Quarto: keeps what it leaves beside the sources. `_quarto.yml` names it as `post-render`.

Quarto runs it after every render, also while it previews one document. So it removes nothing but Quarto's own
intermediates, and figures that no document draws any more only after a render of the whole project.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from handin.errors import HandinError, Place, raise_all
from handin.files import fingerprint
from handin.files.publish import publish
from handin.project import Project
from handin.qmd.source import on_disk, read_source
from handin.render.figures import figures, obsolete_figures
from handin.render.notebook import tidy
from handin.render.record import record
from handin.render.settings import document_settings

FINGERPRINT = "HANDIN_FINGERPRINT"  # set by `handin render`: the fingerprint taken before the first chunk ran
FIGURES = "HANDIN_FIGURES"  # set by `handin render`: where figures wait until all is put in place at once


def collect(project: Project) -> list[Path]:
    """Keep notebook and figures of the documents that Quarto has just rendered.

    Returns:
        The files written.

    Raises:
        HandinError: Quarto has not executed a document (`--no-execute`); the others are kept.
    """
    figures_dir = Path(os.environ.get(FIGURES, project.figures_dir))
    output = Path(os.environ.get("QUARTO_PROJECT_OUTPUT_DIR", project.output_dir))
    taken = fingerprint.from_pdf({fingerprint.KEY: os.environ.get(FINGERPRINT, "")})
    built_from = taken or fingerprint.of(project)
    files: dict[Path, bytes] = {}
    left: list[Path] = []
    unexecuted: list[HandinError] = []
    for name in project.documents:
        stem = Path(name).stem
        for path in (project.root / name).with_suffix(""), output / stem:
            left.append(Path(f"{path}_files/figure-typst"))
        notebooks = left_notebooks(project.root / name)
        if not notebooks:
            continue  # this document was not rendered
        left += notebooks
        notebook = nbformat.read(notebooks[-1], as_version=4)
        if not _is_executed(notebook):
            unexecuted.append(
                HandinError(
                    "Quarto has not executed its chunks, so that what it made is no hand-in",
                    place=Place(name),
                    remedy="render it without --no-execute",
                )
            )
            continue
        tidy(notebook)
        metadata = document_settings(project, read_source(on_disk(project.root), name)).metadata
        if metadata.get("notebook"):
            kept = record(notebook, metadata, project)
            fingerprint.embed_notebook(kept, built_from)
            files[output / f"{stem}.ipynb"] = f"{nbformat.writes(kept)}\n".encode()
        files |= {figures_dir / figure: content for figure, content in figures(notebook).items()}
        pdf = output / f"{stem}.pdf"
        if pdf.is_file():
            files[pdf] = fingerprint.embed_pdf(pdf.read_bytes(), built_from)
    whole = "QUARTO_PROJECT_RENDER_ALL" in os.environ
    publish(files, obsolete=obsolete_figures(figures_dir, files) if whole else ())
    for path in left:
        _remove(path)
    raise_all(unexecuted)
    return list(files)


def _is_executed(notebook: NotebookNode) -> bool:
    chunks = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return not chunks or any(cell.execution_count is not None for cell in chunks)


def left_notebooks(document: Path) -> list[Path]:
    """The notebooks that Quarto has left beside a document, the one that it wrote last at the end.

    From 1.9 on it writes `X.quarto_ipynb_1` where a failed render or a preview has left `X.quarto_ipynb`
    (src/execute/jupyter/jupyter.ts), so that the first one found may be an old one.
    """
    found = [*document.parent.glob(f"{document.stem}.quarto_ipynb*"), document.with_suffix(".ipynb")]
    return sorted((path for path in found if path.is_file()), key=lambda path: path.stat().st_mtime_ns)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    else:
        path.unlink(missing_ok=True)
