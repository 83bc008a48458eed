"""A new assignment: a project that builds, tests and packs from its first minute and carries this tool along.

What is particular to an assignment comes from `template/`; the tool, the look of the documents, the pinned
versions and the Makefile are copied from the project that this tool stands in.
"""

from __future__ import annotations

import ast
import glob
import json
import keyword
import os
import re
import shutil
import string
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from handin.errors import HandinError, Place, unwritable
from handin.files.publish import runs
from handin.project import load_project

TOOL_PROJECT = Path(__file__).resolve().parents[3]
TEMPLATE = Path(__file__).parent / "template"
COPIED = ("Makefile", "constraints.txt", "_environment", "templates", "code/handin")
PART = """\
::: {.content-visible unless-meta="notebook"}
What was asked, what was done, and what came of it; the notebook shows the code instead of these words.
:::"""
UNSEEN = ("ipykernel", "matplotlib")  # what a build needs beside what the tool imports: it runs the chunks
TASK = re.compile(r"(?P<number>\d+(?P<part>[a-z]?))(\s+(?P<title>\S.*))?")


@dataclass(frozen=True)
class Task:
    """A numbered task, `1`, or a part of it, `1a`."""

    number: str
    title: str

    @property
    def is_part(self) -> bool:
        return not self.number.isdigit()


@dataclass(frozen=True)
class Assignment:
    """What the new project is about."""

    course: str
    number: int
    title: str
    tasks: tuple[Task, ...]  # in order
    authors: tuple[tuple[str, str], ...]  # name, login
    archive: str  # name of the ZIP, with {assignment} and {login}
    package: str  # of the solution, in code/
    banned: tuple[str, ...]  # modules
    requires: tuple[str, ...]  # packages that the solution needs


def read_tasks(text: str) -> tuple[Task, ...]:
    """Tasks as a person writes them: `1 Implement it; 1a The class; 1b; 2 Experiments`.

    Raises:
        HandinError: One of them is no task, comes twice, or is part of no task.
    """
    tasks: list[Task] = []
    for written in filter(None, (part.strip() for part in re.split(r"[;,\n]", text))):
        match = TASK.fullmatch(written)
        if match is None:
            raise HandinError(
                f"`{written}` is no task",
                remedy='write tasks as in "1 Implement it; 1a The class; 1b; 2 Experiments"',
            )
        number = match["number"]
        if any(task.number == number for task in tasks):
            raise HandinError(f"task {number} comes twice", remedy="name each task once")
        if match["part"] and not any(task.number == number[:-1] for task in tasks):
            raise HandinError(f"{number} is part of no task", remedy=f"name {number[:-1]} before it")
        default = f"Part {match['part']}" if match["part"] else f"Task {number}"
        tasks.append(Task(number, match["title"] or default))
    if not tasks:
        raise HandinError("there is no task", remedy="name at least one")
    return tuple(tasks)


def check_package(name: str) -> None:
    """Raise a `HandinError` where a package of the solution cannot have this name."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise HandinError(f"`{name}` is no name for a package", remedy="use letters and _")
    if name in ("handin", "code", "tests"):
        raise HandinError(f"`{name}` is taken", remedy="name the package otherwise")


def create(folder: Path, assignment: Assignment) -> list[str]:
    """Write the project; it is there as a whole or not at all.

    Returns:
        Its files, relative to the folder.

    Raises:
        HandinError: The folder holds something already, a setting cannot be, or nothing can be written.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HandinError("there is something already", place=Place(folder), remedy="name a new folder")
    check_package(assignment.package)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _scratch(folder) as scratch:
            new = scratch / folder.name
            _copy_tool(new)
            for name, text in _files(assignment):
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_text(text, encoding="utf-8")
            load_project(new)  # says what cannot be, before anything is in its place
            os.replace(new, folder)
    except OSError as error:
        raise unwritable(error, folder) from error
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder beside this one, named after this process; those that killed processes left are removed."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}-*"):
        process = left.name.rpartition("-")[2]
        if process.isdecimal() and not runs(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    scratch = folder.parent / f".{folder.name}-{os.getpid()}"
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _copy_tool(new: Path) -> None:
    for name in COPIED:
        source, target = TOOL_PROJECT / name, new / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif source.is_file():
            shutil.copyfile(source, target)
        else:
            raise HandinError(
                f"there is no `{name}`",
                place=Place(TOOL_PROJECT),
                remedy="run this tool from the project that it came with",
            )


def _files(assignment: Assignment) -> Iterator[tuple[str, str]]:
    """Name and text of every file of the template, filled in."""
    quoted = json.dumps  # a string of JSON is one of YAML and of TOML
    sections = {"0-setup.qmd": _fill("sections/0-setup.qmd", package=assignment.package)}
    for task in (task for task in assignment.tasks if not task.is_part):
        sections[f"{task.number}-{_slug(task.title)}.qmd"] = _section(task, assignment)
    values = {
        "course": quoted(assignment.course, ensure_ascii=False),
        "number": str(assignment.number),
        "title": quoted(assignment.title, ensure_ascii=False),
        "heading": assignment.title,
        "archive": quoted(assignment.archive),
        "description": quoted(f"Hand-in: {assignment.title}", ensure_ascii=False),
        "package": assignment.package,
        "tasks": quoted([task.number for task in assignment.tasks]),
        "banned": quoted(list(assignment.banned)),
        "authors": "\n".join(
            f"  - name: {quoted(name, ensure_ascii=False)}\n    login: {quoted(login)}"
            for name, login in assignment.authors
        ),
        "includes": "\n\n".join(f"{{{{< include sections/{name} >}}}}" for name in sections),
        "requirements": "\n".join(f"    {quoted(line)}," for line in _requirements(assignment)),
    }
    for path in sorted(TEMPLATE.rglob("*.tmpl")):
        name = path.relative_to(TEMPLATE).as_posix().removesuffix(".tmpl")
        if name.startswith("sections/"):
            continue
        name = name.replace("code/package/", f"code/{assignment.package}/")
        name = {
            "gitignore": ".gitignore",
            "tests/test_package.py": f"tests/test_{assignment.package}.py",
        }.get(name, name)
        yield name, string.Template(path.read_text(encoding="utf-8")).substitute(values)
    for name, text in sections.items():
        yield f"sections/{name}", text


def _section(task: Task, assignment: Assignment) -> str:
    """A section for a task: its heading, a sentence and a chunk, and the headings of its parts."""
    chunk = "sections/first.qmd" if task == assignment.tasks[0] else "sections/task.qmd"
    parts = [f"# {task.title} {{#sec-{task.number}}}"]
    parts.append(_fill(chunk, package=assignment.package, number=task.number))
    for part in assignment.tasks:
        if part.is_part and part.number[:-1] == task.number:
            parts.append(f"## {part.title} {{#sec-{part.number}}}\n\n{PART}")
    return "\n\n".join(text.strip() for text in parts) + "\n"


def _fill(name: str, **values: str) -> str:
    return string.Template((TEMPLATE / f"{name}.tmpl").read_text(encoding="utf-8")).substitute(values)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:30].strip("-") or "task"


def _requirements(assignment: Assignment) -> list[str]:
    """What the tool imports, as its own project demands it, and what the solution needs, as pinned there."""
    with (TOOL_PROJECT / "pyproject.toml").open("rb") as file:
        demanded = {_name(line): line for line in tomllib.load(file)["project"]["dependencies"]}
    pins = [line.strip() for line in (TOOL_PROJECT / "constraints.txt").read_text().splitlines()]
    pinned = {_name(line): line for line in pins if line and not line.startswith("#")}
    of_tool = {_name(name) for name in (*_distributions(), *UNSEEN)} & demanded.keys()
    wanted = {_name(name): name for name in assignment.requires}
    lines = {name: demanded[name] for name in of_tool}
    lines |= {name: pinned.get(name, written) for name, written in wanted.items()}
    return [lines[name] for name in sorted(lines)]


def _distributions() -> set[str]:
    """The packages that the tool's modules import."""
    imported: set[str] = set()
    for path in (TOOL_PROJECT / "code" / "handin").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    known = metadata.packages_distributions()
    return {name for module in imported for name in known.get(module, [])}


def _name(requirement: str) -> str:
    """The name of a package as pip compares it."""
    match = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""
