"""What all tests share: the real documents, built once."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from handin.environment import Mode
from handin.project import Project, load_project
from handin.render.builtin import Builder
from handin.sources import project_files

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_copy(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as a hand-in would hold it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("real")
    for name in project_files(ROOT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return load_project(folder)


@pytest.fixture(scope="session")
def trained() -> Iterator[None]:
    """Networks are taken from the project's store, and kept there: training them takes minutes, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FNN_STORE", str(ROOT / "_store"))
        yield


@pytest.fixture(scope="session")
def documents(real_copy: Project, trained: None) -> Project:
    """The real report and notebook, built once by the built-in renderer, with every claim checked.

    PLAN=quick in the environment makes it a draft of few runs, for work on the tooling.
    """
    draft = os.environ.get("PLAN", "full") != "full"
    Builder(real_copy, mode=Mode(draft=draft)).render(real_copy.documents)
    return real_copy
