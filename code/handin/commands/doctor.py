"""`handin doctor`: what a build relies on, each problem with its remedy."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import click
import pypandoc
import typst
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from rich.markup import escape
from rich.table import Table

from handin.commands import FORMAT, console
from handin.errors import HandinError
from handin.files import fingerprint
from handin.project import Project, find_root, load_project
from handin.qmd.source import for_typst
from handin.reading import pdf
from handin.render.quarto import quarto_version
from handin.render.typeset import FONTS

OLDEST_QUARTO = (1, 7)
LEAST_DISK = 500_000_000  # bytes
STORE = "_store"  # where results are kept between builds
_MARKS = {"ok": "[green]ok[/]", "problem": "[bold red]problem[/]", "note": "[yellow]note[/]"}


@dataclass(frozen=True)
class Result:
    """One thing looked at."""

    what: str
    status: Literal["ok", "note", "problem"]
    detail: str
    remedy: str = ""


@click.command()
@FORMAT
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    """Look at what a build relies on: packages, renderer, kernel, fonts, disk, store."""
    results = list(examine(ctx.obj))
    if form == "json":
        click.echo(json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for result in results:
            remedy = f"\n[dim]→ {escape(result.remedy)}[/]" if result.remedy else ""
            table.add_row(_MARKS[result.status], escape(result.what), escape(result.detail) + remedy)
        console().print(table)
    sys.exit(any(result.status == "problem" for result in results))


def examine(folder: Path) -> Iterator[Result]:
    """Everything that a build relies on, from the interpreter to the fonts."""
    yield Result("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    places = {"temporary folder": Path(tempfile.gettempdir())}
    project = None
    try:
        project = load_project(find_root(folder))
        yield Result("_quarto.yml", "ok", ", ".join(f"{a.name} ({a.login})" for a in project.authors))
    except HandinError as error:
        remedy = "\n".join(map(str, error.others)) or "mend it"
        yield Result("_quarto.yml", "problem", str(error.alone()), remedy)
    if project:
        yield from _packages(project.root)
        places |= {"output folder": project.output_dir, "store": project.root / STORE}
    yield _renderer()
    yield Result("Pandoc", "ok", str(pypandoc.get_pandoc_version()))
    yield from _typst(project)
    yield _kernel()
    yield _processes()
    yield from (_room(what, place) for what, place in places.items())


def _packages(root: Path) -> Iterator[Result]:
    """Declared packages: absent, or of another version than the constraints pin."""
    declared, constraints = (
        path.read_text(encoding="utf-8") if path.is_file() else ""
        for path in (root / "pyproject.toml", root / "constraints.txt")
    )
    found = fingerprint.versions(declared.encode())
    pinned = {n.lower(): version for n, version in re.findall(r"(?m)^([\w.-]+)==([^\s;#+]+)", constraints)}
    remedy = "pip install -c constraints.txt -e ."
    absent = [name for name, version in found.items() if version == "absent"]
    other = [
        f"{name} {version} instead of {pinned[name]}"
        for name, version in found.items()
        if name not in absent and pinned.get(name, version) != version
    ]
    if absent:
        yield Result("packages", "problem", f"absent: {', '.join(absent)}", remedy)
    if other:
        yield Result("packages", "note", "; ".join(other), f"numbers may differ in late digits; {remedy}")
    if not absent and not other:
        yield Result("packages", "ok", f"{len(found) - 1} declared, all installed")


def _renderer() -> Result:
    version = quarto_version()
    if version is None:
        return Result("renderer", "ok", "built-in (no Quarto on the PATH that runs)")
    if tuple(int(n) for n in re.findall(r"\d+", version)[:2]) < OLDEST_QUARTO:
        wanted = ".".join(map(str, OLDEST_QUARTO))
        remedy = "update Quarto, or use `handin render --renderer builtin`"
        return Result("renderer", "problem", f"Quarto {version}, older than {wanted}", remedy)
    return Result("renderer", "ok", f"Quarto {version}; the built-in one is there as well")


def _typst(project: Project | None) -> Iterator[Result]:
    """Whether Typst sets a page, in the font that the project names."""
    given = for_typst(project.metadata) if project else {}
    font = str(given.get("mainfont", "Libertinus Serif"))
    folders = [str(project.root / FONTS)] if project else []
    page = f'#set text(font: "{font}")\nfont'.encode()
    try:
        made = typst.compile(page, font_paths=folders)  # type: ignore[misc]  # its stub: one type for both
        held = pdf.read(bytes(made))
    except (RuntimeError, pdf.PdfError) as error:
        remedy = "pip install --force-reinstall typst"
        yield Result("Typst", "problem", f"cannot set a page: {error}", remedy)
        return
    yield Result("Typst", "ok", f"{metadata.version('typst')}, sets a page")
    used = held.fonts[0].name if held.fonts else "nothing"
    if used.replace(" ", "").casefold().startswith(font.replace(" ", "").casefold()):
        yield Result("fonts", "ok", f"{font} is there")
    else:
        remedy = f"put the font into {FONTS}, or set `mainfont: Libertinus Serif`, which Typst carries"
        yield Result("fonts", "problem", f"{font} is not there, {used} takes its place", remedy)


def _kernel() -> Result:
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Result("kernel", "problem", "there is no Jupyter kernel `python3`", "pip install ipykernel")
    # Jupyter runs a bare `python` with the interpreter that starts the kernel.
    bare = Path(spec.argv[0]).name == spec.argv[0] and spec.argv[0].startswith("python")
    program = sys.executable if bare else spec.argv[0]
    if os.path.realpath(program) != os.path.realpath(sys.executable):
        remedy = "run handin from the environment that has the packages"
        return Result("kernel", "note", f"`python3` runs {program}, not {sys.executable}", remedy)
    return Result("kernel", "ok", f"python3 at {program}")


def _processes() -> Result:
    """Whether processes can share semaphores, without which joblib works in one."""
    try:
        multiprocessing.get_context("spawn").Lock()
    except OSError as error:
        problem = (
            f"no shared memory ({error.strerror}): chunks compute on one core, slower, with the same results"
        )
        return Result("processes", "note", problem, "mount a tmpfs at /dev/shm")
    return Result("processes", "ok", f"{os.cpu_count()} cores")


def _room(what: str, folder: Path) -> Result:
    """Whether a folder, or where it will be, can be written and has room."""
    existing = next(f for f in (folder, *folder.parents) if f.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        remedy = "make it a folder that can be written"
        return Result(what, "problem", f"{existing}: {error.strerror}", remedy)
    free = shutil.disk_usage(existing).free
    if free < LEAST_DISK:
        return Result(what, "problem", f"{free / 1e6:.0f} MB free at {existing}", "make room")
    return Result(what, "ok", f"{folder} can be written, {free / 1e9:.0f} GB free")
