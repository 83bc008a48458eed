"""What `_quarto.yml` says: which documents, by whom, and what the course asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from handin.errors import HandinError, Place, raise_all
from handin.settings import Author, Handin, Settings, unknown_keys
from handin.yaml_lines import Located

__all__ = ["CONFIG", "Author", "Handin", "Project", "find_root", "load_project"]

CONFIG = "_quarto.yml"


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
    faults = list(unknown_keys(source))
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


def _document_faults(root: Path, settings: Settings, source: Located) -> Iterator[HandinError]:
    for index, name in enumerate(settings.project.render):
        place = source.place(("project", "render", index))
        if not name.endswith(".qmd") or any(sign in name for sign in "*!?"):
            remedy = "list the documents one by one"
            yield HandinError(f"`{name}` is not the name of one .qmd file", place=place, remedy=remedy)
        elif not (root / name).is_file():
            remedy = "mend the name or write the file"
            yield HandinError(f"there is no file `{name}`", place=place, remedy=remedy)
    output = settings.project.output_dir
    if not (root / output).resolve().is_relative_to(root) or (root / output).resolve() == root:
        place = source.place(("project", "output-dir"))
        remedy = "write `output-dir: _output`"
        yield HandinError(f"`{output}` is not a folder inside the project", place=place, remedy=remedy)


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
        case "string_type" if isinstance(given, int | float):
            problem, remedy = f"`{name}` must be text, not the number {given}", f'put it in quotes: "{given}"'
        case "string_type":
            problem, remedy = f"`{name}` must be text", f"give `{key[-1]}:` one value"
        case "string_too_short":
            problem, remedy = f"`{name}` is empty", "fill it in"
        case "list_type" | "tuple_type":
            problem, remedy = f"`{name}` must be a list", "write one `- item` per line, or [a, b]"
        case "too_short":
            problem, remedy = f"`{name}` is an empty list", "name at least one"
        case "too_long":
            problem = f"`{name}` holds {context.get('actual_length')} entries"
            remedy = f"keep at most {context.get('max_length')}"
        case "model_type" | "model_attributes_type" | "dict_type":
            problem = f"`{name}` must be a block of settings, not {given!r}"
            remedy = "indent its settings below it"
        case "literal_error":
            problem, remedy = f"`{name}` is {given!r}", f"write {context.get('expected')}"
        case "int_type" | "int_parsing":
            problem = f"`{name}` must be a whole number, not {given!r}"
            remedy = "write a number without quotes"
        case "greater_than_equal":
            problem, remedy = f"`{name}` is {given}", f"it must be at least {context.get('ge')}"
        case "value_error":
            problem, _, remedy = str(context.get("error")).partition("; ")
            problem = f"`{name}`: {problem}"
        case _:
            problem, remedy = f"`{name}`: {detail['msg'].lower()}", "mend this line"
    return HandinError(problem, place=place, remedy=remedy)
