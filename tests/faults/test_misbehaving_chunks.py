"""Chunks that misbehave: the build ends, says which one it was, and documents are the old or the new ones."""

import signal
import time
from pathlib import Path

import pytest
import running
from running import handin

BUILD = handin("render", "--renderer", "builtin")


def with_chunk(folder: Path, code: str, *, label: str = "bad") -> None:
    path = folder / "sections" / "2-two.qmd"
    path.write_text(f"{path.read_text()}\n```{{python}}\n#| label: {label}\n{code}\n```\n", encoding="utf-8")


FAILING = [
    ("import os\nos._exit(3)", r"the kernel died while it ran chunk `bad`"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "the kernel died"),
    ("def f(): return f()\nf()", "chunk `bad` failed: RecursionError"),
    ("input()", "chunk `bad` failed: StdinNotImplementedError"),
    ("raise SystemExit", "chunk `bad`"),
    (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\nx = bytes(2**32)",
        "MemoryError",
    ),
    ("import matplotlib.pyplot as plt\nplt.title('$\\\\frac{$')\nplt.show()", "chunk `bad`"),
]


@pytest.mark.long
@pytest.mark.parametrize(("code", "says"), FAILING, ids=lambda value: value.splitlines()[-1][:30])
def test_a_chunk_that_fails_is_named_and_nothing_changes(project: Path, code: str, says: str) -> None:
    with_chunk(project, code)
    before = running.outputs(project)
    done = running.run(BUILD, project)
    assert done.returncode == 1, done.stdout
    assert "sections/2-two.qmd:" in done.stderr
    assert says.replace("\\", "") in done.stderr, done.stderr
    assert 'Traceback (most recent call last):\n  File "<frozen' not in done.stderr
    assert running.outputs(project) == before
    assert not running.left_running(project)
    assert not running.debris(project)


HARMLESS = [
    "for n in range(1_000_000):\n    print('row', n)",
    "print('x' * 10_000_000)",
    "'x' * 10_000_000",
    "import matplotlib.pyplot as plt\nfor n in range(200):\n    plt.figure(figsize=(1, 1))\n    plt.show()",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
    "import subprocess\nchild = subprocess.Popen(['sleep', '20'])",
    "import os\nif os.fork() == 0:\n    os._exit(0)",
    "import shutil\nshutil.rmtree('_output', ignore_errors=True)",
    "from pathlib import Path\nPath('report.qmd').write_text('gone')",
]


@pytest.mark.long
@pytest.mark.parametrize("code", HARMLESS, ids=lambda value: value.splitlines()[-1][:30])
def test_a_chunk_that_misbehaves_does_not_keep_the_build_from_its_end(project: Path, code: str) -> None:
    with_chunk(project, code)
    sources = (project / "report.qmd").read_text()
    done = running.run(BUILD, project)
    assert done.returncode == 0, done.stderr
    assert {"_output/report.pdf", "_output/notebook.pdf", "_output/notebook.ipynb"} <= set(
        running.outputs(project)
    )
    if (project / "report.qmd").read_text() != sources:  # built from what it was, and `fresh` says so
        told = running.run(handin("check"), project)
        assert "report.qmd changed" in told.stdout
    assert not running.debris(project)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_names_the_chunk(project: Path, number: signal.Signals) -> None:
    with_chunk(project, "open('ran', 'w').close()\nwhile True: pass")
    process = running.start(BUILD, project)
    deadline = time.monotonic() + 60
    while not (project / "ran").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    said, _ = process.communicate(timeout=10)
    assert "interrupted in chunk `bad`" in said, said
    assert "sections/2-two.qmd:" in said
