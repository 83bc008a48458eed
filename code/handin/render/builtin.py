"""The built-in renderer: from `.qmd` files to PDF without Quarto.

    source → chunks → notebook → kernel → Markdown → Pandoc's tree → references → Typst → PDF

Each arrow is one module of this package. All documents are read before the first chunk runs, checked while it
runs, and nothing is written to its place before the last page is set.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from handin.environment import DRAFT_MARK, HAND_IN, Mode, environment
from handin.errors import Faults, HandinError, Place
from handin.files import fingerprint
from handin.files.fingerprint import Fingerprint
from handin.files.last import LastBuild, signatures
from handin.files.lock import BUILD, alone
from handin.files.publish import publish
from handin.memory.entries import digest
from handin.project import Project
from handin.qmd import pandoc
from handin.qmd.chunks import Chunk, Prose, read_blocks
from handin.qmd.conditional import resolve_conditions
from handin.qmd.pandoc import Node
from handin.qmd.source import Source, on_disk, read_source
from handin.reading.bibliography import entries
from handin.render.crossref import resolve_references
from handin.render.figures import figures, obsolete_figures
from handin.render.html_tables import set_html_tables
from handin.render.kernel import execute, recall_all
from handin.render.markdown import Converter
from handin.render.notebook import (
    pretend,
    program,
    remarks,
    results,
    take_results,
    tidy,
    to_notebook,
)
from handin.render.progress import Progress
from handin.render.record import record
from handin.render.refusals import refuse_chunks, refuse_unsupported, without_effect
from handin.render.settings import DocumentSettings, document_settings
from handin.render.typeset import to_pdf, to_typst

LAST = "last.json"


@dataclass
class Document:
    """One document on its way."""

    name: str
    source: Source
    settings: DocumentSettings
    blocks: Sequence[Prose | Chunk]
    notebook: NotebookNode

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    @property
    def is_notebook(self) -> bool:
        """Does the document call itself a notebook (`notebook: true`)? It is then kept as one, too."""
        return bool(self.settings.metadata.get("notebook"))

    @property
    def remarks(self) -> list[str]:
        """What is to be told at the end."""
        return [*remarks(self.notebook), *without_effect(self.blocks)]

    @property
    def program(self) -> list[str]:
        """All that determines its results, as far as it stands in the document."""
        return [*program(self.blocks), repr(self.settings.figure_size)]


class Builder:
    """Renders documents of a project.

    Args:
        project: The project.
        mode: A draft, say.
        console: Where progress is shown; None for silence.
        on_set: Called with every document that is set: its name, the PDF, the Typst source it was made from;
            nothing is put in place then.
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
        self._on_set = on_set
        self._console = console
        self._environment = environment(project, mode)
        self._epoch = int(self._environment.get("SOURCE_DATE_EPOCH", "0"))
        self._draft = mode.is_draft
        self._others = ""  # what else stands in the project, as the build begins
        self._keys: dict[tuple[str, ...], set[str]] = {}  # of the bibliographies of a document

    def render(self, names: Sequence[str]) -> list[Path]:
        """Render the named documents.

        Returns:
            The PDFs.

        Raises:
            HandinError: Anything is wrong with them. No file has changed then.
            KeyboardInterrupt: Interrupted; no file has changed either.
        """
        with alone(self._project.root, "handin render", self._say) as build:
            return self._render(names, build)

    def _say(self, line: str) -> None:
        if self._console:
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _render(self, names: Sequence[str], build: Path) -> list[Path]:
        with tempfile.TemporaryDirectory(prefix="render-", dir=build) as name:
            folder = Path(name)
            with Progress(self._console, folder / "progress.jsonl") as progress:
                built_from = fingerprint.of(self._project, self._environment)
                self._others = digest(signatures(self._project.root, self._project.figures_dir))
                documents = self._read_all(names)
                unknown = [document for document in documents if not self._recall(document, progress.say)]
                wanted = self._outputs(documents)
                if not unknown and self._on_set is None and self._last(documents, built_from).made(wanted):
                    progress.say("nothing has changed since the last build")
                    _tell_remarks(documents, progress)
                    return wanted
                if unknown:
                    self._execute(unknown, folder, progress, lambda: self._check_all(documents, folder))
                with progress.step(f"Set {', '.join(names)}"):
                    files = self._set_all(documents, built_from, folder)
        made = list(files)
        obsolete = self._records(documents, files, built_from)
        if self._on_set is None:
            publish(files, obsolete)
            self._last(documents, built_from).note(files)
        _tell_remarks(documents, progress)
        return made

    def _check_all(self, documents: Sequence[Document], folder: Path) -> None:
        faults = Faults()
        for document in documents:  # one after the other: the chunks run on the other core
            with faults.noted():
                self._check(document, folder / document.stem)
        faults.raise_all()

    def _last(self, documents: Sequence[Document], built_from: Fingerprint) -> LastBuild:
        """The last build, to be compared with one of these documents with these results."""
        ran = digest([results(document.notebook) for document in documents])
        made_from = [built_from.digest, ran, self._epoch, self._others]
        return LastBuild(self._project.root / BUILD / LAST, made_from)

    def _outputs(self, documents: Sequence[Document]) -> list[Path]:
        return [self._project.output_dir / f"{document.stem}.pdf" for document in documents]

    def _set_all(
        self, documents: Sequence[Document], built_from: Fingerprint, folder: Path
    ) -> dict[Path, bytes]:
        """The documents, set side by side: Pandoc and Typst work outside Python, so that threads share cores.

        Where somebody waits for pages, the second document begins when the first is handed over.
        """

        def set_one(document: Document) -> bytes:
            made = self._set(document, document.notebook, folder / document.stem)
            return fingerprint.embed_pdf(made, built_from)

        files = {}
        with ThreadPoolExecutor(len(documents)) as pool:
            all_made = map(set_one, documents) if self._on_set else pool.map(set_one, documents)
            for document, output, made in zip(documents, self._outputs(documents), all_made, strict=True):
                files[output] = made
                if self._on_set:
                    self._on_set(document.name, made, folder / document.stem / f"{document.stem}.typ")
        return files

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
        settings.metadata[DRAFT_MARK] = self._draft
        return Document(name, source, settings, blocks, to_notebook(blocks))

    def _check(self, document: Document, folder: Path) -> None:
        """Find what can be found without running a chunk: a wrong formula must not cost minutes."""
        self._set(document, pretend(document.notebook, document.blocks), folder)

    def _recall(self, document: Document, report: Callable[[str], None]) -> bool:
        """Take the document's results from memory; whether all of them are there."""
        known = recall_all(
            document.notebook,
            document.blocks,
            folder=self._project.root,
            environment=self._environment,
            figure_size=document.settings.figure_size,
            report=report,
        )
        if known:
            tidy(document.notebook)
        return known

    def _execute(
        self, documents: Sequence[Document], folder: Path, progress: Progress, check: Callable[[], None]
    ) -> None:
        """Run every program once, whichever documents share it; check them all while the first one runs."""
        ran: dict[str, Document] = {}
        for document in documents:
            told = "\n".join(document.program)
            twin = ran.get(told)
            if twin:
                progress.say(f"{document.name} has the same chunks as {twin.name}: one run serves both")
                take_results(document.notebook, twin.notebook)
                continue
            progress.say(f"Run {document.name}")
            execute(
                document.notebook,
                document.blocks,
                folder=self._project.root,
                environment=self._environment,
                figure_size=document.settings.figure_size,
                progress=progress,
                progress_file=folder / "progress.jsonl",
                limit=self._project.handin.chunk_seconds,
                check=check,
            )
            check = _nothing
            tidy(document.notebook)
            ran[told] = document

    def _tree(self, document: Document, notebook: NotebookNode, folder: Path) -> Node:
        media = folder / f"{document.stem}-media"
        markdown = Converter(document.settings, media).convert(notebook, document.blocks)
        tree = pandoc.parse(markdown, folder=self._project.root)
        tree = set_html_tables(tree)
        tree = resolve_conditions(tree, document.source, document.settings.metadata, "typst")
        faults = Faults()
        with faults.noted():
            refuse_unsupported(tree, document.source, (folder, self._project.root))
        with faults.noted():
            tree = resolve_references(tree, document.source, self._citations(document))
        faults.raise_all()
        return tree

    def _set(self, document: Document, notebook: NotebookNode, folder: Path) -> bytes:
        folder.mkdir(exist_ok=True)
        try:
            tree = self._tree(document, notebook, folder)
        except RecursionError:
            raise HandinError(
                "something in it is nested too deep", place=Place(document.name), remedy="write it flatter"
            ) from None
        setting = document.source, document.settings, self._project, folder
        text = to_typst(tree, *setting)
        return to_pdf(text, document.source, self._project, folder, timestamp=self._epoch)

    def _citations(self, document: Document) -> set[str]:
        """The keys of the bibliography."""
        named = tuple(document.settings.bibliography)
        if named not in self._keys:
            place = self._project.place("bibliography")
            self._keys[named] = set(entries(named, self._project.root, named_at=place))
        return self._keys[named]

    def _records(
        self, documents: Sequence[Document], files: dict[Path, bytes], built_from: Fingerprint
    ) -> list[Path]:
        """Add notebooks and figures to the files; the return value are figures that nobody draws any more."""
        folder = self._project.figures_dir
        for document in documents:
            if document.is_notebook:
                kept = record(document.notebook, document.settings.metadata, self._project)
                fingerprint.embed_notebook(kept, built_from)
                path = self._project.output_dir / f"{document.stem}.ipynb"
                files[path] = f"{nbformat.writes(kept)}\n".encode()
            files |= {folder / name: content for name, content in figures(document.notebook).items()}
        if {document.name for document in documents} != set(self._project.documents):
            return []  # other documents may still draw them
        return obsolete_figures(folder, files)


def _tell_remarks(documents: Sequence[Document], progress: Progress) -> None:
    for remark in dict.fromkeys(remark for document in documents for remark in document.remarks):
        progress.say(remark)


def _nothing() -> None:
    """There is nothing left to check."""
