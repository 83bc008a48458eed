"""`handin doctor`: what a build relies on, each problem with its remedy."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import click
from rich.markup import escape
from rich.table import Table

from handin.commands import FORMAT, console
from handin.errors import HandinError
from handin.files import fingerprint
from handin.project import Project, find_root, load_project
from handin.reading import pdf

OLDEST_PYTHON = (3, 11)
OLDEST_QUARTO = (1, 7)
LEAST_DISK = 500_000_000  # bytes
LEAST_MEMORY = 2_000_000_000
_MARKS = {"ok": "[green]ok[/]", "problem": "[bold red]problem[/]", "note": "[yellow]note[/]"}
STORE = "_store"  # where trained models are kept between builds


@dataclass(frozen=True)
class Result:
    """One thing looked at."""

    what: str
    status: Literal["ok", "note", "problem"]
    detail: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@click.command()
@FORMAT
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    """Look at what a build relies on: packages, renderer, kernel, fonts, disk, store."""
    results = examine(ctx.obj)
    if form == "json":
        click.echo(json.dumps([result.as_dict() for result in results], indent=1, ensure_ascii=False))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for result in results:
            remedy = f"\n[dim]→ {escape(result.remedy)}[/]" if result.remedy else ""
            table.add_row(_MARKS[result.status], escape(result.what), escape(result.detail) + remedy)
        console().print(table)
    sys.exit(any(result.status == "problem" for result in results))


def examine(folder: Path) -> list[Result]:
    """Everything that a build relies on, from the interpreter to the fonts."""
    project, settings = _settings(folder)
    root = project.root if project else folder.resolve()
    results = [_python(), settings]
    if project:
        results += _packages(root)
    results += [_renderer(), *_parts(project), _kernel()]
    results += [_disk(root), _memory(), _writable("temporary folder", Path(tempfile.gettempdir()))]
    if project:
        results += [_writable("output folder", project.output_dir), _store(root)]
    return results


def _python() -> Result:
    version = platform.python_version()
    if sys.version_info[:2] < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        return Result(
            "Python", "problem", f"{version}, older than {wanted}", f"install Python {wanted} or later"
        )
    inside = sys.prefix != sys.base_prefix
    note = "" if inside else ", outside a virtual environment"
    remedy = "" if inside else "use the project's environment: `make`, then `.venv/bin/handin`"
    return Result("Python", "ok" if inside else "note", f"{version} at {sys.executable}{note}", remedy)


def _settings(folder: Path) -> tuple[Project | None, Result]:
    try:
        project = load_project(find_root(folder))
    except HandinError as error:
        place = f"{error.place}: " if error.place else ""
        remedy = "\n".join([error.remedy, *map(str, error.others)])
        return None, Result("_quarto.yml", "problem", f"{place}{error.problem}", remedy)
    examples = [a.login for a in project.authors if a.login in project.handin.example_logins]
    if examples:
        return project, Result(
            "_quarto.yml",
            "note",
            f"still names the example's login {', '.join(examples)}",
            f"{project.place('author')}: put your own name and login there",
        )
    return project, Result("_quarto.yml", "ok", ", ".join(f"{a.name} ({a.login})" for a in project.authors))


def _packages(root: Path) -> Iterator[Result]:
    """Declared packages: absent, or of another version than the constraints pin."""
    path = root / "pyproject.toml"
    names = list(fingerprint.dependencies(path.read_bytes() if path.is_file() else b""))
    pinned = _pinned(root / "constraints.txt")
    absent, other = [], []
    for name in names:
        try:
            version = metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            absent.append(name)
            continue
        if name in pinned and pinned[name] != version:
            other.append(f"{name} {version} instead of {pinned[name]}")
    if absent:
        yield Result(
            "packages", "problem", f"absent: {', '.join(absent)}", "pip install -c constraints.txt -e ."
        )
    if other:
        yield Result(
            "packages",
            "note",
            "; ".join(other),
            "numbers may differ in late digits; pip install -c constraints.txt -e .",
        )
    if not absent and not other:
        yield Result(
            "packages", "ok", f"{len(names)} declared, all installed" + (" as pinned" if pinned else "")
        )


def _pinned(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {m[1].lower(): m[2] for line in lines if (m := re.match(r"([\w.-]+)==([^\s;#+]+)", line))}


def _renderer() -> Result:
    quarto = shutil.which("quarto")
    if not quarto:
        return Result("renderer", "ok", "built-in (no quarto on the PATH)")
    version = _output([quarto, "--version"])
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if not numbers:
        return Result(
            "renderer",
            "problem",
            f"{quarto} does not run: {version[:80]}",
            "mend Quarto, or use `handin render --renderer builtin`",
        )
    if numbers < OLDEST_QUARTO:
        return Result(
            "renderer",
            "problem",
            f"Quarto {version}, older than {'.'.join(map(str, OLDEST_QUARTO))}",
            "update Quarto, or use `handin render --renderer builtin`",
        )
    return Result("renderer", "ok", f"Quarto {version} at {quarto}; the built-in one is there as well")


def _parts(project: Project | None) -> Iterator[Result]:
    """The parts of the built-in renderer: Pandoc, Typst and its fonts."""
    try:
        import pypandoc

        yield Result("Pandoc", "ok", str(pypandoc.get_pandoc_version()))
    except (ImportError, OSError) as error:
        yield Result("Pandoc", "problem", str(error), "pip install pypandoc-binary")
    wanted = str(project.metadata.get("mainfont", "")) if project else ""
    if project and not wanted:
        formats = project.metadata.get("format")
        look = formats.get("typst") if isinstance(formats, dict) else None
        wanted = str(look.get("mainfont", "")) if isinstance(look, dict) else ""
    yield from _typst(wanted or "Libertinus Serif")


def _typst(font: str) -> Iterator[Result]:
    try:
        import typst
    except ImportError as error:
        yield Result("Typst", "problem", str(error), "pip install typst")
        return
    source = f'#set text(font: "{font}")\nfont'.encode()
    try:
        held = pdf.read(bytes(typst.compile(source)))
    except (RuntimeError, pdf.PdfError) as error:
        yield Result("Typst", "problem", f"cannot set a page: {error}", "pip install --force-reinstall typst")
        return
    yield Result("Typst", "ok", f"{metadata.version('typst')}, sets a page")
    used = held.fonts[0].name if held.fonts else ""
    if used.replace(" ", "").casefold().startswith(font.replace(" ", "").casefold()):
        yield Result("fonts", "ok", f"{font} is there")
    else:
        yield Result(
            "fonts",
            "problem",
            f"{font} is not there, {used or 'nothing'} takes its place",
            "install the font, or set `mainfont: Libertinus Serif`, which Typst carries",
        )


def _kernel() -> Result:
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError as error:
        return Result("kernel", "problem", str(error), "pip install ipykernel nbclient")
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Result("kernel", "problem", "there is no Jupyter kernel `python3`", "pip install ipykernel")
    # Jupyter runs a bare `python` with the interpreter that starts the kernel.
    bare = Path(spec.argv[0]).name == spec.argv[0] and spec.argv[0].startswith("python")
    program = sys.executable if bare else spec.argv[0]
    if os.path.realpath(program) != os.path.realpath(sys.executable):
        return Result(
            "kernel",
            "note",
            f"`python3` runs {program}, not {sys.executable}",
            "run handin from the environment that has the packages",
        )
    return Result("kernel", "ok", f"python3 at {program}")


def _disk(root: Path) -> Result:
    free = shutil.disk_usage(root).free
    if free < LEAST_DISK:
        return Result(
            "disk", "problem", f"{free / 1e6:.0f} MB free", f"free {LEAST_DISK / 1e6:.0f} MB at least"
        )
    return Result("disk", "ok", f"{free / 1e9:.0f} GB free")


def _memory() -> Result:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return Result("memory", "note", "this system does not say how much there is")
    if total < LEAST_MEMORY:
        return Result("memory", "note", f"{total / 1e9:.1f} GB", "close other programs while rendering")
    return Result("memory", "ok", f"{total / 1e9:.0f} GB, {os.cpu_count()} cores")


def _writable(what: str, folder: Path) -> Result:
    existing = next(f for f in (folder, *folder.parents) if f.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Result(
            what, "problem", f"{existing}: {error.strerror}", "make the folder writable, or make room"
        )
    return Result(what, "ok", f"{folder} can be written")


def _store(root: Path) -> Result:
    store = root / STORE
    if not store.is_dir():
        return Result("store", "note", "empty: the first build trains every model", "")
    files = [path for path in store.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    return Result("store", "ok", f"{len(files)} files, {size / 1e6:.0f} MB; may be deleted at any time")


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stdout or done.stderr).strip()
