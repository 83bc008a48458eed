"""What `_quarto.yml` says: which documents, by whom, and what the course asks of them."""

from __future__ import annotations

import difflib
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

from handin.errors import HandinError, Place
from handin.yaml_lines import Located

CONFIG = "_quarto.yml"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _as_list(value: object) -> object:
    """Quarto takes a single author without the dash of a list."""
    return [value] if isinstance(value, dict) else value


def _hyphens(name: str) -> str:
    return name.replace("_", "-")


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=_hyphens)


class Author(_Block):
    """One student."""

    name: Text
    login: Text  # ILIAS login


class Render(_Block):
    """The part of Quarto's `project:` block that this tool relies on."""

    render: Annotated[list[Text], Field(min_length=1)]  # documents, relative to the project
    output_dir: Text
    execute_dir: Literal["project"]  # chunks run in the project's folder, whatever file they stand in


class Handin(_Block):
    """What the course asks of a hand-in. An unknown key is an error: a typing mistake must not pass."""

    model_config = ConfigDict(extra="forbid")

    course: Text
    assignment: Annotated[int, Field(ge=1)]
    archive: Text  # name of the ZIP, with {assignment} and {login}
    page_limit: Annotated[int, Field(ge=1)]  # the report stays below
    tasks: Annotated[list[Text], Field(min_length=1)]  # numbers of sections and subsections, in order
    example_logins: list[Text] = []  # placeholders that are never handed in
    example_names: list[Text] = []  # likewise
    optional_tasks: list[Text] = []  # may be missing in the report
    task_pages: dict[str, float] = {}  # page budget of top-level tasks, as in {"1": 2, "2": 5.5}
    banned_modules: list[Text] = ["numpy"]  # must not be imported by the solution
    banned_names: list[Text] | None = None  # dotted, with `*`; by default the layers of torch.nn, and vmap
    allowed_names: list[Text] | None = None  # exceptions from `banned-names`
    boundary: list[Text] = []  # files in which tensors may become arrays and back
    not_solution: list[Text] = []  # files and folders in which nothing is banned

    @field_validator("optional_tasks", "task_pages")
    @classmethod
    def _of_tasks(
        cls, value: list[str] | dict[str, float], info: ValidationInfo
    ) -> list[str] | dict[str, float]:
        unknown = [task for task in value if task not in info.data.get("tasks", value)]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is not one of the tasks")
        return value


class Settings(_Block):
    """All of `_quarto.yml` that this tool reads; the rest belongs to Quarto and to the solution."""

    project: Render
    author: Annotated[list[Author], BeforeValidator(_as_list), Field(min_length=1, max_length=2)]
    handin: Handin
    lang: Text = "en"


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

    @property
    def figures_dir(self) -> Path:
        return self.root / "figures"

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
    path = root / CONFIG
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise HandinError(
            f"no {CONFIG} here", place=Place(root), remedy="name the project's folder"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise HandinError("not UTF-8 text", place=Place(CONFIG, line), remedy="save it as UTF-8") from error
    source = Located(text, CONFIG)
    try:
        settings = Settings.model_validate(source.data)
    except ValidationError as error:
        faults = [_fault(detail, source) for detail in error.errors(include_url=False)]
        first, *others = sorted(
            faults, key=lambda fault: fault.place.line if fault.place and fault.place.line else 0
        )
        more = "".join(f"\n{fault}" for fault in others)
        raise HandinError(first.problem, place=first.place, remedy=first.remedy + more) from None
    _check_documents(root, settings, source)
    return Project(root, settings, source)


def _check_documents(root: Path, settings: Settings, source: Located) -> None:
    for index, name in enumerate(settings.project.render):
        place = source.place(("project", "render", index))
        if not name.endswith(".qmd") or any(sign in name for sign in "*!?"):
            raise HandinError(
                f"`{name}` is not the name of one .qmd file",
                place=place,
                remedy="list the documents one by one",
            )
        if not (root / name).is_file():
            raise HandinError(
                f"there is no file `{name}`", place=place, remedy="mend the name or write the file"
            )
    output = settings.project.output_dir
    if not (root / output).resolve().is_relative_to(root) or (root / output).resolve() == root:
        raise HandinError(
            f"`{output}` is not a folder inside the project",
            place=source.place(("project", "output-dir")),
            remedy="write `output-dir: _output`",
        )


def _fault(detail: ErrorDetails, source: Located) -> HandinError:
    """One of pydantic's complaints in words, with the line it is about."""
    key = tuple(detail["loc"])
    name = ".".join(str(part) for part in key)
    place = source.place(key)
    given = detail.get("input")
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            problem, remedy = f"`{name}` is missing", f"add `{key[-1]}:`"
        case "extra_forbidden":
            known = [_hyphens(field) for field in Handin.model_fields]
            near = difflib.get_close_matches(str(key[-1]), known, n=1)
            problem = f"`{name}` is not a known setting"
            remedy = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"
        case "string_type" if isinstance(given, int | float):
            problem, remedy = f"`{name}` must be text, not the number {given}", f'put it in quotes: "{given}"'
        case "string_type":
            problem, remedy = f"`{name}` must be text", f"give `{key[-1]}:` one value"
        case "string_too_short":
            problem, remedy = f"`{name}` is empty", "fill it in"
        case "list_type":
            problem, remedy = f"`{name}` must be a list", "write one `- item` per line, or [a, b]"
        case "too_short":
            problem, remedy = f"`{name}` is an empty list", "name at least one"
        case "too_long":
            problem = f"`{name}` holds {context.get('actual_length')} entries"
            remedy = f"keep at most {context.get('max_length')}"
        case "model_type" | "model_attributes_type" | "dict_type":
            problem, remedy = (
                f"`{name}` must be a block of settings, not {given!r}",
                "indent its settings below it",
            )
        case "literal_error":
            problem, remedy = f"`{name}` is {given!r}", f"write {context.get('expected')}"
        case "int_type" | "int_parsing":
            problem, remedy = (
                f"`{name}` must be a whole number, not {given!r}",
                "write a number without quotes",
            )
        case "greater_than_equal":
            problem, remedy = f"`{name}` is {given}", f"it must be at least {context.get('ge')}"
        case "value_error":
            problem, remedy = f"`{name}`: {context.get('error')}", "mend this line, or `handin: tasks`"
        case _:
            problem, remedy = f"`{name}`: {detail['msg'].lower()}", "mend this line"
    return HandinError(problem, place=place, remedy=remedy)
