"""The same bytes from clones, users, cores, memory and other Pythons; what differs is named.

`FAULTS_PYTHON` names another Python that has the project's packages. `test_machines.py` has locales, time
zones and folders.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import running
from running import NOBODY, can, handin, outputs, run

pytestmark = pytest.mark.faults
RENDER = handin("render", "--renderer", "builtin")
OTHER = os.environ.get("FAULTS_PYTHON", "")
METHODS = ("lm", "bfgs", "adam", "rprop", "scipy-bfgs")
needs_other = pytest.mark.skipif(not OTHER, reason="FAULTS_PYTHON names no other Python with the packages")
needs_nobody = pytest.mark.skipif(not can(*NOBODY, "true"), reason="another user takes a superuser")
# The fingerprint says which Python ran: in the notebook's JSON, and with signs in octal in the PDFs.
VERSION = re.compile(rb'(python(?:": ?"|\\042\\072\\042)3(?:\.|\\056))\d+')


def test_two_clones_with_and_without_memory_give_the_same_bytes(
    fresh: Callable[..., Path], tmp_path: Path
) -> None:
    origin = fresh(changed=True)
    shutil.rmtree(origin / "_output")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], cwd=origin, check=True)
    found = []
    for name, more in (("one", []), ("der zweite", ["--no-memory"]), ("one", []), ("der zweite", [])):
        if not (tmp_path / name).exists():
            subprocess.run(["git", "clone", "-q", str(origin), name], cwd=tmp_path, check=True)
        done = run([*RENDER, *more], tmp_path / name)
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(outputs(tmp_path / name))
    assert len(found[0]) >= 4
    assert found == [found[0]] * 4


@needs_other
def test_another_python_differs_in_its_name_alone(fresh: Callable[..., Path]) -> None:
    mine, others = fresh(changed=True), fresh(changed=True)
    for folder, python in ((mine, RENDER[0]), (others, OTHER)):
        done = run([python, *RENDER[1:]], folder)
        assert done.returncode == 0, done.stdout + done.stderr
    left, right = outputs(mine), outputs(others)
    told = others / "told"
    assert run([OTHER, *RENDER[1:]], others, HANDIN_MEMORY_TELLS=str(told)).returncode == 0
    assert not told.exists(), told.read_text()  # all was answered from memory
    assert left.keys() == right.keys()
    for name in left:
        assert VERSION.sub(rb"\1", left[name]) == VERSION.sub(rb"\1", right[name]), name
    assert left != right or version(RENDER[0]) == version(OTHER)


def version(python: str) -> str:
    words = [python, "-c", "import sys; print(sys.version_info[:2])"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def trained(folder: Path, method: str, *before: str, python: str = RENDER[0], **variables: str) -> str:
    """The digest of a few networks, trained in a process behind the words `before`."""
    folder.mkdir()
    folder.chmod(0o777)
    command = [*before, python, *running.training(3, 20, method, shards=2)[1:]]
    done = run(command, folder, FNN_STORE=str(folder / "store"), **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cores_threads_and_users_change_no_bit_of_a_training(tmp_path: Path) -> None:
    usual = trained(tmp_path / "usual", "bfgs")
    elsewhere = [
        trained(tmp_path / "one core", "bfgs", "taskset", "-c", "0"),
        trained(tmp_path / "one thread", "bfgs", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"),
        trained(tmp_path / "threads", "bfgs", OMP_NUM_THREADS="3", OPENBLAS_NUM_THREADS="3"),
    ]
    assert elsewhere == [usual] * 3


@needs_nobody
def test_another_user_trains_the_same(tmp_path: Path) -> None:
    assert trained(tmp_path / "root", "lm") == trained(tmp_path / "nobody", "lm", *NOBODY)


@needs_other
@pytest.mark.parametrize("method", METHODS)
def test_another_python_trains_the_same(method: str, tmp_path: Path) -> None:
    assert trained(tmp_path / "a", method) == trained(tmp_path / "b", method, python=OTHER)
