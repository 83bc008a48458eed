"""The built-in renderer: from `.qmd` files to PDF without Quarto.

    source → chunks → kernel → notebook → Markdown → Pandoc's tree → references → Typst → PDF

Each arrow is one module of this package. All documents are read, and what is known to go wrong is refused,
before the first chunk runs. Nothing is written to its place before the last page is set.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from rich.console import Console

from handin import sources
from handin.environment import DRAFT_MARK, EPOCH, HAND_IN, Mode, environment
from handin.errors import Faults
from handin.project import Project
from handin.qmd.chunks import Chunk, Prose, expressions, read_blocks
from handin.qmd.source import Source, on_disk, read_source
from handin.qmd.statements import require_statements
from handin.reading.bibliography import entries
from handin.render.kernel import execute, remember, requests
from handin.render.notebook import CellResult, asks, executed, remarks
from handin.render.progress import Progress
from handin.render.record import record
from handin.render.refusals import refuse_lines
from handin.render.settings import DocumentSettings, document_settings
from handin.render.tree import to_tree
from handin.render.typeset import to_pdf, to_typst


@dataclass(frozen=True)
class Document:
    """One document on its way."""

    name: str
    source: Source
    settings: DocumentSettings
    blocks: Sequence[Prose | Chunk]

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    @property
    def program(self) -> str:
        """The same for documents that one run of their chunks serves."""
        asking = filter(asks, self.blocks)
        code = [block.source if isinstance(block, Chunk) else expressions(block.text) for block in asking]
        return sources.digest([code, self.settings.figure_size])


class Builder:
    """Renders documents of a project.

    Args:
        console: Where progress is shown; None for silence.
        on_set: Called with the name and the PDF of every document that is set. Nothing is put in place then.
    """

    def __init__(
        self,
        project: Project,
        *,
        mode: Mode = HAND_IN,
        console: Console | None = None,
        on_set: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self._project = project
        self._mode = mode
        self._progress = Progress(console)
        self._on_set = on_set
        self._environment = environment(project, mode)

    def render(self, names: Sequence[str]) -> list[Path]:
        """Render the named documents.

        Returns:
            The PDFs.

        Raises:
            HandinError: Anything is wrong with them. No file has changed then.
            KeyboardInterrupt: Interrupted; no file has changed either.
        """
        with (
            sources.locked(self._project.root, self._progress.say) as build,
            tempfile.TemporaryDirectory(prefix="render-", dir=build) as folder,
            self._progress,
        ):
            return self._render(names, Path(folder))

    def _render(self, names: Sequence[str], folder: Path) -> list[Path]:
        made_from = sources.fingerprint(self._project, self._mode)
        documents = self._read(names)
        results = self._results(documents)
        notebooks = [executed(doc.blocks, found) for doc, found in zip(documents, results, strict=True)]
        pdfs = [self._project.output_dir / f"{document.stem}.pdf" for document in documents]
        files = self._records(documents, notebooks)
        ran = sources.digest([[[one.outputs, one.values] for one in found] for found in results])
        built, wanted = sources.Built(self._project.root), [*pdfs, *files]
        current = all(built.is_current(path, made_from) and built.results(path) == ran for path in wanted)
        if self._on_set is None and current:
            self._progress.say("nothing has changed since the last build")
        else:
            with self._progress.step(f"Set {', '.join(names)}"):
                files |= zip(pdfs, self._set_all(documents, notebooks, folder), strict=True)
            if self._on_set is None:
                still = made_from == sources.fingerprint(self._project, self._mode)
                sources.put_in_place(self._project.root, files, made_from if still else "", ran)
        said = [remark for notebook in notebooks for remark in remarks(notebook)]
        for remark in dict.fromkeys(said):
            self._progress.say(remark)
        return pdfs

    def _read(self, names: Sequence[str]) -> list[Document]:
        documents, faults = [], Faults()
        if not self._mode.is_draft:
            with faults.noted():
                require_statements(self._project)
        for name in names:
            with faults.noted():
                source = read_source(on_disk(self._project.root), name)
                blocks = read_blocks(source)
                refuse_lines(source, blocks)
                settings = document_settings(self._project, source)
                settings.metadata[DRAFT_MARK] = self._mode.is_draft
                documents.append(Document(name, source, settings, blocks))
        faults.raise_all()
        return documents

    def _results(self, documents: Sequence[Document]) -> list[list[CellResult]]:
        """What the chunks of each document give: remembered, or run once, whichever documents share them."""
        known: dict[str, list[CellResult]] = {}
        for document in documents:
            if document.program in known:
                continue
            asked = requests(document.blocks, document.settings.figure_size)
            found = remember(asked, self._project.root, self._environment)
            if found is None:
                self._progress.say(f"Run {document.name}")
                root, variables = self._project.root, self._environment
                found = execute(document.blocks, asked, root, variables, self._progress)
            known[document.program] = found
        return [known[document.program] for document in documents]

    def _set_all(
        self, documents: Sequence[Document], notebooks: Sequence[NotebookNode], folder: Path
    ) -> list[bytes]:
        """The documents, set side by side: Pandoc and Typst work outside Python, threads share the cores."""
        folders = [folder / document.stem for document in documents]
        made = []
        with ThreadPoolExecutor(len(documents)) as pool:
            coming = pool.map(self._set, documents, notebooks, folders)
            for document, pdf in zip(documents, coming, strict=True):
                made.append(pdf)
                if self._on_set:
                    self._on_set(document.name, pdf)
        return made

    def _set(self, document: Document, notebook: NotebookNode, folder: Path) -> bytes:
        folder.mkdir()
        project, source, settings = self._project, document.source, document.settings
        named = settings.metadata.get("bibliography")
        citations = entries(named, project.root, named_at=project.place("bibliography"))
        roots = folder, project.root
        tree = to_tree(notebook, document.blocks, source, settings, set(citations), roots)
        text = to_typst(tree, source, settings, project, folder)
        return to_pdf(text, source, project, folder, int(self._environment.get(EPOCH, "0")))

    def _records(self, documents: Sequence[Document], notebooks: Sequence[NotebookNode]) -> dict[Path, bytes]:
        """The notebook of a document that calls itself one, kept beside the PDFs."""
        files = {}
        for document, notebook in zip(documents, notebooks, strict=True):
            if document.settings.metadata.get("notebook"):
                path = self._project.output_dir / f"{document.stem}.ipynb"
                files[path] = record(notebook, document.settings.metadata, self._project)
        return files
