"""Little memory, another user's files, a clock that goes wrong, no semaphores, modules of other places."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import running
from running import NOBODY, after, can, change, handin, outputs, run

RENDER = handin("render", "--renderer", "builtin")
TRAINING = running.training(2, 40, "lm", shards=4)
Fresh = Callable[..., Path]
faults = pytest.mark.faults
needs_nobody = pytest.mark.skipif(not can(*NOBODY, "true"), reason="another user takes a superuser")
needs_mounts = pytest.mark.skipif(not can("unshare", "-m", "true"), reason="mounts take a superuser")

MIB = 2**20
YEAR = 365 * 86400  # s


def refused(
    command: list[str], folder: Path, *words: str, may_succeed: bool = False, **variables: str
) -> None:
    """The command ends with a message in these words, and the documents are as they were."""
    before = outputs(folder)
    done = run(command, folder, **variables)
    if may_succeed and done.returncode == 0:
        return
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    for word in words:
        assert word in said
    assert outputs(folder) == before


def next_build_is_right(folder: Path, fresh: Fresh, command: list[str] = RENDER) -> None:
    """A changed copy that has had its trouble becomes what an undisturbed one does."""
    again = run(command, folder)
    assert again.returncode == 0, again.stdout + again.stderr
    undisturbed = fresh(changed=True)
    assert run(RENDER, undisturbed).returncode == 0
    assert outputs(folder) == outputs(undisturbed)


@faults
@pytest.mark.parametrize("place", ["_build", "_output", "figures"])
def test_a_file_in_the_place_of_a_folder_is_named(place: str, fresh: Fresh) -> None:
    folder = fresh(changed=True)
    if (folder / place).exists():
        shutil.move(folder / place, folder.parent / "kept")
    (folder / place).write_text("in the way")
    refused(RENDER, folder, f"{folder / place}: cannot write", "move it away")
    (folder / place).unlink()
    if (folder.parent / "kept").exists():
        shutil.move(folder.parent / "kept", folder / place)
    next_build_is_right(folder, fresh)


@faults
@needs_nobody
def test_another_users_files_are_said_to_be_his(fresh: Fresh) -> None:
    folder = fresh(changed=True)
    refused([*NOBODY, *RENDER], folder, "cannot write: Permission denied", "belongs to root, you are nobody")
    next_build_is_right(folder, fresh)


@faults
@needs_nobody
def test_two_users_get_the_same_bytes(fresh: Fresh) -> None:
    folder = fresh(changed=True)
    for path in (folder.parent, *folder.parent.rglob("*")):
        os.chown(path, 65534, 65534)
    next_build_is_right(folder, fresh, [*NOBODY, *RENDER])


@faults
def test_files_from_the_future_are_as_good_as_others(fresh: Fresh) -> None:
    """As after the clock was set back: sources, memory and documents are newer than now."""
    folder = fresh()
    assert run(RENDER, folder).returncode == 0  # to remember
    then = time.time() + YEAR
    for path in folder.rglob("*"):
        os.utime(path, (then, then))
    change(folder)  # older now than all that was made of it
    points = folder / "data" / "points.csv"
    os.utime(points, (then, then))
    next_build_is_right(folder, fresh)
    points.write_text(points.read_text().replace("7,0.5", "7,0.6"))
    os.utime(points, (then, then))  # nor do time and size tell it from the one before
    right = fresh(changed=True)
    (right / "data" / "points.csv").write_text(points.read_text())
    assert run(RENDER, folder).returncode == run(RENDER, right).returncode == 0
    assert outputs(folder) == outputs(right)


@faults
@pytest.mark.skipif(shutil.which("faketime") is None, reason="there is no faketime here")
@pytest.mark.parametrize("days", [-365, 365])
def test_a_clock_that_is_a_year_off_changes_no_byte(days: int, fresh: Fresh) -> None:
    folder = fresh(changed=True)
    next_build_is_right(folder, fresh, ["faketime", "-f", f"{days:+}d", *RENDER])


@faults
@pytest.mark.parametrize("megabytes", [512, 650])
def test_too_little_address_space_is_said_to_be_that(megabytes: int, fresh: Fresh) -> None:
    folder = fresh(changed=True)
    limited = after(f"ulimit -v {megabytes * 1000}", RENDER)
    refused(limited, folder, "memory", may_succeed=True)  # with one core less is needed
    next_build_is_right(folder, fresh)


@pytest.fixture
def half_a_gigabyte() -> Iterator[Path]:
    """A control group with 512 MiB of memory, and no more on disk."""
    for parent, limit in (("memory", "memory.limit_in_bytes"), ("", "memory.max")):
        group = Path("/sys/fs/cgroup") / parent / f"faults-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(512 * MIB))
            yield group
            return
        except OSError:
            continue
        finally:
            group.rmdir()
    pytest.skip("no control group for memory can be made here")


@faults
@pytest.mark.parametrize("command", [RENDER, TRAINING], ids=["build", "training"])
def test_512_megabytes_of_memory_do(command: list[str], half_a_gigabyte: Path, fresh: Fresh) -> None:
    folder, other = fresh(changed=True), fresh(changed=True)
    limited = after(f"echo $$ > {half_a_gigabyte}/cgroup.procs", command)
    said = []
    for place, words in ((folder, limited), (other, command)):
        done = run(words, place, FNN_STORE=str(place / "_store"))
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout)
    assert outputs(folder) == outputs(other)
    assert command == RENDER or said[0] == said[1] != ""
