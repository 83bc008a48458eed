"""A small project with every supported construct, fresh for each test that wants to break it."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest

from handin.project import Project, load_project
from handin.qmd.chunks import Chunk, Prose, expressions
from handin.render import builtin
from handin.render.builtin import Builder
from handin.render.notebook import CellResult, asks

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def copy_project(folder: Path) -> Path:
    shutil.copytree(HERE.parent / "project", folder, ignore=shutil.ignore_patterns("_output", "_build"))
    shutil.copytree(ROOT / "templates", folder / "templates")
    (folder / "figures").mkdir()
    return folder


def render_made_up(folder: Path) -> None:
    """Render as if every chunk had given a box, a small table or nothing, and every inline value were 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "remember", lambda *_: None)
        patch.setattr(builtin, "execute", lambda blocks, *_, **__: made_up(blocks))
        project = load_project(folder)
        Builder(project).render(project.documents)


def made_up(blocks: Sequence[Prose | Chunk]) -> list[CellResult]:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    forms = {"fig-cap": {"image/svg+xml": svg}, "tbl-cap": {"text/markdown": "| a |\n|---|\n| 1 |"}}
    results = []
    for block in filter(asks, blocks):
        if isinstance(block, Chunk):
            data = next((data for option, data in forms.items() if option in block.options), None)
            output = nbformat.from_dict({"output_type": "display_data", "metadata": {}, "data": data})
            results.append(CellResult([output] if data else []))
        else:
            value = {"status": "ok", "data": {"text/plain": "1"}, "metadata": {}}
            results.append(CellResult(values={str(n): value for n in range(len(expressions(block.text)))}))
    return results


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
