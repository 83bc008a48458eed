"""The ZIP: what is in it, the same bytes every time, and an earlier one that survives a failure."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from good_project import ZIP, Recipe

from handin.errors import HandinError
from handin.pack import NotReadyError, as_zip, pack
from handin.project import Project, load_project
from handin.reading.submission import Submission
from handin.rules import Finding, Status, apply
from handin.sources import Built, clean


def packed(project: Project) -> list[Path]:
    """What `handin pack` does."""
    return pack(*checked(project))


def checked(project: Project) -> tuple[Submission, list[Finding]]:
    submission = Submission.of(project)
    return submission, apply(submission)


def test_a_good_project_is_packed_and_passes_with_its_zip(tmp_path: Path) -> None:
    project = Recipe().write(tmp_path)
    assert packed(project) == [tmp_path / "_output" / ZIP]
    assert {finding.status for finding in checked(project)[1]} == {Status.PASS}


def test_it_holds_documents_and_sources_and_nothing_else(tmp_path: Path) -> None:
    recipe = Recipe()
    recipe.sources |= {"docs/page.svg": "<svg/>", "benchmarks/run.py": "1\n", ".ci/run": "make\n"}
    left_out = {"tests/test_model.py", "docs/page.svg", "benchmarks/run.py", ".ci/run"}
    clutter = (
        ".git/config", ".venv/bin/python", ".DS_Store", "_store/model.safetensors", "#draft.qmd#",
        "code/net/__pycache__/model.pyc", "code/net/model.py~", "code/.ipynb_checkpoints/a.py",
        "code/handin.egg-info/PKG-INFO", "_output/other.zip", "sections/.1-network.qmd.swp", "_build/a",
    )  # fmt: skip
    recipe.after.append(lambda files: files.update(dict.fromkeys(clutter, b"clutter")))
    [path] = packed(recipe.write(tmp_path))
    with zipfile.ZipFile(path) as held:
        documents = {"report.pdf", "notebook.pdf", "notebook.ipynb"}
        assert set(held.namelist()) == documents | recipe.sources.keys() - left_out


def test_the_real_zip_is_small_and_its_first_lines_say_where_the_students_code_is() -> None:
    held = Submission.of(load_project(Path(__file__).parents[2])).packed
    title, _, own, *_ = held["README.md"].decode().splitlines()
    assert "Ada Lovelace (alovelac)" in title
    assert own == "The students' own work: code/fnn, sections."
    assert len(held) <= 160
    assert sum(data.count(b"\n") for name, data in held.items() if name.endswith(".py")) <= 13_000


def test_a_picture_of_a_section_is_packed_from_any_folder(tmp_path: Path) -> None:
    recipe = Recipe()
    picture = 'As @fig-net.\n\n![The network.](images/the%20net.svg){#fig-net fig-alt="A net."}'
    recipe.sources["sections/appendix.qmd"] += picture
    recipe.sources["images/the net.svg"] = "<svg/>"
    [path] = packed(recipe.write(tmp_path))
    with zipfile.ZipFile(path) as held:
        assert held.read("images/the net.svg") == b"<svg/>"


def test_packing_twice_gives_the_same_bytes_whatever_dates_and_modes(tmp_path: Path) -> None:
    one = packed(Recipe().write(tmp_path / "one"))[0].read_bytes()
    project = Recipe().write(tmp_path / "elsewhere")
    for number, path in enumerate(sorted(project.root.rglob("*.*"))):
        os.utime(path, (10**9 + number, 10**9 + number))
        if path.is_file():
            path.chmod(0o600)
    assert packed(project)[0].read_bytes() == one


def test_a_pair_gets_two_zips(tmp_path: Path) -> None:
    recipe = Recipe()
    pair = "login: mmuster\n  - name: Jürgen Groß\n    login: jürgen.groß"
    recipe.sources["_quarto.yml"] = recipe.sources["_quarto.yml"].replace("login: mmuster", pair)
    recipe.head += "Jürgen Groß (jürgen.groß)\n"
    first, second = packed(recipe.write(tmp_path))
    assert (first.name, second.name) == (ZIP, "dl24-1-jürgen.groß.zip")
    assert first.read_bytes() == second.read_bytes()


def test_a_failure_refuses_with_the_list_and_keeps_the_earlier_zip(tmp_path: Path) -> None:
    project = Recipe().write(tmp_path)
    [path] = packed(project)
    before = path.read_bytes()
    (tmp_path / "sections/appendix.qmd").write_text("# Changed\n")
    with pytest.raises(NotReadyError) as caught:
        packed(project)
    assert {finding.rule for finding in caught.value.findings} == {"fresh"}
    assert path.read_bytes() == before


def test_a_zip_that_is_not_ours_stays_and_ours_is_replaced_and_cleaned(tmp_path: Path) -> None:
    project = Recipe().write(tmp_path)
    path = tmp_path / "_output" / ZIP
    path.write_bytes(b"of last year")
    with pytest.raises(HandinError, match=f"{ZIP}: no `handin pack` wrote this file; move it away"):
        packed(project)
    assert path.read_bytes() == b"of last year"
    path.unlink()
    [path] = packed(project)
    assert packed(project) == [path]
    assert path in clean(project)
    assert not path.exists()


def test_a_zip_that_an_earlier_version_wrote_without_a_note_is_taken_over(tmp_path: Path) -> None:
    project = Recipe().write(tmp_path)
    note = (tmp_path / "_build/built.json").read_bytes()
    [path] = packed(project)
    (tmp_path / "_build/built.json").write_bytes(note)
    assert packed(project) == [path]
    assert Built(tmp_path).is_ours(path)


@pytest.mark.parametrize("name", ["data/train.csv", "code/linked"])
def test_a_symbolic_link_is_refused_by_name(tmp_path: Path, name: str) -> None:
    project = Recipe().write(tmp_path / "project")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.py").write_text("secret = 1\n")
    (project.root / name).unlink(missing_ok=True)
    (project.root / name).symlink_to(tmp_path / "elsewhere")
    submission, findings = checked(load_project(project.root))
    assert not any("secret" in held or held == name for held in submission.files)
    assert any(f.status is Status.FAIL and f.place == name and "plain file" in f.message for f in findings)


def test_data_outside_the_project_is_refused_by_line(tmp_path: Path) -> None:
    recipe = Recipe()
    (tmp_path / "shared.csv").write_text("x,y\n")
    recipe.sources["_quarto.yml"] = recipe.sources["_quarto.yml"].replace("data/train.csv", "../shared.csv")
    submission, findings = checked(recipe.write(tmp_path / "project"))
    assert not any("shared" in name for name in submission.files)
    assert any(f.place == "_quarto.yml:9" and "not be packed" in f.message for f in findings)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_keeps_the_earlier_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    project = Recipe().write(tmp_path)
    [path] = packed(project)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(HandinError, match="make room"):
        packed(project)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [held.name for held in path.parent.glob(".*")] == []


def test_a_zip_has_no_dates_owners_or_order_of_its_own() -> None:
    assert as_zip({"b": b"2", "a/ü": b"1"}) == as_zip({"a/ü": b"1", "b": b"2"})
