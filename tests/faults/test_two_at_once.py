"""Two commands in one project or on one store: the second says for whom it waits; both outputs are right."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import running
from running import after, can, handin

BUILD = handin("render", "--renderer", "builtin")
PREVIEW = handin("preview", "--no-browser", "--strict")
ELSEWHERE = ["unshare", "--uts", *after("hostname elsewhere", [])]
TIME = 60.0  # s: whatever takes longer is a deadlock
needs_another_name = pytest.mark.skipif(
    not can("unshare", "--uts", "true"), reason="a second host name needs the superuser"
)
Fresh = Callable[..., Path]


def slow(folder: Path) -> None:
    """Let the project's last chunk take three seconds more."""
    task = folder / "sections" / "2-two.qmd"
    task.write_text(task.read_text() + "\n```{python}\nimport time\ntime.sleep(3)\n```\n")


def until_locked(folder: Path, holder: subprocess.Popen[str]) -> None:
    """Wait until the process, or one that it has started, works in the project."""
    lock = folder / "_build" / "lock"
    while not lock.exists() or not lock.read_text():
        assert holder.poll() is None
        time.sleep(0.01)


@pytest.mark.faults
def test_two_builds_take_turns(fresh: Fresh) -> None:
    whole = fresh(changed=True)
    slow(whole)
    assert running.run(BUILD, whole).returncode == 0
    folder = fresh(changed=True)
    slow(folder)
    first = running.start(BUILD, folder)
    until_locked(folder, first)
    second = running.run(BUILD, folder, timeout=TIME)
    said, _ = first.communicate(timeout=TIME)
    assert (first.returncode, second.returncode) == (0, 0), said + second.stdout + second.stderr
    assert f"waiting for `handin render`, process {first.pid}" in second.stdout
    assert "waiting" not in said
    assert running.outputs(folder) == running.outputs(whole)
    assert not running.debris(folder)


@pytest.mark.faults
def test_a_packing_waits_for_the_build(fresh: Fresh) -> None:
    whole = fresh(changed=True)
    assert running.run(BUILD, whole).returncode == 0
    assert running.run(handin("pack"), whole).returncode == 0
    folder = fresh(changed=True)
    build = running.start(BUILD, folder)
    until_locked(folder, build)
    packed = running.run(handin("pack"), folder)
    assert build.wait(timeout=60) == 0
    build.communicate()
    assert "waiting for `handin render`" in packed.stdout
    assert packed.returncode == 0
    assert running.outputs(folder) == running.outputs(whole)


@pytest.mark.faults
@needs_another_name
def test_another_machine_is_named(fresh: Fresh) -> None:
    folder = fresh(changed=True)
    slow(folder)
    first = running.start([*ELSEWHERE, *BUILD], folder)
    until_locked(folder, first)
    second = running.run(BUILD, folder, timeout=120)
    said, _ = first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0), said
    assert "on elsewhere, which works in this project" in second.stdout


@contextmanager
def previewing(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A preview and its address; it ends within the two seconds that Ctrl-C may take."""
    preview = running.start(PREVIEW, folder)
    try:
        assert preview.stdout is not None
        address = re.search(r"http://\S+/", preview.stdout.readline())
        assert address is not None
        yield preview, address[0]
        preview.send_signal(signal.SIGINT)
        preview.communicate(timeout=2)
    finally:
        preview.kill()


def steps(address: str) -> list[str]:
    """What a preview's page is told, until its build is done."""
    told = []
    with urllib.request.urlopen(f"{address}events?document=report", timeout=TIME) as events:
        for line in events:
            if line.startswith(b"data: "):
                message = json.loads(line.removeprefix(b"data: "))
                assert "error" not in message, message
                told.append(message.get("step", ""))
                if "done" in message:
                    break
    return told


@pytest.mark.faults
def test_a_build_waits_for_the_previews_and_a_preview_for_the_build(fresh: Fresh) -> None:
    whole = fresh(changed=True)
    slow(whole)
    assert running.run(BUILD, whole).returncode == 0
    folder = fresh(changed=True)
    slow(folder)
    with previewing(folder) as (preview, address):
        until_locked(folder, preview)
        build = running.run(BUILD, folder, timeout=TIME)
        assert build.returncode == 0, build.stdout + build.stderr
        assert "waiting for `handin render`, process" in build.stdout
        assert not any("waiting" in step for step in steps(address))
    assert running.outputs(folder) == running.outputs(whole)

    other = fresh(changed=True)
    slow(other)
    first = running.start(BUILD, other)
    until_locked(other, first)
    with previewing(other) as (_, address):
        told = steps(address)
        assert f"waiting for `handin render`, process {first.pid}" in " ".join(told)
        assert first.wait(timeout=TIME) == 0
        first.communicate()
    assert running.outputs(other) == running.outputs(whole)
    assert not running.debris(folder) + running.debris(other)
    assert not running.left_running(folder) | running.left_running(other)


@pytest.mark.faults
@pytest.mark.parametrize(
    "other", [[], pytest.param(ELSEWHERE, marks=needs_another_name)], ids=["one machine", "two machines"]
)
def test_two_trainings_share_a_store(other: list[str], tmp_path: Path) -> None:
    """Nobody waits: both compute what neither has stored, which is the same."""
    command = running.training(2, 60, "lm", shards=12)
    alone = running.run(command, tmp_path, timeout=TIME, FNN_STORE=str(tmp_path / "alone"))
    shared = {"FNN_STORE": str(tmp_path / "shared")}
    together = [running.start([*prefix, *command], tmp_path, **shared) for prefix in ([], other)]
    for process in together:
        said, _ = process.communicate(timeout=TIME)
        assert (process.returncode, said) == (0, alone.stdout)
    stored = sorted(path.name for path in (tmp_path / "shared").iterdir())
    assert stored == sorted(path.name for path in (tmp_path / "alone").iterdir())
    again = running.run(command, tmp_path, timeout=TIME, **shared)
    assert (again.returncode, again.stdout, again.stderr) == (0, alone.stdout, "")  # every entry is sound
