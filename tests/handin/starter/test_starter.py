"""`handin init`: a new project builds, passes its own tests and every rule but `identity`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from click.testing import CliRunner

from handin import starter
from handin.cli import main
from handin.errors import HandinError
from handin.project import load_project

ROOT = Path(__file__).parents[3]
OPTIONS = (
    "--course", "Machine Learning (HWS25)", "--number", "3", "--title", "Übung: “Kernels” & more",
    "--tasks", "1 Kernels: a first look; 1a; 1b The kernel's trick; 2", "--package", "kernels",
    "--author", "Zoë O'Brien-Müller <zobrien_1>, Ada Lovelace <alovelac>", "--ban", "numpy, sklearn.svm",
)  # fmt: skip


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of two students, with tasks of all kinds."""
    folder = tmp_path_factory.mktemp("new") / "Übung 3"
    result = CliRunner().invoke(main, ["init", str(folder), *OPTIONS], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder


def test_it_says_what_was_asked_for(new: Path) -> None:
    project = load_project(new)
    assert [author.login for author in project.authors] == ["zobrien_1", "alovelac"]
    assert project.handin.course == "Machine Learning (HWS25)"
    assert list(project.handin.tasks) == ["1", "1a", "1b", "2"]
    assert list(project.handin.banned_modules) == ["numpy", "sklearn.svm"]
    assert sorted(path.name for path in (new / "sections").iterdir()) == [
        "0-setup.qmd", "1-kernels-a-first-look.qmd", "2-task-2.qmd",
    ]  # fmt: skip


def test_what_no_option_says_is_asked_at_a_terminal(tmp_path: Path) -> None:
    command = ["-m", "handin", "init", "with blanks", "--number", "3", "--package", "second"]
    terminal = pexpect.spawn(sys.executable, command, cwd=tmp_path, timeout=60)
    for question, answer in (
        ("Course", ""), ("Title", ""), ("Tasks", "1; 2"), ("Author", "Ada <ada>"), ("ZIP", "{login}.zip"),
        ("must not import", ""), ("needs", ""),
    ):  # fmt: skip
        terminal.expect(question)
        terminal.sendline(answer)
    terminal.expect("cd 'with blanks' && make")
    terminal.expect(pexpect.EOF)
    project = load_project(tmp_path / "with blanks")
    assert (project.handin.assignment, project.authors[0].login) == (3, "ada")
    assert (tmp_path / "with blanks" / "code" / "second").is_dir()


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder / "code")}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_builds_and_passes_every_rule_but_that_names_are_real(new: Path) -> None:
    assert "identity" in run(new, "handin", "pack").stdout  # before anything is built
    assert run(new, "handin", "render", "--renderer", "builtin").returncode == 0
    told = run(new, "handin", "check")
    failed = [line for line in told.stdout.splitlines() if line.startswith("fail")]
    assert {line.split()[1] for line in failed} == {"identity"}, told.stdout


def test_its_own_tests_and_linter_are_content(new: Path) -> None:
    for command in (["pytest", "-p", "no:cacheprovider"], ["ruff", "check"], ["ruff", "format", "--check"]):
        done = run(new, *command)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tasks", "1 One; 1 Two"), "`1 Two` is no task, or part of none"),
        (("--tasks", "1; 2a"), "`2a` is no task, or part of none"),
        (("--tasks", "first"), "`first` is no task"),
        (("--tasks", ";"), "`tasks` should have at least 1 item"),
        (("--author", "Ada"), "`Ada` is no author"),
        (("--author", "Ada <a b>"), "`a b` cannot be part of a file name"),
        (("--archive", "{logn}.zip"), "write … {login}.zip"),
        (("--author", "A <a>, B <b>, C <c>"), "at most 2 items"),
        (("--number", "two"), "`handin.assignment`"),
        (("--package", "my package"), "no name for a package"),
        (("--package", "handin"), "no name for a package"),
        (("--package", "class"), "no name for a package"),
        (("--package", "json"), "no name for a package"),
        (("--package", "yaml"), "no name of Python or of an installed package"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    result = CliRunner().invoke(main, ["init", str(tmp_path / "new"), *options])
    assert result.exit_code == 1
    assert words in " ".join(result.output.split())
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(HandinError, match="there is something already"):
        starter.create(tmp_path, [("_quarto.yml", b"")])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_bare_project_answers_every_task_with_this_project_s_code(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["init", str(tmp_path / "bare"), "--bare"])
    assert result.exit_code == 0, result.output
    project = load_project(tmp_path / "bare")
    text = "".join(path.read_text() for path in sorted((project.root / "sections").glob("*.qmd")))
    wanted = [task for task in project.handin.tasks if task not in project.handin.optional_tasks]
    assert re.findall(r"\{#sec-(\w+)\}", text) == wanted
    training = Path("code/fnn/training.py")
    assert (project.root / training).read_bytes() == (ROOT / training).read_bytes()
    assert not (project.root / "benchmarks").exists()


@pytest.mark.long
def test_the_bare_project_builds_and_is_packed(tmp_path: Path, trained: None) -> None:
    starter.create(tmp_path / "bare", starter.bare())
    settings = tmp_path / "bare" / "_quarto.yml"
    text = settings.read_text().replace("name: Ada Lovelace", "name: Grace Hopper")
    settings.write_text(text.replace("login: alovelac", "login: ghopper"))
    told = run(tmp_path / "bare", "handin", "pack")
    assert told.returncode == 0, told.stdout + told.stderr
    assert (tmp_path / "bare/_output/dl24-1-ghopper.zip").is_file()


@pytest.mark.long
def test_make_and_make_test_are_green(tmp_path: Path) -> None:
    """As a student does it: a new environment and all."""
    folder = tmp_path / "assignment"
    subprocess.run([sys.executable, "-m", "handin", "init", str(folder)], cwd=ROOT, check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    for command in (["make"], ["make", "test"]):
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
    assert (folder / "_output" / "report.pdf").is_file()
