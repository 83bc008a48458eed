"""`handin init`: asks for what no option says, writes the project, says what comes next."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from handin.errors import HandinError
from handin.project import archive_fault, login_fault
from handin.starter import Assignment, check_package, create, read_tasks

AUTHOR = re.compile(r"(?P<name>[^<>]*[^<>\s])\s*<(?P<login>[^<>]+)>")

# Setting → what is asked at a terminal, and the answer where nobody can be asked.
QUESTIONS = {
    "course": ("Course", "Deep Learning (FSS24)"),
    "number": ("Number of the assignment", "2"),
    "title": ("Title of the report", "Assignment {number}"),
    "tasks": ("Tasks, as in “1 Implement it; 1a The class; 1b; 2 Experiments”", "1; 1a; 1b; 2"),
    "authors": ("Author, as “Name <login>”; for a pair two, with a comma", "Ada Lovelace <alovelac>"),
    "archive": ("Name of the ZIP", "dl24-{assignment}-{login}.zip"),
    "banned": ("Modules that the solution must not import, with commas", ""),
    "requires": ("Packages that the solution needs, as torch, with commas", ""),
    "package": ("Name of the solution's package", "solution"),
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--course", help="The course's name.")
@click.option("--number", type=click.IntRange(1), help="Of the assignment.")
@click.option("--title", help="Of the report.")
@click.option("--tasks", help='In order, as in "1 Implement it; 1a The class; 1b; 2 Experiments".')
@click.option("--author", "authors", multiple=True, help='"Name <login>"; twice for a pair.')
@click.option("--archive", help='Name of the ZIP, as in "dl24-{assignment}-{login}.zip".')
@click.option("--ban", "banned", multiple=True, help="A module that the solution must not import.")
@click.option("--require", "requires", multiple=True, help="A package that the solution needs, as torch.")
@click.option("--package", help="Name of the solution's package in code/.")
def command(folder: Path, **given: Any) -> None:
    """Start a new assignment in FOLDER, with all that `make` needs.

    What no option says is asked at a terminal, and an example elsewhere. Nothing is overwritten.
    """
    start(folder, given)


def start(folder: Path, given: dict[str, Any]) -> None:
    """Write a new project to `folder`.

    Raises:
        HandinError: See `handin.starter.create`.
    """
    answers: dict[str, Any] = {name: value for name, value in given.items() if value}
    for name, (question, usual) in QUESTIONS.items():
        if name not in answers:
            usual = usual.replace("{number}", str(answers.get("number", "")))
            answers[name] = _ask(name, question, usual) if at_a_terminal() else usual
    assignment = Assignment(
        course=answers["course"],
        number=_number(answers["number"]),
        title=answers["title"],
        tasks=read_tasks(answers["tasks"]),
        authors=_authors(answers["authors"]),
        archive=answers["archive"],
        package=answers["package"],
        banned=_several(answers["banned"]),
        requires=_several(answers["requires"]),
    )
    files = create(folder, assignment)
    sections = [name for name in files if name.startswith("sections/")]
    click.echo(f"{folder}: {len(files)} files, {len(sections)} of them sections")
    click.echo(f"next:  cd {shlex.quote(str(folder))} && make && make test")


def at_a_terminal() -> bool:
    """Whether there is a person who can be asked."""
    return sys.stdin.isatty()


def _ask(name: str, question: str, usual: str) -> str:
    """What a person answers; an answer that cannot be is told at once, and asked for again."""

    def checked(text: str) -> str:
        try:
            CHECKS.get(name, str)(text)
        except HandinError as error:
            raise click.UsageError(str(error)) from None
        return text

    answer: str = click.prompt(question, default=usual, value_proc=checked)
    return answer


def _several(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """What stands between commas, or came by several options."""
    parts = given.split(",") if isinstance(given, str) else given
    return tuple(part.strip() for part in parts if part.strip())


def _number(given: str | int) -> int:
    if not re.fullmatch(r"[1-9]\d*", str(given).strip()):
        raise HandinError(f"`{given}` is no number of an assignment", remedy="write 2, say")
    return int(given)


def _authors(given: str | tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    matches = [(text, AUTHOR.fullmatch(text)) for text in _several(given)]
    for text, match in matches:
        if match is None:
            raise HandinError(f"`{text}` is no author", remedy='write "Ada Lovelace <alovelac>"')
        if fault := login_fault(match["login"].strip()):
            raise HandinError(f"`{match['login']}` {fault}", remedy="write the login that you use in ILIAS")
    return tuple((match["name"].strip(), match["login"].strip()) for _, match in matches if match)


def _archive(text: str) -> None:
    if fault := archive_fault(text):
        raise HandinError(fault)


# What says at once that an answer cannot be; all else `create` says.
CHECKS: dict[str, Callable[[str], object]] = {
    "number": _number,
    "tasks": read_tasks,
    "authors": _authors,
    "archive": _archive,
    "package": check_package,
}
