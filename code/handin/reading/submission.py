"""What the rules look at: the files of one hand-in, and what the course asks of it.

The project on disk, the ZIP that `pack` writes and a stranger's ZIP all become a `Submission`, so one
set of rules serves `check`, `pack`, `grade` and `rehearse`. Nothing in a submission is ever executed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import yaml

from handin.errors import HandinError, Place
from handin.files import fingerprint, inventory
from handin.files.inventory import Fault
from handin.project import CONFIG, Handin, Project
from handin.qmd.outline import Outline, Reference, keys, read_outline
from handin.reading import pdf
from handin.reading.layout import Layout
from handin.reading.names import Use
from handin.reading.notebook import Cell, cells_of, notebook_of
from handin.reading.python_code import Unit, forms, text_of, units, with_uses
from handin.reading.roles import Roles, sort_out

REPORT = "report.qmd"
NOTEBOOK = "notebook.ipynb"


@dataclass(frozen=True)
class Student:
    """Who hands in; the name is empty where only the login is known."""

    name: str
    login: str


@dataclass(frozen=True)
class Document:
    """A PDF of the hand-in: what could be read of it, or why it could not be read."""

    path: str
    content: pdf.Content | None
    fault: str = ""

    @cached_property
    def layout(self) -> Layout | None:
        """How the document is built, None where it cannot be read."""
        return Layout(self.content) if self.content else None


def demands(project: Project) -> Handin:
    """What the course of a project asks, with what it handed out read from the project's folder.

    Raises:
        HandinError: There is no such file, or it cannot be read.
    """
    files: dict[str, bytes] = {}
    for number, name in enumerate(project.handin.handed_out):
        path = project.root / name
        try:
            found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            files |= {one.relative_to(project.root).as_posix(): one.read_bytes() for one in found}
        except (OSError, ValueError) as error:
            raise HandinError(
                f"`{name}` cannot be read: {error}",
                place=project.place("handin", "handed-out", number),
                remedy="name files and folders of the project that the course handed out",
            ) from error
    return project.handin.model_copy(update={"handed_out_forms": tuple(sorted(forms(files)))})


@dataclass(frozen=True)
class Submission:
    """The files of one hand-in, by their path inside it ('/' between parts, no leading one).

    `files` may read lazily (any Mapping); reading a file gives its bytes. Paths are as in the ZIP: a
    checked project shows `_output/report.pdf` as `report.pdf`, its sources at their own paths.
    """

    name: str  # the ZIP's file name, or the folder's
    files: Mapping[str, bytes]
    course: Handin  # what it is judged by
    versions: Mapping[str, str] = field(default_factory=dict)  # of packages here; empty for what others built
    faults: tuple[Fault, ...] = ()  # files of the project that cannot go into a hand-in

    @classmethod
    def of(cls, project: Project) -> Submission:
        """The project as the hand-in that it would be.

        Raises:
            HandinError: A file cannot be read.
        """
        found = inventory.sources(project)
        try:
            files = {name: path.read_bytes() for name, path in found.files.items()}
            for document in project.documents:
                for suffix in (".pdf", ".ipynb"):
                    path = project.output_dir / PurePosixPath(document).with_suffix(suffix).name
                    if path.is_file() and not path.is_symlink():
                        files[path.name] = path.read_bytes()
        except OSError as error:
            raise HandinError(
                f"cannot be read: {error.strerror}",
                place=Place(error.filename),
                remedy="make the file readable",
            ) from error
        versions = fingerprint.versions(files.get("pyproject.toml", b""))
        return cls(project.root.name, dict(sorted(files.items())), demands(project), versions, found.faults)

    @property
    def is_archive(self) -> bool:
        """Whether this is a ZIP, so that its name and manifest count."""
        return self.name.lower().endswith(".zip")

    @cached_property
    def is_project(self) -> bool:
        """Whether the sources of the documents are in it, as in this project and what it packs.

        Others use Quarto as well; settings that nobody can read count as ours, so that a rule names them.
        """
        return CONFIG in self.files and (not self.config or isinstance(self.config.get("handin"), dict))

    @cached_property
    def is_ours(self) -> bool:
        """Whether its documents were made from the sources in it, so that these say what stands in them.

        That holds for the project at hand, and for a hand-in with our settings whose executed notebook
        carries the fingerprint of its files. Any other is judged by its PDFs.
        """
        if not self.is_project or self.versions:
            return self.is_project
        notebook = self.notebook_json(NOTEBOOK)
        carried = fingerprint.from_notebook(notebook) if notebook else None
        return carried is not None and not carried.changes(fingerprint.of_files(self.files, {}))

    @cached_property
    def config(self) -> dict[str, Any]:
        """`_quarto.yml` as data; empty where it is missing or unreadable."""
        try:
            data = yaml.safe_load(self.text(CONFIG) or "")
        except (yaml.YAMLError, RecursionError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    @cached_property
    def students(self) -> tuple[Student, ...]:
        """From `_quarto.yml`, else the login in the ZIP's name, else nobody."""
        authors = self.config.get("author", [])
        entries = [authors] if isinstance(authors, dict) else authors if isinstance(authors, list) else []
        found = tuple(
            Student(str(entry.get("name", "")).strip(), str(entry.get("login", "")).strip())
            for entry in entries
            if isinstance(entry, dict)
        )
        if found:
            return found
        login = self.login_in_name
        return (Student("", login),) if login else ()

    @cached_property
    def login_in_name(self) -> str:
        """The login that the ZIP's name carries; empty where the name is not what the course asks."""
        match = re.fullmatch(self.course.archive_pattern, self.name)
        return match["login"] if match else ""

    @cached_property
    def pdfs(self) -> tuple[str, ...]:
        """Paths of the PDFs."""
        return tuple(sorted(path for path in self.files if path.lower().endswith(".pdf")))

    @cached_property
    def notebooks(self) -> tuple[str, ...]:
        """Paths of the Jupyter notebooks."""
        return tuple(
            sorted(p for p in self.files if p.lower().endswith(".ipynb") and ".ipynb_checkpoints" not in p)
        )

    @cached_property
    def roles(self) -> Roles:
        """Which PDF is what: by the documents' names where the sources are there, else by their look."""
        if self.is_project:
            there = [path for path in self.pdfs if "/" not in path]
            reports = sorted((p for p in there if p != "notebook.pdf"), key=lambda p: p != "report.pdf")
            return Roles(tuple(reports), tuple(p for p in there if p == "notebook.pdf"), len(reports) == 1)
        code = [path for path in self.files if path.lower().endswith((".py", ".ipynb"))]
        logins = [student.login for student in self.students]
        return sort_out(self.pdfs, lambda path: self.document(path).content, code, logins)

    @property
    def report(self) -> Document | None:
        """The report, or what is likeliest to be it."""
        return self.document(self.roles.reports[0]) if self.roles.reports else None

    @property
    def notebook(self) -> Document | None:
        """The rendered notebook; the likeliest where there are several."""
        return self.document(self.roles.notebooks[0]) if self.roles.notebooks else None

    @property
    def readable(self) -> list[tuple[str, pdf.Content]]:
        """Path and content of report and notebook, as far as they can be read."""
        return [(d.path, d.content) for d in (self.report, self.notebook) if d and d.content]

    def document(self, path: str) -> Document:
        """What can be read of a PDF; read once."""
        cache = self._documents
        if path not in cache:
            try:
                cache[path] = Document(path, pdf.read(self.files[path]))
            except pdf.PdfError as error:
                cache[path] = Document(path, None, str(error))
        return cache[path]

    @cached_property
    def _documents(self) -> dict[str, Document]:
        return {}

    @property
    def outline(self) -> Outline | None:
        """What the report says about itself; None where its sources are not there or cannot be read."""
        return self.outline_of(REPORT)

    def outline_of(self, document: str) -> Outline | None:
        """The outline of a document by the name of its `.qmd`; read once."""
        if document not in self._outlines:
            self._outlines[document] = self._outline_of(document)
        return self._outlines[document]

    @cached_property
    def _outlines(self) -> dict[str, Outline | None]:
        return {}

    def _outline_of(self, document: str) -> Outline | None:
        if document not in self.files or not self.is_ours:
            return None
        try:
            outline = read_outline(self.files.get, document, self.config)
        except (HandinError, OSError):  # the rule `code` says what cannot be read
            return None
        for key in sorted(self._keys_in_outputs):
            known = outline.mentions if key in outline.labels else outline.citations
            known.append(Reference(key, NOTEBOOK, False))
        return outline

    @cached_property
    def _keys_in_outputs(self) -> set[str]:
        """What the Markdown refers to that chunks gave."""
        outputs = [output for cell in self.cells(NOTEBOOK) for output in cell.outputs]
        return {key for output in outputs for key in keys(output.get("text/markdown", ""))}

    @cached_property
    def python(self) -> tuple[Unit, ...]:
        """All Python in it, each piece parsed once."""
        return tuple(units(self.files, frozenset(self.course.handed_out_forms)))

    @cached_property
    def solution(self) -> list[tuple[Unit, list[Use] | None]]:
        """The Python in which the bans hold, and what it uses; None where that cannot be read."""
        return with_uses([unit for unit in self.python if self.course.is_solution(unit.file)])

    @cached_property
    def beside_solution(self) -> list[tuple[Unit, list[Use] | None]]:
        """The Python in which nothing is banned, where it names a banned module."""
        beside = [unit for unit in self.python if not self.course.is_solution(unit.file)]
        return with_uses(
            [u for u in beside if any(module in u.code for module in self.course.banned_modules)]
        )

    def text(self, path: str) -> str | None:
        """A text file, None where it is missing, too long or not UTF-8."""
        return text_of(self.files[path]) if path in self.files else None

    def notebook_json(self, path: str) -> dict[str, Any] | None:
        """A notebook as data, None where there is none."""
        return notebook_of(self.files[path]) if path in self.files else None

    def cells(self, path: str) -> list[Cell]:
        """The cells of a notebook; none where there is none."""
        return cells_of(self.notebook_json(path))
