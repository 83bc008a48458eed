"""Whatever is killed, whenever: the outputs are the old or the new ones, and the next run is right."""

import os
import random
import shutil
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import running
from running import ROOT, handin

BUILD = handin("render", "--renderer", "builtin")
QUARTO = handin("render", "--renderer", "quarto")
needs_quarto = pytest.mark.skipif(shutil.which("quarto") is None, reason="no Quarto on the PATH")
MEMORY = Path("_build", "memory")
Fresh = Callable[..., Path]


def kill_a_build(fresh: Fresh, chance: random.Random, command: list[str], count: int, *, warm: bool) -> None:
    """Kill `count` builds of changed sources at random moments, each in a copy of its own."""
    undisturbed = fresh(changed=True)
    old = running.outputs(undisturbed)
    longest = running.duration(command, undisturbed)
    new = running.outputs(undisturbed)
    assert all(old[name] != new[name] for name in ("_output/report.pdf", "figures/fig-points.svg"))
    ends, killed = set(), 0
    for moment in running.moments(chance, longest, count):
        folder = fresh(changed=True)
        if not warm:
            shutil.rmtree(folder / MEMORY, ignore_errors=True)
        killed += running.kill(command, folder, moment)
        left = running.left_running(folder)
        assert not left, f"killed after {moment:.2f} s, these go on: {left}"
        seen = running.after_next_command(folder)
        assert seen in (old, new), f"a mix after {moment:.2f} s: {running.as_text(seen)}"
        ends.add("old" if seen == old else "new")
        done = running.run(command, folder)
        assert done.returncode == 0, done.stdout + done.stderr
        assert running.outputs(folder) == new, f"other bytes after a kill at {moment:.2f} s"
        assert not running.debris(folder)
        shutil.rmtree(folder.parent)
    assert killed >= count // 2, "most were over before they could be killed"


@pytest.mark.faults
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_many_kills_of_a_build(fresh: Fresh, chance: random.Random, warm: bool) -> None:
    kill_a_build(fresh, chance, BUILD, 18, warm=warm)


@pytest.mark.faults
@needs_quarto
def test_kills_of_a_build_by_quarto(fresh: Fresh, chance: random.Random) -> None:
    # Quarto's own bytes need not equal those of the built-in renderer: the old ones are made by it, too.
    base = fresh()
    assert running.run(QUARTO, base).returncode == 0

    def copy(*, changed: bool = False) -> Path:
        folder = fresh(changed=False)
        shutil.rmtree(folder)
        shutil.copytree(base, folder)
        if changed:
            from conftest import change

            change(folder)
        return folder

    kill_a_build(copy, chance, QUARTO, 6, warm=True)


@pytest.mark.faults
def test_kills_of_packing(fresh: Fresh, chance: random.Random) -> None:
    command = handin("pack")
    undisturbed = fresh()
    longest = running.duration(command, undisturbed)
    [new] = (undisturbed / "_output").glob("*.zip")
    killed = 0
    for moment in running.moments(chance, longest, 18):
        folder = fresh()
        killed += running.kill(command, folder, moment)
        running.after_next_command(folder)
        for path in (folder / "_output").glob("*.zip"):
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
        assert running.run(command, folder).returncode == 0
        [path] = (folder / "_output").glob("*.zip")
        assert path.read_bytes() == new.read_bytes()
        assert not running.debris(folder)
        shutil.rmtree(folder.parent)
    assert killed >= 9


@pytest.mark.faults
def test_kills_of_a_start(tmp_path: Path, chance: random.Random) -> None:
    command = handin("init", "project", "--author", "Grace Hopper <ghopper>")
    (tmp_path / "undisturbed").mkdir()
    longest = running.duration(command, tmp_path / "undisturbed")
    whole = _tree(tmp_path / "undisturbed" / "project")
    for number, moment in enumerate(running.moments(chance, longest, 14)):
        parent = tmp_path / f"start-{number}"
        parent.mkdir()
        running.kill(command, parent, moment)
        folder = parent / "project"
        assert not folder.exists() or _tree(folder) == whole, f"half a project after {moment:.2f} s"
        if folder.exists():
            shutil.rmtree(folder)
        assert running.run(command, parent).returncode == 0
        assert _tree(folder) == whole
        assert [path.name for path in parent.iterdir()] == ["project"], "scratch folders are left"
        shutil.rmtree(parent)


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.faults
def test_kills_of_a_training(tmp_path: Path, chance: random.Random) -> None:
    command = running.training(2, 60, "lm", shards=20)
    longest = running.duration(command, tmp_path, FNN_STORE=str(tmp_path / "s"))
    whole = running.run(command, tmp_path, FNN_STORE=str(tmp_path / "s")).stdout
    kept = set()
    for number, moment in enumerate(running.moments(chance, longest, 6)):
        store = tmp_path / f"store-{number}"
        running.kill(command, tmp_path, moment, FNN_STORE=str(store))
        kept.add(len(list(store.glob("*.safetensors"))))
        done = running.run(command, tmp_path, FNN_STORE=str(store))
        assert (done.returncode, done.stdout, done.stderr) == (0, whole, "")
    assert len(kept) > 1, "no kill came between two shards"


@pytest.mark.faults
def test_ten_kills_of_the_real_one(real_copy: object, tmp_path: Path, chance: random.Random) -> None:
    """In a draft of few runs, to take seconds: the same machinery, the real documents."""
    root: Path = real_copy.root  # type: ignore[attr-defined]
    folder = tmp_path / "real"
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns("_output", "_build"))
    store = {"FNN_STORE": os.environ.get("FNN_STORE", str(ROOT / "_store"))}
    command = [*BUILD, "--quick"]
    running.duration(command, folder, **store)  # fills store and memory
    old = running.outputs(folder)
    report = folder / "report.qmd"
    report.write_text(report.read_text(encoding="utf-8").replace('title: "', 'title: "New ', 1))
    task = next(iter(sorted((folder / "sections").glob("2*.qmd"))))
    task.write_text(task.read_text(encoding="utf-8") + '\n```{python}\nprint("and now this")\n```\n')
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(folder, undisturbed)
    longest = running.duration(command, undisturbed, **store)
    new = running.outputs(undisturbed)
    assert old["_output/report.pdf"] != new["_output/report.pdf"]
    for moment in running.moments(chance, longest, 10):
        running.kill(command, folder, moment, **store)
        assert not running.left_running(folder)
        assert running.after_next_command(folder) in (old, new)
    done = running.run(command, folder, timeout=300, **store)
    assert done.returncode == 0, done.stderr
    assert running.outputs(folder) == new
    assert not running.debris(folder)


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command", [BUILD, handin("preview", "--no-browser"), pytest.param(QUARTO, marks=needs_quarto)]
)
def test_an_interruption_ends_within_two_seconds(
    fresh: Fresh, chance: random.Random, command: list[str], number: signal.Signals
) -> None:
    for moment in running.moments(chance, 3.0, 8):
        folder = fresh(changed=True)
        task = folder / "sections" / "2-two.qmd"
        task.write_text(task.read_text() + "\n```{python}\nimport time\ntime.sleep(60)\n```\n")
        before = running.outputs(folder)
        seconds, said, status = running.interrupt(command, folder, number, moment)
        assert seconds < 2, f"{seconds:.1f} s after {moment:.1f} s: {said}"
        assert "Traceback" not in said
        assert status in (130, -number), said
        assert not running.left_running(folder, 1.0)
        assert running.outputs(folder) == before
