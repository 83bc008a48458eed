"""The environment variables under which chunks run: the user's, and those of the file `_environment`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from handin.errors import HandinError, Place, as_text

if TYPE_CHECKING:  # a kernel that reads this module has no use for the rest
    from handin.project import Project

SWITCH = "HANDIN_MEMORY"  # says 1 where the kernels of a render remember
FILE = "_environment"
EPOCH = "SOURCE_DATE_EPOCH"  # the date of the documents
DRAFT = "DRAFT"  # the variable that says 1 in a draft
IMMATERIAL = {SWITCH, "IPYTHONDIR", "PYTHONPATH"}  # the files there count, and folders outside the project
DRAFT_MARK = "handin-draft"  # metadata that makes the templates mark every page
# As Quarto reads it: the value in quotes or without, and perhaps a comment.
ASSIGNMENT = re.compile(
    r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*"
    r"(?:(?P<quote>[\"'])(?P<quoted>.*?)(?P=quote)|(?P<plain>[^#]*?))\s*(?:#.*)?"
)


def read_environment_file(root: Path) -> dict[str, str]:
    """The variables of `_environment`, empty where there is no such file.

    Raises:
        HandinError: A line is neither `NAME=value`, a comment nor blank.
    """
    path = root / FILE
    if not path.is_file():
        return {}
    lines = re.split(r"\r\n?|\n", as_text(path.read_bytes(), FILE))
    variables = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = ASSIGNMENT.fullmatch(line)
        if match is None or "\0" in line:
            raise HandinError("not a variable", place=Place(FILE, number), remedy="write NAME=value")
        name, value = match["name"], match["plain"] or match["quoted"] or ""
        variables[name] = value
    return variables


@dataclass(frozen=True)
class Mode:
    """How to render: a plain Mode() is what can be handed in."""

    draft: bool = False  # mark a false claim and go on: DRAFT=1
    quick: bool = False  # a draft with the variables of `handin: quick:` in _quarto.yml
    memory: bool = True  # take what is remembered

    @property
    def is_draft(self) -> bool:
        return self.draft or self.quick

    def variables(self, project: Project) -> dict[str, str]:
        """What a kernel is told of it."""
        told = {DRAFT: "1" if self.is_draft else "0"}  # a stray DRAFT=1 makes no hand-in
        return told | (project.handin.quick if self.quick else {}) | ({} if self.memory else {SWITCH: "0"})


HAND_IN = Mode()


def environment(project: Project, mode: Mode = HAND_IN) -> dict[str, str]:
    """The variables for a kernel or for Quarto.

    As in Quarto, a variable that the user has set wins over the file; but the project's own code comes first.

    Raises:
        HandinError: The file cannot be read, or the date of the documents is none.
    """
    from_file = read_environment_file(project.root)
    variables = {**from_file, **os.environ}
    if not re.fullmatch(r"\d{1,11}", date := variables.get(EPOCH, "0")):
        problem, remedy = f"`{date}` is no date in seconds since 1970", f"write {EPOCH}=1704067200"
        raise HandinError(problem, place=Place("the shell" if EPOCH in os.environ else FILE), remedy=remedy)
    if "PYTHONPATH" in from_file:
        own = [str(project.root / folder) for folder in from_file["PYTHONPATH"].split(os.pathsep) if folder]
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [*own, os.environ.get("PYTHONPATH")]))
    return variables | mode.variables(project)
