"""What the course asks of a hand-in: the `handin:` block of the `_quarto.yml` of whoever checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from handin.project import Project

# The layers of `torch.nn`, and `vmap`. Not banned: containers for parameters, and functions that act
# element by element, measure a loss or arrange entries.
BANNED_NAMES = ("torch.nn.*", "*.vmap")
_CONTAINERS = "Parameter Module ParameterList ParameterDict ModuleList ModuleDict Buffer *Loss init utils"
_FUNCTIONS = (
    "elu gelu leaky_relu log_softmax logsigmoid mish relu selu sigmoid silu softmax softplus tanh "
    "cross_entropy l1_loss mse_loss nll_loss one_hot pad"
)
ALLOWED_NAMES = (
    *(f"torch.nn.{name}" for name in _CONTAINERS.split()),
    *(f"torch.nn.functional.{name}" for name in _FUNCTIONS.split()),
    "torch.nn.parameter.Parameter",
)


@dataclass(frozen=True)
class Course:
    """The formal demands of one assignment."""

    assignment: int
    archive: str  # name of the ZIP, with {assignment} and {login}
    page_limit: int  # the report's body stays below, in pages
    tasks: tuple[str, ...]  # section numbers in order: "1", "1a", …
    name: str = ""  # of the course
    optional_tasks: tuple[str, ...] = ()  # may be missing
    task_pages: Mapping[str, float] = field(default_factory=dict)  # budget per top-level task, in pages
    example_logins: tuple[str, ...] = ()  # placeholders, never handed in
    example_names: tuple[str, ...] = ()  # placeholders, never handed in
    banned_modules: tuple[str, ...] = ("numpy",)
    banned_names: tuple[str, ...] = BANNED_NAMES  # dotted, with `*`
    allowed_names: tuple[str, ...] = ALLOWED_NAMES  # exceptions from banned_names, with all below them
    boundary: tuple[str, ...] = ()  # files in which tensors may become arrays and back
    not_solution: tuple[str, ...] = ()  # files and folders in which nothing is banned

    @classmethod
    def of(cls, project: Project) -> Course:
        """The course that the project's settings describe."""
        block = project.handin
        return cls(
            assignment=block.assignment,
            archive=block.archive,
            page_limit=block.page_limit,
            tasks=tuple(block.tasks),
            name=block.course,
            optional_tasks=tuple(block.optional_tasks),
            task_pages=dict(block.task_pages),
            example_logins=tuple(block.example_logins),
            example_names=tuple(block.example_names),
            banned_modules=tuple(block.banned_modules),
            banned_names=BANNED_NAMES if block.banned_names is None else tuple(block.banned_names),
            allowed_names=ALLOWED_NAMES if block.allowed_names is None else tuple(block.allowed_names),
            boundary=tuple(block.boundary),
            not_solution=tuple(block.not_solution),
        )

    def is_solution(self, file: str) -> bool:
        """Whether the bans hold in a file."""
        return not any(file == name or file.startswith(f"{name.rstrip('/')}/") for name in self.not_solution)

    def archive_name(self, login: str) -> str:
        """Name of the ZIP that a student hands in."""
        return self.archive.replace("{assignment}", str(self.assignment)).replace("{login}", login)

    @property
    def archive_pattern(self) -> str:
        """A regular expression for such names, with the group `login`."""
        return re.escape(self.archive_name("\0")).replace(re.escape("\0"), "(?P<login>.+)")
