"""Two commands in one project: the second says for whom it waits, and both outputs are right."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import running
from running import handin

BUILD = handin("render", "--renderer", "builtin")
Fresh = Callable[..., Path]


@pytest.mark.faults
def test_two_builds_take_turns(fresh: Fresh) -> None:
    whole = fresh(changed=True)
    assert running.run(BUILD, whole).returncode == 0
    folder = fresh(changed=True)
    both = [running.start(BUILD, folder) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("waiting for `handin render`, process" in text for text in said) == 1, said
    assert running.outputs(folder) == running.outputs(whole)
    assert not running.debris(folder)


@pytest.mark.faults
def test_a_packing_waits_for_the_build(fresh: Fresh) -> None:
    whole = fresh(changed=True)
    assert running.run(BUILD, whole).returncode == 0
    assert running.run(handin("pack"), whole).returncode == 0
    folder = fresh(changed=True)
    build = running.start(BUILD, folder)
    while not (folder / "_build" / "lock").exists() or not (folder / "_build" / "lock").read_text():
        assert build.poll() is None
    packed = running.run(handin("pack"), folder)
    assert build.wait(timeout=60) == 0
    build.communicate()
    assert "waiting for `handin render`" in packed.stdout
    assert packed.returncode == 0
    assert running.outputs(folder) == running.outputs(whole)


@pytest.mark.faults
@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(["unshare", "--uts", "true"], capture_output=True, check=False).returncode != 0,
    reason="a second host name needs the superuser",
)
def test_another_machine_is_named(fresh: Fresh) -> None:
    folder = fresh(changed=True)
    task = folder / "sections" / "2-two.qmd"
    task.write_text(task.read_text() + "\n```{python}\nimport time\ntime.sleep(3)\n```\n")
    elsewhere = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere; exec "$@"', "sh", *BUILD]
    first = running.start(elsewhere, folder)
    while not (folder / "_build" / "lock").exists() or not (folder / "_build" / "lock").read_text():
        assert first.poll() is None
    second = running.run(BUILD, folder, timeout=120)
    said, _ = first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0), said
    assert "on elsewhere, which works in this project" in second.stdout
