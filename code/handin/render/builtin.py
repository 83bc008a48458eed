"""The built-in renderer: from `.qmd` files to PDF without Quarto.

    source → chunks → kernel → notebook → Markdown → Pandoc's tree → references → Typst → PDF

Each arrow is one module of this package. All documents are read and, with made-up results, set before the
first chunk runs: a wrong formula must not cost minutes. Nothing is written to its place before the last page
is set.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from handin import sources
from handin.environment import DRAFT_MARK, HAND_IN, Mode, environment
from handin.errors import Faults, HandinError, Place
from handin.memory import Request
from handin.project import Project
from handin.qmd.chunks import Chunk, Prose, chunks, read_blocks
from handin.qmd.source import Source, on_disk, read_source
from handin.reading.bibliography import entries
from handin.render.figures import figures
from handin.render.kernel import execute, remember, requests
from handin.render.notebook import CellResult, executed, made_up, remarks
from handin.render.progress import Progress
from handin.render.record import record
from handin.render.refusals import refuse_chunks
from handin.render.settings import DocumentSettings, document_settings
from handin.render.tree import to_tree
from handin.render.typeset import to_pdf, to_typst

MADE = (".pdf", ".ipynb", ".svg", ".png")  # what a render of all documents makes anew


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
    def requests(self) -> list[Request]:
        """What its kernel is asked."""
        return requests(self.blocks, self.settings.figure_size)

    @property
    def program(self) -> str:
        """The same for documents that one run of their chunks serves."""
        may_fail = [chunk.options.get("error", False) for chunk in chunks(self.blocks)]
        return sources.digest([[asdict(request) for request in self.requests], may_fail])


class Builder:
    """Renders documents of a project.

    Args:
        project: The project.
        mode: A draft, say.
        console: Where progress is shown; None for silence.
        on_set: Called with every document that is set, one after the other: its name, the PDF, the Typst
            source that it was made from. Nothing is put in place then.
    """

    def __init__(
        self,
        project: Project,
        *,
        mode: Mode = HAND_IN,
        console: Console | None = None,
        on_set: Callable[[str, bytes, Path], None] | None = None,
    ) -> None:
        self._project = project
        self._mode = mode
        self._progress = Progress(console)
        self._on_set = on_set
        self._environment = environment(project, mode)
        self._epoch = int(self._environment.get("SOURCE_DATE_EPOCH", "0"))
        self._keys: dict[tuple[str, ...], set[str]] = {}  # of the bibliographies of a document

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
        made_from = sources.state(self._project, self._mode)
        documents = self._read_all(names)
        results = self._results(documents, folder)
        notebooks = [executed(doc.blocks, found) for doc, found in zip(documents, results, strict=True)]
        pdfs = [self._project.output_dir / f"{document.stem}.pdf" for document in documents]
        files = self._records(documents, notebooks)
        ran = sources.digest([[[one.outputs, one.values] for one in found] for found in results])
        if self._on_set is None and self._are_current([*pdfs, *files], made_from, ran):
            self._progress.say("nothing has changed since the last build")
        else:
            with self._progress.step(f"Set {', '.join(names)}"):
                files |= zip(pdfs, self._set_all(documents, notebooks, folder), strict=True)
            if self._on_set is None:
                whole = set(names) == set(self._project.documents)
                self._keep(files, made_from, ran, whole=whole)
        said = [remark for notebook in notebooks for remark in remarks(notebook)]
        for remark in dict.fromkeys(said):
            self._progress.say(remark)
        return pdfs

    def _read_all(self, names: Sequence[str]) -> list[Document]:
        documents, faults = [], Faults()
        for name in names:
            with faults.noted():
                documents.append(self._read(name))
        faults.raise_all()
        return documents

    def _read(self, name: str) -> Document:
        source = read_source(on_disk(self._project.root), name)
        blocks = read_blocks(source)
        refuse_chunks(source, blocks)
        settings = document_settings(self._project, source)
        settings.metadata[DRAFT_MARK] = self._mode.is_draft
        return Document(name, source, settings, blocks)

    def _results(self, documents: Sequence[Document], folder: Path) -> list[list[CellResult]]:
        """What the chunks of each document give: remembered, or run once, whichever documents share them."""
        known: dict[str, list[CellResult]] = {}
        checks = iter([lambda: self._check_all(documents, folder)])
        for document in documents:
            if document.program in known:
                continue
            asked = document.requests
            found = remember(asked, self._project.root, self._environment)
            if found is None:
                self._progress.say(f"Run {document.name}")
                found = execute(
                    document.blocks,
                    asked,
                    folder=self._project.root,
                    environment=self._environment,
                    progress=self._progress,
                    meanwhile=next(checks, lambda: None),
                )
            known[document.program] = found
        return [known[document.program] for document in documents]

    def _check_all(self, documents: Sequence[Document], folder: Path) -> None:
        """Find what can be found without running a chunk."""
        faults = Faults()
        for document in documents:
            with faults.noted():
                notebook = executed(document.blocks, made_up(document.blocks))
                self._set(document, notebook, folder / document.stem, ran=False)
        faults.raise_all()

    def _set_all(
        self, documents: Sequence[Document], notebooks: Sequence[NotebookNode], folder: Path
    ) -> list[bytes]:
        """The documents, set side by side: Pandoc and Typst work outside Python, so that threads share cores.

        Where somebody waits for pages, the second document begins when the first is handed over.
        """
        folders = [folder / document.stem for document in documents]
        if self._on_set is None:
            with ThreadPoolExecutor(len(documents)) as pool:
                return list(pool.map(self._set, documents, notebooks, folders))
        made = []
        for document, notebook, place in zip(documents, notebooks, folders, strict=True):
            made.append(self._set(document, notebook, place))
            self._on_set(document.name, made[-1], place / f"{document.stem}.typ")
        return made

    def _set(self, document: Document, notebook: NotebookNode, folder: Path, *, ran: bool = True) -> bytes:
        folder.mkdir(exist_ok=True)
        try:
            tree = to_tree(
                notebook,
                document.blocks,
                document.source,
                document.settings,
                self._citations(document),
                (folder, self._project.root),
                ran=ran,
            )
        except RecursionError:
            raise HandinError(
                "something in it is nested too deep", place=Place(document.name), remedy="write it flatter"
            ) from None
        text = to_typst(tree, document.source, document.settings, self._project, folder)
        return to_pdf(text, document.source, self._project, folder, timestamp=self._epoch)

    def _citations(self, document: Document) -> set[str]:
        """The keys of the bibliography."""
        named = tuple(document.settings.bibliography)
        if named not in self._keys:
            place = self._project.place("bibliography")
            self._keys[named] = set(entries(named, self._project.root, named_at=place))
        return self._keys[named]

    def _records(self, documents: Sequence[Document], notebooks: Sequence[NotebookNode]) -> dict[Path, bytes]:
        """What is kept beside the PDFs: figures, and the notebook of a document that calls itself one."""
        files = {}
        for document, notebook in zip(documents, notebooks, strict=True):
            if document.settings.metadata.get("notebook"):
                kept = record(notebook, document.settings.metadata, self._project)
                path = self._project.output_dir / f"{document.stem}.ipynb"
                files[path] = f"{nbformat.writes(kept)}\n".encode()
            drawn = figures(notebook)
            files |= {self._project.figures_dir / name: content for name, content in drawn.items()}
        return files

    def _are_current(self, files: Iterable[Path], made_from: dict[str, str], ran: str) -> bool:
        """Whether the last builds made these files from the same, with the same results."""
        built, now = sources.Built(self._project.root), sources.digest(made_from)
        return all(
            built.is_current(path, now)
            and built.results(path) == ran
            and built.is_draft(path) == self._mode.is_draft
            for path in files
        )

    def _keep(self, files: dict[Path, bytes], made_from: dict[str, str], ran: str, *, whole: bool) -> None:
        """Put the files in place; after a build of all documents, what no build makes any more goes."""
        root = self._project.root
        still = made_from == sources.state(self._project, self._mode)
        obsolete = [path for path in sources.Built(root).written() if path.suffix in MADE] if whole else []
        sources.put_in_place(
            root,
            files,
            made_from if still else {},
            draft=self._mode.is_draft,
            results=ran,
            obsolete=obsolete,
        )
