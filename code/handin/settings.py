"""The settings in `_quarto.yml` that this tool reads, as one record, and what can be wrong with each.

Whatever else stands there belongs to Quarto, and is left alone but for keys that are a slip of the pen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from handin.errors import HandinError, near
from handin.yaml_lines import Key, Located

LONGEST_LOGIN = 64  # characters
PLACEHOLDERS = ("assignment", "login")  # in `archive`

# Keys that Quarto takes under an author, and ours.
AUTHOR = (
    "name", "login", "id", "number", "email", "url", "orcid", "fax", "phone", "note", "affiliation",
    "affiliations", "degrees", "attributes", "roles", "role", "metadata", "acknowledgements", "corresponding",
    "equal-contributor", "deceased", "given", "family", "literal",
)  # fmt: skip
# Keys of Quarto's, and of the solution's, whose misspelling would go unnoticed.
TOP = (
    "project", "author", "dataset", "handin", "lang", "jupyter", "bibliography", "csl", "citeproc",
    "link-citations", "number-sections", "execute", "format",
)  # fmt: skip
QUARTOS = ("fig-format", "link-bibliography")  # its own, though close to one of these
PROJECT = ("type", "output-dir", "execute-dir", "render", "pre-render", "post-render")
DATASET = ("name", "train", "test", "noise-std", "signal")

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
        if fault := login_fault(value):
            raise ValueError(f"`{value}` {fault}; write the login that you use in ILIAS")
        return value


class Render(_Block):
    """The part of Quarto's `project:` block that this tool relies on."""

    render: Annotated[list[Text], Field(min_length=1)]  # documents, relative to the project
    output_dir: Text
    execute_dir: Literal["project"]  # chunks run in the project's folder, whatever file they stand in


class Handin(_Block):
    """What the course asks of a hand-in: the `handin:` block of the `_quarto.yml` of whoever checks."""

    course: Text
    assignment: Annotated[int, Field(ge=1)]
    archive: Text  # name of the ZIP, with {assignment} and {login}
    page_limit: Annotated[int, Field(ge=1)]  # the report's body stays below
    tasks: Annotated[Texts, Field(min_length=1)]  # numbers of sections and subsections, in order: 1, 1a, …
    example_logins: Texts = ()  # placeholders that are never handed in
    example_names: Texts = ()  # likewise
    optional_tasks: Texts = ()  # may be missing in the report
    task_pages: dict[str, float] = {}  # page budget of top-level tasks, as in {"1": 2, "2": 5.5}
    banned_modules: Texts = ()  # must not be imported by the solution
    banned_names: Texts = ()  # must not be used by the solution: dotted, with `*`
    allowed_names: Texts = ()  # exceptions from `banned-names`, with all below them
    boundary: Texts = ()  # files in which tensors may become arrays and back
    not_solution: Texts = ()  # files and folders in which nothing is banned
    handed_out: Texts = ()  # files and folders with what the course handed out
    left_out: Texts = ()  # files and folders that are not packed
    handed_out_forms: Texts = ()  # no setting: digests of what stands in `handed_out`
    clean_store: Text | None = None  # the command that `handin clean --store` runs, in the project's folder
    chunk_seconds: Annotated[int, Field(ge=1)] | None = (
        None  # no chunk may take longer, by the built-in renderer
    )
    quick: dict[str, str] = {}  # environment variables that `handin render --quick` sets

    @field_validator("archive")
    @classmethod
    def _names_one_file(cls, value: str) -> str:
        if fault := archive_fault(value):
            raise ValueError(fault)
        return value

    @field_validator("optional_tasks", "task_pages")
    @classmethod
    def _of_tasks(
        cls, value: tuple[str, ...] | dict[str, float], info: ValidationInfo
    ) -> tuple[str, ...] | dict[str, float]:
        unknown = [task for task in value if task not in info.data.get("tasks", value)]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is not one of the tasks; mend this line, or `handin: tasks`")
        return value

    def is_solution(self, file: str) -> bool:
        """Whether the bans hold in a file."""
        return not within(file, self.not_solution)

    def archive_name(self, login: str) -> str:
        """Name of the ZIP that a student hands in."""
        return self.archive.replace("{assignment}", str(self.assignment)).replace("{login}", login)

    @property
    def archive_pattern(self) -> str:
        """A regular expression for such names, with the group `login`."""
        return re.escape(self.archive_name("\0")).replace(re.escape("\0"), "(?P<login>.+)")


class Settings(_Block):
    """All of `_quarto.yml` that this tool reads; the rest belongs to Quarto and to the solution."""

    project: Render
    author: Annotated[list[Author], BeforeValidator(_as_list), Field(min_length=1, max_length=2)]
    handin: Handin
    lang: Text = "en"


def within(file: str, names: tuple[str, ...]) -> bool:
    """Whether a file is one of those named, or stands in a folder that is."""
    return any(file == name or file.startswith(f"{name.rstrip('/')}/") for name in names)


def unknown_keys(source: Located) -> Iterator[HandinError]:
    """Keys of `_quarto.yml` that nobody reads: all in blocks of ours; elsewhere those that are close to one
    that is absent, since Quarto has many more.
    """
    data = source.data
    yield from _unknown((), data, TOP, source, close=True)
    yield from _unknown(("project",), data.get("project"), PROJECT, source, close=True)
    yield from _unknown(("dataset",), data.get("dataset"), DATASET, source, close=True)
    known = tuple(_hyphens(field) for field in Handin.model_fields if field != "handed_out_forms")
    yield from _unknown(("handin",), data.get("handin"), known, source)
    authors = data.get("author")
    if isinstance(authors, Mapping):
        yield from _unknown(("author",), authors, AUTHOR, source)
    for number, author in enumerate(authors if isinstance(authors, list) else ()):
        yield from _unknown(("author", number), author, AUTHOR, source)


def _unknown(
    key: Key, block: Any, known: tuple[str, ...], source: Located, *, close: bool = False
) -> Iterator[HandinError]:
    for name in block if isinstance(block, Mapping) else ():
        if name in known or (close and name in QUARTOS):
            continue
        meant = near(str(name), [one for one in known if one not in block] if close else known)
        if meant or not close:
            shown = ".".join(str(part) for part in (*key, name))
            remedy = f"did you mean `{meant}`?" if meant else f"known are {', '.join(known)}"
            yield HandinError(
                f"`{shown}` is not a known setting", place=source.place((*key, name)), remedy=remedy
            )


def archive_fault(name: str) -> str:
    """Why a text cannot name the ZIP of each student; empty where it can."""
    for placeholder in re.findall(r"\{([^}]*)\}", name):
        if placeholder not in PLACEHOLDERS:
            meant = near(placeholder, PLACEHOLDERS)
            hint = f"did you mean {{{meant}}}?" if meant else "known are {assignment} and {login}"
            return f"there is no {{{placeholder}}}; {hint}"
    if "{login}" not in name or not name.endswith(".zip"):
        return f"`{name}` is no name for a ZIP of each student; write … {{login}}.zip"
    if re.search(r'[/\\:*?"<>|]', name):
        return f"`{name}` holds a sign that no file name can have; leave it out"
    return ""


def login_fault(login: str) -> str:
    """Why a login cannot be part of a file name; empty where it can.

    Latin letters (umlauts too), digits and ``. _ -`` are allowed, as they are on every file system.
    """
    text = unicodedata.normalize("NFC", login)
    if not text:
        return "is empty"
    if len(text) > LONGEST_LOGIN:
        return f"has {len(text)} characters, more than {LONGEST_LOGIN}"
    for sign in text:
        latin = sign.isalpha() and unicodedata.name(sign, "").startswith("LATIN ")
        if not (latin or sign in "0123456789._-"):
            shown = sign if sign.isprintable() and not sign.isspace() else f"U+{ord(sign):04X}"
            return f"holds {unicodedata.name(sign, 'a control character').lower()} ({shown})"
    if not text[0].isalnum() or ".." in text or text.endswith("."):
        return "begins with a sign, ends with a dot or holds two dots"
    return ""
