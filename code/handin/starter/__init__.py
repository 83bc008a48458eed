"""A new assignment: a project that builds, tests and packs from its first minute and carries this tool along.

What is particular to an assignment comes from `template/`; the tool, the look of the documents, the pinned
versions and the Makefile are copied from the project that this tool stands in.
"""

from __future__ import annotations

import json
import keyword
import os
import re
import string
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from handin.errors import HandinError, Place, unwritable
from handin.project import CONFIG, archive_fault, load_project, login_fault, within
from handin.sources import project_files

TOOL_PROJECT = Path(__file__).resolve().parents[3]
TEMPLATE = Path(__file__).parent / "template"
COPIED = (
    "Makefile", "constraints.txt", "_environment", ".gitignore",
    "templates", "code/handin",
    *(f"docs/{page}.md" for page in ("writing", "quarto", "memory", "rules", "editors", "faults")),
)  # fmt: skip
BARE = "bare"  # folder of sections that answer an assignment in the shortest way
PART = """\
::: {.content-visible unless-meta="notebook"}
What was asked, what was done, and what came of it; the notebook shows the code instead of these words.
:::"""
TASK = re.compile(r"(?P<number>\d+(?P<part>[a-z]?))(\s+(?P<title>\S.*))?")
AUTHOR = re.compile(r"(?P<name>[^<>]*[^<>\s])\s*<\s*(?P<login>[^<>]*[^<>\s])\s*>")


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

    @classmethod
    def read(
        cls, *, course: str, number: str, title: str, tasks: str, author: str, archive: str, ban: str,
        require: str, package: str,
    ) -> Assignment:  # fmt: skip
        """What a person says it is about.

        Raises:
            HandinError: It cannot be.
        """
        return cls(
            course, read_number(number), title, read_tasks(tasks), read_authors(author),
            read_archive(archive), read_package(package), several(ban), several(require),
        )  # fmt: skip


def read_tasks(text: str) -> tuple[Task, ...]:
    """Tasks as a person writes them: `1 Implement it; 1a The class; 1b; 2 Experiments`.

    Raises:
        HandinError: One of them is no task, comes twice, or is part of no task.
    """
    tasks: dict[str, Task] = {}
    for written in several(text):
        match = TASK.fullmatch(written)
        if match is None:
            remedy = 'write tasks as in "1 Implement it; 1a The class; 1b; 2 Experiments"'
            raise HandinError(f"`{written}` is no task", remedy=remedy)
        number, part = match["number"], match["part"]
        if number in tasks:
            raise HandinError(f"task {number} comes twice", remedy="name each task once")
        if part and number[:-1] not in tasks:
            raise HandinError(f"{number} is part of no task", remedy=f"name {number[:-1]} before it")
        default = f"Part {part}" if part else f"Task {number}"
        tasks[number] = Task(number, match["title"] or default)
    if not tasks:
        raise HandinError("there is no task", remedy="name at least one")
    return tuple(tasks.values())


def read_authors(text: str) -> tuple[tuple[str, str], ...]:
    """Names and logins, as in `Ada Lovelace <alovelac>, Grace Hopper <ghopper>`.

    Raises:
        HandinError: There is another thing in it.
    """
    authors = []
    for written in several(text):
        match = AUTHOR.fullmatch(written)
        if match is None:
            raise HandinError(f"`{written}` is no author", remedy='write "Ada Lovelace <alovelac>"')
        if fault := login_fault(match["login"]):
            raise HandinError(f"`{match['login']}` {fault}", remedy="write the login that you use in ILIAS")
        authors.append((match["name"], match["login"]))
    return tuple(authors)


def read_number(text: str) -> int:
    """The number of an assignment.

    Raises:
        HandinError: It is none.
    """
    if not re.fullmatch(r"[1-9]\d*", text.strip()):
        raise HandinError(f"`{text}` is no number of an assignment", remedy="write 2, say")
    return int(text)


def read_archive(name: str) -> str:
    """The name of the ZIP, with {login} and perhaps {assignment}.

    Raises:
        HandinError: It cannot be one.
    """
    if fault := archive_fault(name):
        raise HandinError(fault)
    return name


def read_package(name: str) -> str:
    """The name of the solution's package.

    Raises:
        HandinError: No package can have this name.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name in ("handin", "code", "tests"):
        raise HandinError(f"`{name}` is no name for a package of yours", remedy="use letters and _")
    return name


def several(text: str) -> tuple[str, ...]:
    """What stands between commas or semicolons."""
    return tuple(part.strip() for part in re.split(r"[;,\n]", text) if part.strip())


# What reads an answer, by the option of `handin init`.
READERS: Mapping[str, Callable[[str], object]] = {
    "number": read_number,
    "tasks": read_tasks,
    "author": read_authors,
    "archive": read_archive,
    "package": read_package,
}


def create(folder: Path, files: Iterable[tuple[str, bytes]]) -> list[str]:
    """Write a project; it is there as a whole or not at all.

    Args:
        folder: Where; a folder that is empty or not there.
        files: Name and content of each.

    Returns:
        Its files.

    Raises:
        HandinError: The folder holds something already, a setting cannot be, or nothing can be written.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HandinError("there is something already", place=Place(folder), remedy="name a new folder")
    names = []
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            new = Path(scratch, "project")
            for name, content in files:
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(content)
                names.append(name)
            load_project(new)  # says what cannot be, before anything is in its place
            os.replace(new, folder)
    except OSError as error:
        raise unwritable(error, folder) from error
    return sorted(names)


def bare() -> Iterator[tuple[str, bytes]]:
    """This project with the sections in its folder `bare/` in the place of its own.

    Raises:
        HandinError: It has no such folder.
    """
    own = ("report.qmd", "notebook.qmd", "sections", BARE, "benchmarks", "docs/page.png")
    names = project_files(TOOL_PROJECT)
    sections = [name.removeprefix(f"{BARE}/") for name in names if within(name, (BARE,))]
    if not sections:
        raise HandinError(f"this project has no folder {BARE}/", remedy="leave out --bare")
    for name in names:
        if not within(name, own):
            yield name, (TOOL_PROJECT / name).read_bytes()
    title = re.search(r"^title: (.*)$", (TOOL_PROJECT / "report.qmd").read_text(encoding="utf-8"), re.M)
    for document in ("report.qmd", "notebook.qmd"):
        yield (
            document,
            _fill(document, title=title[1] if title else "", includes=_includes(sections)).encode(),
        )
    for name in sections:
        yield f"sections/{name}", (TOOL_PROJECT / BARE / name).read_bytes()


def filled(assignment: Assignment) -> Iterator[tuple[str, bytes]]:
    """The tool of this project, and every file of the template, filled in."""
    for name in project_files(TOOL_PROJECT):
        if within(name, COPIED):
            yield name, (TOOL_PROJECT / name).read_bytes()
    sections = {"0-setup.qmd": _fill("sections/0-setup.qmd", package=assignment.package)}
    for task in (task for task in assignment.tasks if not task.is_part):
        sections[f"{task.number}-{_slug(task.title)}.qmd"] = _section(task, assignment)
    settings = (TOOL_PROJECT / CONFIG).read_text(encoding="utf-8")
    values = {
        "course": _quoted(assignment.course),
        "number": str(assignment.number),
        "title": _quoted(assignment.title),
        "heading": assignment.title,
        "archive": _quoted(assignment.archive),
        "description": _quoted(f"Hand-in: {assignment.title}"),
        "package": assignment.package,
        "tasks": _quoted([task.number for task in assignment.tasks]),
        "banned": _quoted(assignment.banned),
        "authors": "\n".join(
            f"  - name: {_quoted(name)}\n    login: {_quoted(login)}" for name, login in assignment.authors
        ),
        "includes": _includes(sections),
        "requirements": _requirements(assignment),
        "project": settings[: settings.index("\nauthor:")].strip(),
        "look": settings[settings.index("\nlang:") :].strip(),
    }
    for path in sorted(TEMPLATE.rglob("*.tmpl")):
        name = path.relative_to(TEMPLATE).as_posix().removesuffix(".tmpl")
        if not name.startswith("sections/"):
            yield name.replace("package", assignment.package), _fill(name, **values).encode()
    for name, text in sections.items():
        yield f"sections/{name}", text.encode()


def _includes(sections: Iterable[str]) -> str:
    return "\n\n".join(f"{{{{< include sections/{name} >}}}}" for name in sections)


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


def _quoted(value: object) -> str:
    """As JSON, which is YAML and TOML as well."""
    return json.dumps(value, ensure_ascii=False)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:30].strip("-") or "task"


def _requirements(assignment: Assignment) -> str:
    """Lines of `dependencies`: what the solution needs, as pinned here, then what the tool needs."""
    pins = (TOOL_PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0].lower(): line for line in pins}
    ours = "".join(f"    {_quoted(pinned.get(name.lower(), name))},\n" for name in assignment.requires)
    text = (TOOL_PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    _, mark, tool = text.partition("    # the documents")
    return ours + mark + tool.partition("\n]")[0]
