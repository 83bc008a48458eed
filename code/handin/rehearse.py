"""`handin rehearse`: does the ZIP still build what it shows?

It is unpacked to an empty place, the documents are built there from the packed sources, by the packed tool,
with nothing kept from earlier builds and without a network where the system can cut it; then the bytes are
compared. This is the one command that executes what is in a ZIP.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pypdfium2

from handin.errors import HandinError, Place
from handin.project import CONFIG, load_project

# What of the user's environment the build may see; settings, caches and stores it may not.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "COLUMNS", "NO_COLOR")
_REMEDY = "rehearse a ZIP that `handin pack` wrote"
SCALE = 1.5  # pixels per pt at which pages are compared

# A network of its own (unshare(1), network_namespaces(7)) has nothing but the loopback device, over which
# a kernel is spoken to; it has to be raised (netdevice(7): SIOCSIFFLAGS, IFF_UP).
OFFLINE = ["unshare", "--map-root-user", "--net", sys.executable, "-c"]
RAISE_LOOPBACK = """
import fcntl, os, socket, struct, sys
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sH14x", b"lo", 1))
os.execvp(sys.argv[1], sys.argv[1:])
"""


@dataclass(frozen=True)
class Comparison:
    """A document that was handed in beside the one that was built from the same ZIP."""

    document: str  # report.pdf
    same_bytes: bool
    differing: tuple[int, ...]  # pages, from 1, on which something is not the same

    def __str__(self) -> str:
        if self.same_bytes:
            return f"{self.document}: the same byte for byte"
        pages = ", ".join(map(str, self.differing))
        return f"{self.document}: other bytes" + (f", other pages: {pages}" if pages else "")


def rehearse(archive: Path, renderer: str | None = None) -> list[Comparison]:
    """Build the documents of a ZIP from the sources in it and compare. Executes its code.

    Args:
        archive: A ZIP that `handin pack` wrote.
        renderer: quarto or builtin; by default what `handin render` chooses.

    Raises:
        HandinError: It is no such ZIP, or its sources do not build.
    """
    with tempfile.TemporaryDirectory(prefix="handin-rehearse-") as empty:
        root, home = Path(empty, "project").resolve(), Path(empty, "home").resolve()
        home.mkdir()
        _unpack(archive, root)
        project = load_project(root)
        handed_in = {}
        for document in project.documents:  # they are compared, not built upon
            for path in (root / f"{Path(document).stem}{kind}" for kind in (".pdf", ".ipynb")):
                if path.is_file():
                    handed_in[path.name] = path.read_bytes()
                    path.unlink()
                elif path.suffix == ".pdf":
                    raise HandinError(f"holds no {path.name}", place=Place(archive), remedy=_REMEDY)
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(root / "code")}
        command = [sys.executable, "-m", "handin", "render", *(("--renderer", renderer) if renderer else ())]
        command = [*OFFLINE, RAISE_LOOPBACK, *command] if can_be_offline() else command
        status = subprocess.run(command, cwd=root, env=environment, check=False).returncode
        if status:
            raise HandinError(
                f"the packed sources do not build (exit status {status})",
                place=Place(archive),
                remedy="see above; mend it, and run `handin pack` again",
            )
        return [
            compare(name, old, (project.output_dir / name).read_bytes()) for name, old in handed_in.items()
        ]


def can_be_offline() -> bool:
    """Whether this system can run a command without a network."""
    try:
        return subprocess.run([*OFFLINE, RAISE_LOOPBACK, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def compare(document: str, handed_in: bytes, rebuilt: bytes) -> Comparison:
    """Compare two versions of a PDF, bytes and the look of every page; of a notebook, bytes alone."""
    is_pdf = document.endswith(".pdf")
    before, after = (list(_pages(data)) if is_pdf else [] for data in (handed_in, rebuilt))
    pages = enumerate(zip_longest(before, after), start=1)
    differing = [number for number, (one, other) in pages if one != other]
    return Comparison(document, handed_in == rebuilt, tuple(differing))


def _pages(pdf: bytes) -> Iterator[bytes]:
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            yield bytes(page.render(scale=SCALE, grayscale=True).buffer)


def _unpack(archive: Path, root: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as held:
            held.extractall(root)  # which leads nowhere else
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise HandinError(f"cannot be read: {error}", place=Place(archive), remedy=_REMEDY) from error
    if not (root / CONFIG).is_file():
        raise HandinError(f"holds no {CONFIG}", place=Place(archive), remedy=_REMEDY)
