"""What the rules look at: the project as the hand-in that it would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pypdfium2

from handin.errors import HandinError, Place
from handin.project import Project, within
from handin.qmd.outline import Outline, Reference, read_outline
from handin.qmd.places import keys
from handin.qmd.source import on_disk
from handin.reading import pdf
from handin.reading.names import Use, uses
from handin.reading.notebook import Cell, cells_of
from handin.reading.python_code import PythonSource, python_sources
from handin.sources import project_files

REPORT, NOTEBOOK = "report", "notebook"  # the documents, by the names of their .qmd, .pdf and .ipynb


@dataclass(frozen=True)
class Submission:
    """The files of a hand-in by their path in the ZIP: sources at their own paths, documents at the top."""

    project: Project
    files: Mapping[str, bytes]
    built: tuple[str, ...] = ()  # those of them that a build writes
    unfit: tuple[str, ...] = ()  # what belongs to it and is no plain file of the project: links, pipes

    @classmethod
    def of(cls, project: Project) -> Submission:
        """Read what would be handed in.

        Raises:
            HandinError: A file cannot be read.
        """
        root, output = project.root, project.output_dir
        listed = project_files(root, project.settings.project.output_dir)
        wanted = [name for name in listed if project.handin.is_handed_in(name)]
        plain = [name for name in wanted if (root / name).is_file() and not (root / name).is_symlink()]
        paths = {name: root / name for name in plain if name.isprintable()}
        unfit = [name for name in wanted if name not in paths]
        outputs = [f"{Path(name).stem}{kind}" for name in project.documents for kind in (".pdf", ".ipynb")]
        built = [name for name in outputs if (output / name).is_file()]
        paths |= {name: output / name for name in built}
        try:
            files = {name: path.read_bytes() for name, path in sorted(paths.items())}
        except OSError as error:
            raise HandinError(
                f"cannot be read: {error.strerror}",
                place=Place(error.filename),
                remedy="make the file readable",
            ) from error
        return cls(project, files, tuple(built), tuple(unfit))

    @cached_property
    def pdfs(self) -> dict[str, tuple[pdf.Pdf | None, str]]:
        """The PDF of each document, or why there is none to read."""
        found: dict[str, tuple[pdf.Pdf | None, str]] = {}
        for name in (REPORT, NOTEBOOK):
            try:
                found[name] = pdf.read(self.files[f"{name}.pdf"]), ""
            except KeyError:
                found[name] = None, "it is not there"
            except pypdfium2.PdfiumError as error:
                found[name] = None, f"it cannot be read: {error}"
        return found

    @cached_property
    def outlines(self) -> dict[str, Outline | None]:
        """What each document says about itself; None where there is none or it cannot be read."""
        return {name: self._read_outline(f"{name}.qmd") for name in (REPORT, NOTEBOOK)}

    def _read_outline(self, document: str) -> Outline | None:
        if document not in self.project.documents:
            return None
        try:
            outline = read_outline(on_disk(self.project.root), document, self.project.source.data)
        except HandinError:  # the rule `code` says what cannot be read
            return None
        outputs = [output for cell in self.cells for output in cell.outputs]
        for key in sorted({key for output in outputs for key in keys(output.get("text/markdown", ""))}):
            known = outline.mentions if key in outline.labels else outline.citations
            known.append(Reference(key, f"{NOTEBOOK}.ipynb", False))
        return outline

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells of the executed notebook; none where it is missing or unreadable."""
        return cells_of(self.files.get(f"{NOTEBOOK}.ipynb", b""))

    @cached_property
    def packed(self) -> dict[str, bytes]:
        """What the ZIP holds."""
        return {**self.files, "README.md": self._readme().encode()}

    def _readme(self) -> str:
        """Where the student's own code is, before all else."""
        project, course = self.project, self.project.handin
        own = {
            "/".join(unit.file.split("/")[: 1 + unit.file.startswith("code/")])
            for unit in self.python
            if course.is_solution(unit.file)
        }
        tool = [name for name in course.not_solution if any(within(file, (name,)) for file in self.files)]
        who = " and ".join(f"{author.name} ({author.login})" for author in project.authors)
        return (
            f"# Assignment {course.assignment}, {course.course}: {who}\n\n"
            f"The students' own work: {', '.join(sorted(own))}.\n"
            f"Beside it, not part of the solution: {', '.join(tool) or 'nothing'}.\n\n"
            "- report.pdf: the answers\n"
            "- notebook.pdf, notebook.ipynb: every chunk of the report with its output\n\n"
            "`make` builds all of it anew (git is not needed; Python 3.11 or later is).\n"
        )

    @cached_property
    def python(self) -> tuple[PythonSource, ...]:
        """All Python in it, each piece parsed once."""
        return tuple(python_sources(self.files))

    @cached_property
    def solution(self) -> list[tuple[PythonSource, list[Use]]]:
        """The Python in which the bans hold, and what it uses.

        Chunks share their names, and so do the cells of a notebook: one imports, another uses.
        """
        groups: dict[str, list[PythonSource]] = {}
        for unit in self.python:
            if self.project.handin.is_solution(unit.file):
                groups.setdefault("*.qmd" if unit.file.endswith(".qmd") else unit.file, []).append(unit)
        return [
            pair
            for group in groups.values()
            for pair in zip(group, uses([unit.tree for unit in group]), strict=True)
        ]
