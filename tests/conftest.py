"""What all tests share: the real documents, built once for all processes that test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from handin.environment import Mode
from handin.project import Project, load_project
from handin.render.builtin import Builder
from handin.sources import project_files

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of pytest, which its processes (pytest-xdist's workers) share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def real_copy(shared: Path) -> Project:
    """The project in a folder of its own."""
    with FileLock(shared / "real.lock"):
        if not (folder := shared / "real").exists():
            for name in project_files(ROOT):
                (shared / "real.new" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, shared / "real.new" / name)
            (shared / "real.new").rename(folder)
    return load_project(folder)


@pytest.fixture(scope="session")
def trained() -> Iterator[None]:
    """Networks are taken from the project's store, and kept there: training them takes minutes, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FNN_STORE", str(ROOT / "_store"))
        yield


@pytest.fixture(scope="session")
def documents(real_copy: Project, trained: None, shared: Path) -> Project:
    """The real report and notebook, built once by the built-in renderer, with every claim checked.

    PLAN=quick in the environment makes it a draft of few runs, for work on the tooling.
    """
    draft = os.environ.get("PLAN", "full") != "full"
    with FileLock(shared / "documents.lock"):
        if not (shared / "documents-are-built").exists():
            Builder(real_copy, mode=Mode(draft=draft)).render(real_copy.documents)
            (shared / "documents-are-built").touch()
    return real_copy
