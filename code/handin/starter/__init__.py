"""A new project that builds, tests and packs from its first minute and carries this tool along.

What is particular to an assignment comes from `template/`; the tool, the look of the documents, the pinned
versions and the Makefile are copied from the project that this tool stands in.
"""

from __future__ import annotations

import json
import keyword
import os
import re
import string
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from handin.errors import HandinError, Place, unwritable
from handin.project import CONFIG, load_project, within
from handin.sources import project_files

TOOL_PROJECT = Path(__file__).resolve().parents[3]
TEMPLATE = Path(__file__).parent / "template"
COPIED = (
    "Makefile", "constraints.txt", "_environment", ".gitignore", "templates", "code/handin",
    *(f"docs/{page}.md" for page in ("writing", "quarto", "memory", "rules", "editors", "faults")),
)  # fmt: skip
BARE = "bare"  # folder of sections that answer an assignment in the shortest way
PART = """\
::: {.content-visible unless-meta="notebook"}
What was asked, what was done, and what came of it; the notebook shows the code instead of these words.
:::"""
TASK = re.compile(r"(?P<number>\d+)(?P<part>[a-z]?)(\s+(?P<title>\S.*))?")
AUTHOR = re.compile(r"(?P<name>[^<>]*[^<>\s])\s*<\s*(?P<login>[^<>]*[^<>\s])\s*>")


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
    return names


def bare() -> Iterator[tuple[str, bytes]]:
    """This project with the sections in its folder `bare/` in the place of its own.

    Raises:
        HandinError: It has no such folder.
    """
    own = ("report.qmd", "notebook.qmd", "sections", BARE, "benchmarks", "docs/page.png")
    names = project_files(TOOL_PROJECT, load_project(TOOL_PROJECT).settings.project.output_dir)
    sections = [name.removeprefix(f"{BARE}/") for name in names if within(name, (BARE,))]
    if not sections:
        raise HandinError(f"this project has no folder {BARE}/", remedy="leave out --bare")
    yield from ((name, (TOOL_PROJECT / name).read_bytes()) for name in names if not within(name, own))
    yield from ((f"sections/{name}", (TOOL_PROJECT / BARE / name).read_bytes()) for name in sections)
    title = (
        (TOOL_PROJECT / "report.qmd").read_text(encoding="utf-8").partition("title: ")[2].partition("\n")[0]
    )
    for document in ("report.qmd", "notebook.qmd"):
        yield document, _fill(document, title=title, includes=_includes(sections)).encode()


def filled(
    course: str, number: str, title: str, tasks: str, author: str, archive: str, ban: str, require: str,
    package: str,
) -> Iterator[tuple[str, bytes]]:  # fmt: skip
    """The tool of this project, and every file of the template, filled in with what a person says.

    Args:
        tasks: In order, as in `1 Implement it; 1a The class; 1b; 2 Experiments`.
        author: Names and logins, as in `Ada Lovelace <alovelac>, Grace Hopper <ghopper>`.
        archive: Name of the ZIP, with {assignment} and {login}.
        ban: Modules that the solution must not import, with commas.
        require: Packages that it needs, with commas.

    Raises:
        HandinError: Tasks, authors or package cannot be read; the rest is judged as a setting.
    """
    taken = {"handin", "tests", *keyword.kwlist, *sys.stdlib_module_names, *metadata.packages_distributions()}
    if not package.isidentifier() or package in taken:
        remedy = "use letters and _, and no name of Python or of an installed package"
        raise HandinError(f"`{package}` is no name for a package of yours", remedy=remedy)
    for name in project_files(TOOL_PROJECT):
        if within(name, COPIED):
            yield name, (TOOL_PROJECT / name).read_bytes()
    titles = _titles(tasks)
    sections = {"0-setup.qmd": _fill("sections/0-setup.qmd", package=package)}
    for task, heading in titles.items():
        if task.isdigit():
            slug = re.sub(r"[^a-z0-9]+", "-", heading.lower())[:30].strip("-") or "task"
            sections[f"{task}-{slug}.qmd"] = _section(task, titles, package)
    blocks = re.split(r"^(?=\w)", (TOOL_PROJECT / CONFIG).read_text(encoding="utf-8"), flags=re.MULTILINE)
    ours = [block for block in blocks if not block.startswith(("author:", "dataset:", "handin:"))]
    values = {
        "course": _quoted(course),
        "number": number,
        "title": _quoted(title),
        "heading": title,
        "archive": _quoted(archive),
        "description": _quoted(f"Hand-in: {title}"),
        "package": package,
        "tasks": _quoted(list(titles)),
        "banned": _quoted(_several(ban)),
        "authors": _authors(author),
        "includes": _includes(sections),
        "requirements": _requirements(_several(require)),
        "project": "".join(block for block in ours if block.startswith(("#", "project:"))).strip(),
        "look": "".join(block for block in ours if not block.startswith(("#", "project:"))).strip(),
    }
    for path in sorted(TEMPLATE.rglob("*.tmpl")):
        name = path.relative_to(TEMPLATE).as_posix().removesuffix(".tmpl")
        if not name.startswith("sections/"):
            yield name.replace("package", package), _fill(name, **values).encode()
    yield from ((f"sections/{name}", text.encode()) for name, text in sections.items())


def _titles(text: str) -> dict[str, str]:
    """Number of each task and part → its title."""
    titles: dict[str, str] = {}
    for written in _several(text):
        match = TASK.fullmatch(written)
        number, part = (match["number"], match["part"]) if match else ("", "")
        if match is None or number + part in titles or (part and number not in titles):
            remedy = 'write each task once, as in "1 Implement it; 1a The class; 1b; 2 Experiments"'
            raise HandinError(f"`{written}` is no task, or part of none before it", remedy=remedy)
        titles[number + part] = match["title"] or (f"Part {part}" if part else f"Task {number}")
    return titles


def _section(task: str, titles: dict[str, str], package: str) -> str:
    """A section for a task: its heading, a sentence and a chunk, and the headings of its parts."""
    chunk = "sections/first.qmd" if task == next(iter(titles)) else "sections/task.qmd"
    parts = [f"# {titles[task]} {{#sec-{task}}}", _fill(chunk, package=package, number=task)]
    for part, title in titles.items():
        if part[:-1] == task:
            parts.append(f"## {title} {{#sec-{part}}}\n\n{PART}")
    return "\n\n".join(text.strip() for text in parts) + "\n"


def _authors(text: str) -> str:
    """Lines of the block `author:`."""
    lines = []
    for written in _several(text):
        match = AUTHOR.fullmatch(written)
        if match is None:
            raise HandinError(f"`{written}` is no author", remedy='write "Ada Lovelace <alovelac>"')
        lines += [f"  - name: {_quoted(match['name'])}", f"    login: {_quoted(match['login'])}"]
    return "\n".join(lines)


def _requirements(packages: Iterable[str]) -> str:
    """Lines of `dependencies`: what the solution needs, as pinned here, then what the tool needs."""
    pins = (TOOL_PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0].lower(): line for line in pins}
    ours = "".join(f"    {_quoted(pinned.get(name.lower(), name))},\n" for name in packages)
    text = (TOOL_PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    _, mark, tool = text.partition("    # the documents")
    return ours + mark + tool.partition("\n]")[0]


def _includes(sections: Iterable[str]) -> str:
    return "\n\n".join(f"{{{{< include sections/{name} >}}}}" for name in sections)


def _several(text: str) -> list[str]:
    """What stands between commas or semicolons."""
    return [part.strip() for part in re.split(r"[;,\n]", text) if part.strip()]


def _fill(name: str, **values: str) -> str:
    return string.Template((TEMPLATE / f"{name}.tmpl").read_text(encoding="utf-8")).substitute(values)


def _quoted(value: object) -> str:
    """As JSON, which is YAML and TOML as well."""
    return json.dumps(value, ensure_ascii=False)
