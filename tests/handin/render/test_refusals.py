"""Slips that can be found without running a chunk are told with file and line, and nothing is built."""

from pathlib import Path

import pytest
import yaml
from tests.handin.render.conftest import copy_project

from handin.errors import HandinError
from handin.project import load_project
from handin.render.builtin import Builder

SLIPS = yaml.safe_load(Path(__file__).with_name("refusals.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("sources") / "project")
    setup = folder / "sections" / "0-setup.qmd"
    setup.write_text(setup.read_text().replace("import words", "import words, time; time.sleep(60)"))
    return folder


def build(folder: Path) -> None:
    project = load_project(folder)
    Builder(project).render(project.documents)


@pytest.mark.parametrize(("name", "old", "new", "says"), SLIPS, ids=[slip[3] for slip in SLIPS])
def test_what_is_said_of_a_slip(sources: Path, name: str, old: str, new: str, says: str) -> None:
    file = sources / name
    before = file.read_text(encoding="utf-8")
    assert before.count(old) == 1 or not old
    file.write_text(before.replace(old, new) if old else new, encoding="utf-8")
    try:
        with pytest.raises(HandinError) as caught:
            build(sources)
    finally:
        file.write_text(before, encoding="utf-8")
    place, _, words = says.partition(": ")
    if place[0] in "+-":
        place = str(before[: before.index(old)].count("\n") + 1 + int(place))
    place = f"{name}:{place}:" if place.isdecimal() else place
    lines = str(caught.value).replace(f"{sources}/", "").splitlines()
    assert any(line.startswith(place) and words in line for line in lines), lines
    assert not (sources / "_output").exists()
