"""Whatever is killed or interrupted, whenever: no file is half written, and the next run is right."""

import random
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import running
from running import handin

BUILD = handin("render", "--renderer", "builtin")
QUARTO = handin("render", "--renderer", "quarto")
needs_quarto = pytest.mark.skipif(shutil.which("quarto") is None, reason="no Quarto on the PATH")
Fresh = Callable[..., Path]
pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("command", "count"),
    [(BUILD, 12), pytest.param(QUARTO, 4, marks=needs_quarto)],
    ids=["builtin", "quarto"],
)
def test_kills_of_a_build(fresh: Fresh, chance: random.Random, command: list[str], count: int) -> None:
    undisturbed = fresh(changed=True)
    old = running.outputs(undisturbed)
    done = running.run(command, undisturbed)
    assert done.returncode == 0, done.stderr
    new = running.outputs(undisturbed)
    killed = 0
    for _ in range(count):
        folder, moment = fresh(changed=True), chance.uniform(0.3, 5.0)
        killed += running.kill(command, folder, moment)
        assert not running.left_running(folder), f"killed after {moment:.2f} s"
        for name, content in running.outputs(folder).items():
            assert content in (old[name], new[name]), f"{name} after {moment:.2f} s"
        if running.outputs(folder) != new:
            assert "built before" in running.run(handin("check"), folder).stdout
        done = running.run(command, folder)
        assert done.returncode == 0, done.stdout + done.stderr
        assert running.outputs(folder) == new, f"other bytes after a kill at {moment:.2f} s"
        assert not running.debris(folder)
        shutil.rmtree(folder.parent)
    assert killed, "all were over before they could be killed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command", [BUILD, handin("preview", "--no-browser"), pytest.param(QUARTO, marks=needs_quarto)]
)
def test_an_interruption_ends_soon_and_leaves_all_as_it_was(
    fresh: Fresh, chance: random.Random, command: list[str], number: signal.Signals
) -> None:
    for _ in range(4):
        folder, moment = fresh(changed=True), chance.uniform(0.3, 4.0)
        task = folder / "sections" / "2-two.qmd"
        task.write_text(task.read_text() + "\n```{python}\nimport time\ntime.sleep(60)\n```\n")
        before = running.outputs(folder)
        seconds, said, status = running.interrupt(command, folder, number, moment)
        assert seconds < 5, f"{seconds:.1f} s after {moment:.1f} s: {said}"
        assert "Traceback" not in said
        assert status in (130, -number), said
        assert not running.left_running(folder)
        assert running.outputs(folder) == before


def test_two_clones_with_and_without_memory_give_the_same_bytes(fresh: Fresh, tmp_path: Path) -> None:
    origin = fresh(changed=True)
    shutil.rmtree(origin / "_output")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], cwd=origin, check=True)
    found = []
    for name, more in (("one", []), ("der zweite", ["--no-memory"]), ("one", []), ("der zweite", [])):
        if not (tmp_path / name).exists():
            subprocess.run(["git", "clone", "-q", str(origin), name], cwd=tmp_path, check=True)
        done = running.run([*BUILD, *more], tmp_path / name)
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(running.outputs(tmp_path / name))
    assert len(found[0]) >= 4
    assert found == [found[0]] * 4
