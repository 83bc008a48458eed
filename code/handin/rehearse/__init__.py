"""`handin rehearse`: does the ZIP still build what it shows?

It is unpacked to an empty place, both documents are built there from the packed sources, by the packed tools,
with a fresh kernel and nothing kept from earlier builds, without a network where the system can cut it; then
every number, figure and page count is compared. This is the one command that executes what is in a ZIP.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from handin.errors import HandinError, Place
from handin.project import CONFIG, Project, load_project
from handin.reading import pdf
from handin.rehearse import offline
from handin.rehearse.archive import read_own
from handin.rehearse.compare import Comparison, compare

__all__ = ["Rehearsal", "Unpacked", "require_own", "unpack"]

# What of the user's environment the build may see; settings, caches and stores it may not.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "COLUMNS", "NO_COLOR", "SYSTEMROOT")
_SHOWN = 20  # differences per document


@dataclass(frozen=True)
class Rehearsal:
    """How a rehearsal went."""

    comparisons: tuple[Comparison, ...]  # one per document
    offline: bool  # whether the build could reach no network
    seconds: float  # that the build took

    @property
    def reproduced(self) -> bool:
        return all(comparison.reproduced for comparison in self.comparisons)

    def in_words(self) -> Iterator[str]:
        """The outcome, a line at a time."""
        for one in self.comparisons:
            counts = f"{one.pages} pages, {one.numbers} numbers, {one.figures} figures"
            if one.same_bytes:
                yield f"{one.document}: {counts}, the same byte for byte"
            elif one.reproduced:
                yield f"{one.document}: {counts}, the same on every page"
            else:
                yield f"{one.document}: {counts}; differences: {len(one.differences)}"
                for difference in one.differences[:_SHOWN]:
                    yield f"  {difference.place}: {difference.message}"
                if len(one.differences) > _SHOWN:
                    yield f"  and {len(one.differences) - _SHOWN} more"
                if one.causes:
                    yield f"  built otherwise: {', '.join(one.causes)}"
        network = "without a network" if self.offline else "this system cannot cut the network"
        yield f"{'reproduced' if self.reproduced else 'not reproduced'} ({self.seconds:.0f} s, {network})"


@dataclass(frozen=True)
class Unpacked:
    """A hand-in in a place of its own; nothing in it has been executed yet."""

    name: str  # of the ZIP
    files: Mapping[str, bytes]
    project: Project

    def rehearse(self, renderer: str | None = None) -> Rehearsal:
        """Build the documents and compare them with those of the hand-in. Executes its code.

        Args:
            renderer: quarto or builtin; by default what `handin render` chooses.

        Raises:
            HandinError: the sources do not build, or a PDF cannot be read.
        """
        cut = offline.available()
        start = time.monotonic()
        self._build(cut, renderer)
        seconds = time.monotonic() - start
        comparisons = tuple(
            self._compare(Path(document).stem + ".pdf") for document in self.project.documents
        )
        return Rehearsal(comparisons, cut, seconds)

    def _build(self, cut: bool, renderer: str | None) -> None:
        root = self.project.root
        home = root.parent / "home"
        home.mkdir()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(root / "code")}
        command = [sys.executable, "-m", "handin", "render"]
        command += ["--renderer", renderer] if renderer else []
        command = [*offline.prefix(), *command] if cut else command
        status = subprocess.run(command, cwd=root, env=environment, check=False).returncode
        if status:
            raise HandinError(
                f"the packed sources do not build (exit status {status})",
                place=Place(self.name),
                remedy="see above; mend it, run `handin render`, `handin check` and `handin pack` again",
            )

    def _compare(self, document: str) -> Comparison:
        rebuilt = self.project.output_dir / document
        try:
            return compare(document, self.files[document], rebuilt.read_bytes())
        except FileNotFoundError:
            raise HandinError(
                f"the packed sources build no {document}", place=Place(self.name), remedy="see above"
            ) from None
        except pdf.PdfError as error:
            raise HandinError(f"{document} cannot be read: {error}", place=Place(self.name)) from None


@contextmanager
def unpack(archive: Path) -> Iterator[Unpacked]:
    """Unpack a hand-in to an empty folder of its own, which is gone afterwards.

    Raises:
        HandinError: the ZIP is not whole and clean, or has no project in it.
    """
    files = read_own(archive)
    if CONFIG not in files:
        raise HandinError(
            f"holds no {CONFIG}, so nothing says how to build it",
            place=Place(archive),
            remedy="rehearse a ZIP that `handin pack` wrote",
        )
    with tempfile.TemporaryDirectory(prefix="handin-rehearse-") as empty:
        root = Path(empty, "project").resolve()
        for name, data in files.items():
            path = root / name  # `read_own` has refused every name that leads elsewhere
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        project = load_project(root)
        for document in project.documents:  # the PDFs handed in are compared, not built upon
            name = f"{Path(document).stem}.pdf"
            if name not in files:
                raise HandinError(f"holds no {name}", place=Place(archive), remedy="run `handin pack`")
            (root / name).unlink()
        yield Unpacked(archive.name, files, project)


def require_own(unpacked: Unpacked, ours: Project | None) -> None:
    """Refuse a hand-in of others: what is rehearsed is executed.

    Raises:
        HandinError: its students are not those of the project at hand, or there is none at hand.
    """
    theirs = {author.login for author in unpacked.project.authors}
    if ours is None or theirs != {author.login for author in ours.authors}:
        raise HandinError(
            f"handed in by {', '.join(sorted(theirs))}, and rehearsing executes what is in it",
            place=Place(unpacked.name),
            remedy="add --mine if it is your own; others' hand-ins are for `handin check` and `handin grade`",
        )
