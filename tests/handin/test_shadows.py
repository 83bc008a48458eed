"""What in `PYTHONPATH` takes the place of an installed package, and what does not."""

import os
from pathlib import Path

import pytest

from handin.shadows import OWN, shadows


@pytest.mark.parametrize("name", ["torch/__init__.py", "click.py", "yaml.pyc"])
def test_a_module_of_the_same_name_does(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", str(tmp_path / "none"), str(tmp_path)]))
    top = name.partition("/")[0]
    assert list(shadows()) == [(tmp_path / top, top.partition(".")[0])]


def test_mere_folders_new_names_and_the_packages_themselves_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch").mkdir()  # no package: the installed one comes first
    (tmp_path / "mine.py").write_text("")
    packages = Path(pytest.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tmp_path, OWN, packages))))
    assert list(shadows()) == []
