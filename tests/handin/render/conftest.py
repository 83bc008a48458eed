"""A small project with every supported construct, fresh for each test that wants to break it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from handin.project import Project, load_project
from handin.render.builtin import Builder

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def copy_project(folder: Path) -> Path:
    shutil.copytree(HERE.parent / "project", folder, ignore=shutil.ignore_patterns("_output", "_build"))
    shutil.copytree(ROOT / "templates", folder / "templates")
    (folder / "figures").mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh copy of the small project."""
    return copy_project(tmp_path / "project")


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str, str], None]:
    """Replaces text in a file of the copy; it must be there once."""

    def replace(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small project, built once by the built-in renderer."""
    project = load_project(copy_project(tmp_path_factory.mktemp("built") / "project"))
    Builder(project).render(project.documents)
    return project
