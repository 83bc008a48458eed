"""The command line: `handin …`, the same as `python -m handin …`.

Imports stand inside the commands: none waits for what another needs.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from handin import __version__, sources
from handin.environment import HAND_IN, Mode
from handin.errors import HandinError, Place, near
from handin.project import CONFIG, Project, find_root, load_project

if TYPE_CHECKING:
    from handin.rules import Finding

STARTED = time.perf_counter()
RENDERER = click.option(
    "--renderer",
    type=click.Choice(["quarto", "builtin"]),
    help="[default: Quarto if it is on the PATH, else the built-in one]",
)
COLOURS = {"pass": "green", "fail": "bold red", "cannot tell": "yellow", "note": "blue"}
# What `init` asks, and what is taken where nobody answers.
QUESTIONS = {
    "course": ("Course", "Deep Learning (FSS24)"),
    "number": ("Number of the assignment", "2"),
    "title": ("Title of the report", "Neural Networks"),
    "tasks": ("Tasks, as in “1 Implement it; 1a The class; 1b; 2 Experiments”", "1; 1a; 1b; 2"),
    "author": ("Author, as “Name <login>”; for a pair two, with a comma", "Ada Lovelace <alovelac>"),
    "archive": ("Name of the ZIP", "dl24-{assignment}-{login}.zip"),
    "ban": ("Modules that the solution must not import, with commas", ""),
    "require": ("Packages that the solution needs, as torch, with commas", ""),
    "package": ("Name of the solution's package", "solution"),
}
PLACES = 3  # shown of findings that say the same


class _Commands(click.Group):
    """Prints a `HandinError` as its message alone and exits with status 1; Ctrl-C exits with 130."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except HandinError as error:
            _fail(str(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            remedy = "look at this file's permissions and at the room on the disk"
            _fail(f"{place}{error.strerror or error}; {remedy}")
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("handin."):
                raise
            _fail("this command is not part of what is handed in; use it where the ZIP was packed")
        except KeyboardInterrupt as interruption:
            words = "interrupted; the last complete documents are untouched"
            click.echo(f"{interruption}\n{words}".lstrip(), err=True)
            sys.exit(130)


def _fail(words: str) -> NoReturn:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {words}", err=True)
    sys.exit(1)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--project",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The project's folder, or one inside it. [default: here]",
)
@click.version_option(__version__, prog_name="handin", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, folder: Path) -> None:
    """Renders, checks and packs a literate hand-in."""
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGTERM leaves by the same door as Ctrl-C
        signal.signal(number, signal.default_int_handler)
    ctx.obj = folder


def _project() -> Project:
    """The project that the command was started in."""
    return load_project(find_root(click.get_current_context().obj))


@main.command()
@click.argument("documents", nargs=-1)
@RENDERER
@click.option("--draft", is_flag=True, envvar="DRAFT", help="Mark a false claim in the text, and go on.")
@click.option("--quick", is_flag=True, help="A draft from few runs, for a first look.")
@click.option("--no-memory", is_flag=True, help="Execute every chunk, whatever is remembered.")
@click.option("--to", type=click.Choice(["typst", "html"]), default="typst", help="PDFs, or web pages.")
def render(
    documents: tuple[str, ...], renderer: str | None, draft: bool, quick: bool, no_memory: bool, to: str
) -> None:
    """Build the PDFs of all DOCUMENTS, or of the named ones (`handin render report`)."""
    _render(_project(), documents, renderer, Mode(draft, quick, memory=not no_memory), to)


@main.command()
@click.argument("document", required=False)
@click.option("--draft/--strict", default=True, help="Mark false claims or stop there. [default: mark]")
@click.option("--port", default=4321, show_default=True, help="Any other where it is taken.")
@click.option("--no-browser", is_flag=True, help="Open no browser; the address is printed in any case.")
def preview(document: str | None, draft: bool, port: int, no_browser: bool) -> None:
    """Show the documents in the browser, DOCUMENT first, and build them anew at every save."""
    from handin import preview

    project = _project()
    first = _document(document, project) if document else project.documents[0]
    # asyncio knows how to end by SIGINT.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    asyncio.run(preview.preview(project, first, draft, port, not no_browser))


@main.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--explain", is_flag=True, help="What every rule asks, why, what fails and what passes.")
def check(form: str, explain: bool) -> None:
    """Check the project against every formal rule. Status 1 if a rule fails."""
    from handin.reading.submission import Submission
    from handin.rules import RULES, apply

    if explain:
        click.echo("\n\n".join(f"{name}\n{inspect.getdoc(rule)}" for name, rule in RULES.items()))
        return
    findings = apply(Submission.of(_project()))
    failed = any(finding.status == "fail" for finding in findings)
    if form == "json":
        held = {"ok": not failed, "findings": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(held, indent=1, ensure_ascii=False))
    else:
        _show(findings)
    sys.exit(1 if failed else 0)


@main.command()
def pack() -> None:
    """Build what is not as the sources say, check, and write the ZIP, one per student.

    It is refused while a rule fails.
    """
    from handin.pack import NotReadyError, pack, require_worth_building
    from handin.reading.submission import NOTEBOOK, Submission
    from handin.rules import apply

    project = _project()
    built, now = sources.Built(project.root), sources.fingerprint(project)
    wanted = [project.output_dir / f"{Path(name).stem}.pdf" for name in project.documents]
    if f"{NOTEBOOK}.qmd" in project.documents:
        wanted.append(project.output_dir / f"{NOTEBOOK}.ipynb")
    try:
        if not all(built.is_current(path, now) for path in wanted):
            require_worth_building(Submission.of(project))
            _render(project)
        with sources.locked(project.root, click.echo):
            submission = Submission.of(project)
            findings = apply(submission)
            paths = pack(submission, findings)
    except NotReadyError as error:
        _show(error.findings)
        raise
    for path in paths:
        shown = path.relative_to(project.root)
        click.echo(f"{shown}  {path.stat().st_size / 1e6:.1f} MB, {len(submission.packed)} files")
    for finding in findings:
        if finding.status == "cannot tell":
            click.echo(f"look yourself: {finding.rule}: {finding.message} {finding.place}".rstrip())
    if len(paths) > 1:
        click.echo("Both students must hand in: each uploads the ZIP with their own login.")


@main.command()
@click.argument("archive", required=False, type=click.Path(path_type=Path))
@RENDERER
def rehearse(archive: Path | None, renderer: str | None) -> None:
    """Rebuild a packed hand-in from its own sources and compare. EXECUTES the code in it.

    ARCHIVE is a ZIP of your own; by default the one that `handin pack` wrote. It is unpacked to an empty
    place and built there with nothing kept from earlier builds, so that every model is trained anew, and, on
    Linux, without a network. No other command executes what is in a ZIP.
    """
    from handin import rehearse

    if archive is None:
        project = _project()
        archive = project.output_dir / project.handin.archive_name(project.authors[0].login)
    click.echo(f"{archive}: building it from its own sources, which executes its code")
    comparisons = rehearse.rehearse(archive, renderer)
    for comparison in comparisons:
        click.echo(comparison)
    same = all(comparison.same_bytes for comparison in comparisons)
    network = "without a network" if rehearse.can_be_offline() else "this system cannot cut the network"
    click.echo(f"{'reproduced' if same else 'not reproduced'} in {_seconds()}, {network}")
    sys.exit(0 if same else 1)


class _Asked(click.Option):
    """Asked for at a terminal where it is not given."""

    def prompt_for_value(self, ctx: click.Context) -> Any:
        asks = sys.stdin.isatty() and not ctx.params.get("bare")
        return super().prompt_for_value(ctx) if asks else self.get_default(ctx)


def _with_questions(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each question."""
    for name, (question, usual) in reversed(QUESTIONS.items()):
        option = click.option(f"--{name}", cls=_Asked, default=usual, prompt=question, help=f"{question}.")
        command = option(command)
    return command


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_with_questions
@click.option("--bare", is_flag=True, is_eager=True, help="This assignment, answered in the shortest way.")
def init(folder: Path, bare: bool, **answers: str) -> None:
    """Start a new assignment in FOLDER, with all that `make` needs.

    What no option says is asked at a terminal, and an example elsewhere. Nothing is overwritten.
    """
    from handin import starter

    files = starter.create(folder, starter.bare() if bare else starter.filled(**answers))
    sections = [name for name in files if name.startswith("sections/")]
    click.echo(f"{folder}: {len(files)} files, {len(sections)} of them sections")
    click.echo(f"next:  cd {shlex.quote(str(folder))} && make && make test")


@main.command()
def clean() -> None:
    """Remove what builds wrote and what they remember; trained models stay."""
    project = _project()
    with sources.locked(project.root, click.echo):
        for path in sources.clean(project):
            click.echo(f"removed {path.relative_to(project.root)}")


def _render(
    project: Project,
    names: Sequence[str] = (),
    renderer: str | None = None,
    mode: Mode = HAND_IN,
    to: str = "typst",
) -> None:
    import pypdfium2

    from handin.render.builtin import Builder
    from handin.render.quarto import quarto_version, render_by_quarto

    named = dict.fromkeys(_document(name, project) for name in names)
    documents = list(named) or project.documents
    version = None if renderer == "builtin" else quarto_version()
    if renderer == "quarto" and version is None:
        remedy = "install 1.7 or later from quarto.org, or use --renderer builtin"
        raise HandinError("there is no Quarto on the PATH", remedy=remedy)
    if version:
        paths: list[Path] = []  # Quarto names them
        render_by_quarto(project, documents, mode, to)
    elif to == "html":
        remedy = "install it from quarto.org"
        raise HandinError("Quarto makes the web pages, and there is none on the PATH", remedy=remedy)
    else:
        paths = Builder(project, mode=mode, console=Console()).render(documents)
    for path in paths:
        size = f"{path.stat().st_size / 1000:,.0f} kB"
        if path.suffix == ".pdf":
            with pypdfium2.PdfDocument(path) as pdf:
                size = f"{len(pdf)} pages"
        click.echo(f"{path.relative_to(project.root)}  {size}")
    click.echo(f"built by {f'Quarto {version}' if version else 'the built-in renderer'} in {_seconds()}")


def _document(name: str, project: Project) -> str:
    """The file of a document that is named with or without `.qmd`."""
    document = f"{name.removesuffix('.qmd')}.qmd"
    if document in project.documents:
        return document
    meant = near(document, project.documents)
    remedy = f"did you mean `{meant}`?" if meant else f"documents are {', '.join(project.documents)}"
    raise HandinError(f"there is no document `{name}`", place=Place(CONFIG), remedy=remedy)


def _seconds() -> str:
    """How long ago the command was given."""
    return f"{time.perf_counter() - STARTED:.1f} s"


def _show(findings: Sequence[Finding]) -> None:
    """A table with a row for each rule and file: verdict, what and where, below a failure what to do."""
    from handin.rules import RULES

    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        file = re.split(r":|, ", finding.place)[0]
        groups.setdefault((finding.rule, finding.status, file), []).append(finding)
    table = Table(box=None, pad_edge=False, show_header=False)
    for group in groups.values():
        first = group[0]
        text = escape(first.message) + (f" (and {len(group) - 1} more like this)" if len(group) > 1 else "")
        places = list(dict.fromkeys(finding.place for finding in group if finding.place))
        if places and first.status != "pass":
            text += f"\n[cyan]{escape(', '.join(places[:PLACES]))}{', …' if len(places) > PLACES else ''}[/]"
        if first.remedy:
            text += f"\n[dim]→ {escape(first.remedy)}[/]"
        table.add_row(f"[{COLOURS[first.status]}]{first.status}[/]", escape(first.rule), text)
    terminal = Console(highlight=False)
    if not terminal.is_terminal:  # a file or a pipe has no edge to wrap at
        terminal = Console(highlight=False, width=200)
    terminal.print(table)
    broken = {status: len({one.rule for one in findings if one.status == status}) for status in COLOURS}
    words = {"fail": "broken", "cannot tell": "for you to judge", "note": "with a note"}
    told = [f"{broken[status]} {what}" for status, what in words.items() if broken[status]]
    terminal.print(f"\n{len(RULES)} rules: {', '.join(told) or 'all kept'}")
