"""Builds that are killed, chunks that misbehave: documents are whole, and the next build is right."""

import shutil
import signal
from pathlib import Path

import pytest
from tests.running import handin, interrupt, kill, left_running, run

from handin.project import Project

BUILD = handin("render", "--renderer", "builtin")
QUARTO = handin("render", "--renderer", "quarto")
needs_quarto = pytest.mark.skipif(shutil.which("quarto") is None, reason="no Quarto on the PATH")
pytestmark = pytest.mark.long


def changed(built: Project, folder: Path) -> Path:
    """A copy of the built project whose documents have changed since."""
    shutil.copytree(built.root, folder)
    words = folder / "code/words.py"
    words.write_text(words.read_text().replace("42", "43"))
    return folder


def with_chunk(folder: Path, code: str) -> None:
    path = folder / "sections/1-words.qmd"
    path.write_text(f"{path.read_text()}\n```{{python}}\n#| label: bad\n{code}\n```\n", encoding="utf-8")


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "_output").iterdir()}


def debris(folder: Path) -> list[Path]:
    """Files that no command should leave."""
    hidden = (folder / "_output").glob(".*")
    beside = [*folder.glob("*_files"), *folder.glob("*.quarto_ipynb*"), *folder.glob("*.ipynb")]
    return [*hidden, *(folder / "_build").glob("*-*"), *beside]


@pytest.mark.parametrize("command", [BUILD, pytest.param(QUARTO, marks=needs_quarto)])
def test_a_kill_leaves_whole_files_and_the_next_build_is_right(
    built: Project, tmp_path: Path, command: list[str]
) -> None:
    undisturbed = changed(built, tmp_path / "undisturbed")
    old = outputs(undisturbed)
    assert run(command, undisturbed)[0] == 0
    new = outputs(undisturbed)
    killed = 0
    for number in range(8):
        folder = changed(built, tmp_path / str(number))
        killed += kill(command, folder, 0.3 + 0.6 * number)
        assert not left_running(folder)
        for name, content in outputs(folder).items():
            assert content in (old[name], new[name]), name
        if outputs(folder) != new:
            assert "built before" in run(handin("check"), folder)[1]
        status, said = run(command, folder)
        assert status == 0, said
        assert outputs(folder) == new
        assert not debris(folder)
    assert killed, "all were over before they could be killed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command", [BUILD, handin("preview", "--no-browser"), pytest.param(QUARTO, marks=needs_quarto)]
)
def test_an_interruption_ends_soon_and_leaves_all_as_it_was(
    built: Project, tmp_path: Path, command: list[str], number: signal.Signals
) -> None:
    for moment in (0.3, 1.2, 2.1, 3.5):
        folder = changed(built, tmp_path / str(moment))
        with_chunk(folder, "import time\ntime.sleep(60)")
        before = outputs(folder)
        seconds, said, status = interrupt(command, folder, number, moment)
        assert seconds < 5, f"{seconds:.1f} s after {moment} s: {said}"
        assert "Traceback" not in said
        assert status in (130, -number), said
        assert not left_running(folder)
        assert outputs(folder) == before


FAILING = [
    ("input()", "chunk `bad` failed: StdinNotImplementedError"),
    ("raise SystemExit", "chunk `bad`"),
    (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\nx = bytes(2**32)",
        "MemoryError",
    ),
    ("import matplotlib.pyplot as plt\nplt.title('$\\\\frac{$')\nplt.show()", "chunk `bad`"),
]


@pytest.mark.parametrize(("code", "says"), FAILING)
def test_a_chunk_that_fails_is_named_and_nothing_changes(
    built: Project, tmp_path: Path, code: str, says: str
) -> None:
    folder = changed(built, tmp_path / "copy")
    with_chunk(folder, code)
    before = outputs(folder)
    status, said = run(BUILD, folder)
    assert status == 1, said
    assert "sections/1-words.qmd:" in said
    assert says in said
    assert outputs(folder) == before
    assert not left_running(folder)
    assert not debris(folder)


HARMLESS = [
    "for n in range(100_000):\n    print('row', n)",
    "'x' * 10_000_000",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
    "import subprocess\nchild = subprocess.Popen(['sleep', '20'])",
    "import os\nif os.fork() == 0:\n    os._exit(0)",
    "import shutil\nshutil.rmtree('_output', ignore_errors=True)",
]


@pytest.mark.parametrize("code", HARMLESS)
def test_a_chunk_that_misbehaves_does_not_keep_the_build_from_its_end(
    built: Project, tmp_path: Path, code: str
) -> None:
    folder = changed(built, tmp_path / "copy")
    with_chunk(folder, code)
    status, said = run(BUILD, folder)
    assert status == 0, said
    assert set(outputs(folder)) == {"report.pdf", "notebook.pdf", "notebook.ipynb"}
    assert not debris(folder)


def test_a_chunk_that_edits_the_sources_makes_the_documents_stale(built: Project, tmp_path: Path) -> None:
    folder = changed(built, tmp_path / "copy")
    with_chunk(folder, "open('data.txt', 'a').write('more')")
    assert run(BUILD, folder)[0] == 0
    assert "built before" in run(handin("check"), folder)[1]
