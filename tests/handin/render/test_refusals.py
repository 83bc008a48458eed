"""Slips that can be found without running a chunk are told with file and line, and nothing is built."""

from pathlib import Path

import pytest
import yaml
from tests.handin.render.conftest import copy_project, render_made_up

from handin.errors import HandinError

SLIPS = yaml.safe_load(Path(__file__).with_name("refusals.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("sources") / "project")


@pytest.mark.parametrize(("name", "old", "new", "says"), SLIPS, ids=[slip[3] for slip in SLIPS])
def test_what_is_said_of_a_slip(sources: Path, name: str, old: str, new: str, says: str) -> None:
    file = sources / name
    before = file.read_text(encoding="utf-8")
    assert before.count(old) == 1 or not old
    file.write_text(before.replace(old, new) if old else new, encoding="utf-8")
    try:
        with pytest.raises(HandinError) as caught:
            render_made_up(sources)
    finally:
        file.write_text(before, encoding="utf-8")
    place, _, words = says.partition(": ")
    if place[0] in "+-":
        place = str(before[: before.index(old)].count("\n") + 1 + int(place))
    place = f"{name}:{place}:" if place.isdecimal() else place
    lines = str(caught.value).replace(f"{sources}/", "").splitlines()
    assert any(line.startswith(place) and words in line for line in lines), lines
    assert not (sources / "_output").exists()
