"""What `_quarto.yml` says: which documents, by whom, and what the course asks of them, read once.

Whatever else stands there belongs to Quarto and to the solution, and is left alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from handin.errors import HandinError, Place, as_text, near, raise_all
from handin.yaml_lines import Located

CONFIG = "_quarto.yml"
# Letters with their accents, digits and ._- are allowed in file names everywhere.
LOGIN = re.compile(r"[A-Za-z0-9À-ÖØ-öø-ɏ][A-Za-z0-9À-ÖØ-öø-ɏ._-]{0,63}")
# Where nothing is banned: the tool, and what is not handed in.
NOT_THE_SOLUTION = ("code/handin/", "tests/", "benchmarks/", "data/")
SOURCES = (".qmd", ".py", ".csv")  # an output folder of another name than `_output` holds no such files
# What is not packed: tests and pages about the tool, and of the tool what does not build the documents.
NOT_HANDED_IN = (
    "tests/", "benchmarks/", "docs/", "bare/",
    "code/handin/preview/", "code/handin/starter/", "code/handin/rehearse.py",
)  # fmt: skip

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]


def _as_list(value: object) -> object:
    """Quarto takes a single author without the dash of a list."""
    return [value] if isinstance(value, dict) else value


def _hyphens(name: str) -> str:
    return name.replace("_", "-")


class _Block(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", alias_generator=_hyphens, populate_by_name=True
    )


class Author(_Block):
    """One student."""

    name: Text
    login: Text  # ILIAS login

    @field_validator("login")
    @classmethod
    def _fit_for_a_file_name(cls, value: str) -> str:
        text = unicodedata.normalize("NFC", value)
        if not LOGIN.fullmatch(text) or ".." in text or text.endswith("."):
            fault = "cannot be part of a file name: at most 64 letters, digits and . _ - are"
            raise ValueError(f"`{value}` {fault}; write the login that you use in ILIAS")
        return value


class Documents(_Block):
    """The part of Quarto's `project:` block that this tool relies on."""

    render: Annotated[list[Text], Field(min_length=1)]  # documents, relative to the project
    output_dir: Text
    execute_dir: Literal["project"]  # chunks run in the project's folder, whatever file they stand in


class Handin(_Block):
    """What the course asks of a hand-in: the `handin:` block, in which nothing else may stand."""

    model_config = ConfigDict(extra="forbid")

    course: Text
    assignment: Annotated[int, Field(ge=1)]
    archive: Text  # name of the ZIP, with {assignment} and {login}
    page_limit: Annotated[int, Field(ge=1)]  # the report's body stays below
    tasks: Annotated[Texts, Field(min_length=1)]  # numbers of sections and subsections, in order: 1, 1a, …
    example_logins: Texts = ()  # placeholders that are never handed in
    example_names: Texts = ()  # likewise
    optional_tasks: Texts = ()  # may be missing in the report
    banned_modules: Texts = ()  # must not be imported by the solution
    banned_names: Texts = ()  # must not be used by the solution: dotted, with `*`
    allowed_names: Texts = ()  # exceptions from `banned-names`, with all below them
    boundary: Texts = ()  # files in which tensors may become arrays and back
    not_solution: Texts = NOT_THE_SOLUTION  # files and folders in which nothing is banned
    left_out: Texts = ()  # further files and folders that are not packed
    stated_by: Text | None = None  # a call of this name states a sentence that must stand in the prose
    quick: dict[str, str] = {}  # environment variables that `handin render --quick` sets

    @field_validator("archive")
    @classmethod
    def _names_one_file(cls, value: str) -> str:
        filled = value.replace("{assignment}", "1").replace("{login}", "me")
        if "{login}" not in value or not re.fullmatch(r"[\w. -]+\.zip", filled):
            raise ValueError(f"`{value}` is no name for a ZIP of each student; write … {{login}}.zip")
        return value

    @field_validator("optional_tasks")
    @classmethod
    def _of_tasks(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        unknown = [task for task in value if task not in info.data.get("tasks", value)]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is not one of the tasks; mend this line, or `handin: tasks`")
        return value

    def is_solution(self, file: str) -> bool:
        """Whether the bans hold in a file."""
        return not within(file, self.not_solution)

    def is_handed_in(self, file: str) -> bool:
        """Whether a file of the project is packed: not what is named so, nor hidden, as `.gitignore` is."""
        hidden = any(part.startswith(".") for part in file.split("/"))
        return not hidden and not within(file, (*NOT_HANDED_IN, *self.left_out))

    def archive_name(self, login: str) -> str:
        """Name of the ZIP that a student hands in."""
        return self.archive.replace("{assignment}", str(self.assignment)).replace("{login}", login)


class Settings(_Block):
    """All of `_quarto.yml` that this tool reads."""

    project: Documents
    author: Annotated[list[Author], BeforeValidator(_as_list), Field(min_length=1, max_length=2)]
    handin: Handin


@dataclass(frozen=True)
class Project:
    """A hand-in project: its folder and its settings."""

    root: Path  # absolute
    settings: Settings
    source: Located  # `_quarto.yml` with the line of every value

    @property
    def authors(self) -> list[Author]:
        return self.settings.author

    @property
    def handin(self) -> Handin:
        return self.settings.handin

    @property
    def documents(self) -> list[str]:
        """The `.qmd` files to render, relative to the root."""
        return list(self.settings.project.render)

    @property
    def output_dir(self) -> Path:
        return self.root / self.settings.project.output_dir

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The settings that every document inherits: all but `project`."""
        return {key: value for key, value in self.source.data.items() if key != "project"}

    def place(self, *key: str | int) -> Place:
        """Where in `_quarto.yml` a setting stands, as in `project.place("handin", "tasks", 0)`."""
        return self.source.place(key)


def find_root(start: Path) -> Path:
    """The nearest folder with a `_quarto.yml`, from `start` upwards.

    Raises:
        HandinError: There is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / CONFIG).is_file():
            return folder
    raise HandinError(
        f"no {CONFIG} in this folder or above it",
        place=Place(start.resolve()),
        remedy="run the command inside the project",
    )


def load_project(root: Path) -> Project:
    """Read and check the project in `root`.

    Raises:
        HandinError: `_quarto.yml` is missing, unreadable or says something that cannot be; the message names
            every fault found, each with its line.
    """
    root = root.resolve()
    try:
        text = as_text((root / CONFIG).read_bytes(), CONFIG)
    except FileNotFoundError:
        raise HandinError(
            f"no {CONFIG} here", place=Place(root), remedy="name the project's folder"
        ) from None
    source = Located(text, CONFIG)
    faults: list[HandinError] = []
    settings = None
    try:
        settings = Settings.model_validate(source.data)
    except ValidationError as error:
        faults += [_fault(detail, source) for detail in error.errors(include_url=False)]
    if settings:
        faults += _document_faults(root, settings, source)
    raise_all(faults)
    assert settings
    return Project(root, settings, source)


def within(file: str, names: tuple[str, ...]) -> bool:
    """Whether a file is one of those named, or stands in a folder that is."""
    return any(file == name or file.startswith(f"{name.rstrip('/')}/") for name in names)


def _document_faults(root: Path, settings: Settings, source: Located) -> Iterator[HandinError]:
    for index, name in enumerate(settings.project.render):
        place = source.place(("project", "render", index))
        if not name.endswith(".qmd") or any(sign in name for sign in "*!?"):
            remedy = "list the documents one by one"
            yield HandinError(f"`{name}` is not the name of one .qmd file", place=place, remedy=remedy)
        elif "/" in name:
            remedy = "move it to the project's folder; what it includes may stay"
            yield HandinError(f"the document `{name}` stands in a folder", place=place, remedy=remedy)
        elif not (root / name).is_file():
            remedy = "mend the name or write the file"
            yield HandinError(f"there is no file `{name}`", place=place, remedy=remedy)
    output, place = Path(settings.project.output_dir), source.place(("project", "output-dir"))
    remedy, folder = "write `output-dir: _output`", (root / output).resolve()
    if output.is_absolute() or ".." in output.parts or root not in folder.parents:
        yield HandinError(f"`{output}` is not a folder inside the project", place=place, remedy=remedy)
    elif output.name != "_output" and (held := [one for one in folder.rglob("*") if one.suffix in SOURCES]):
        problem = f"`{output}` holds sources, which would count no more: {held[0].relative_to(root)}"
        yield HandinError(problem, place=place, remedy=remedy)


def _fault(detail: ErrorDetails, source: Located) -> HandinError:
    """One of pydantic's complaints in words, with the line it is about."""
    key = tuple(detail["loc"])
    name, last = ".".join(map(str, key)), str(key[-1])
    given = detail.get("input")
    problem, place = f"`{name}` is {given!r}", source.place(key)
    # "Input should be a valid integer", say
    remedy = re.sub(r"^\w+ should", f"`{last}` should", detail["msg"]).replace(" after validation", "")
    match detail["type"]:
        case "missing":
            written = map(str, given) if isinstance(given, dict) else ()
            problem, remedy = f"`{name}` is missing", f"add `{last}:`"
            if slip := near(last, written):
                place, remedy = source.place((*key[:-1], slip)), f"did you mean it by `{slip}`?"
        case "extra_forbidden":
            known = [_hyphens(field) for field in Handin.model_fields]
            meant = near(last, known)
            problem = f"`{name}` is not a known setting"
            remedy = f"did you mean `{meant}`?" if meant else f"known are {', '.join(known)}"
        case "value_error":
            told, _, remedy = str(detail["ctx"]["error"]).partition("; ")
            problem = f"`{name}`: {told}"
        case "string_type" if isinstance(given, int | float):
            remedy = f'it must be text: put it in quotes, "{given}"'
        case "list_type" | "tuple_type":
            remedy = "it must be a list: write one `- item` per line, or [a, b]"
    return HandinError(problem, place=place, remedy=remedy)
