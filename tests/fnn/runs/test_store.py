"""The model store returns what was stored or computes it again: never anything else, never an exception."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from fnn.inputs import environment
from fnn.runs import store

KEY = {"code": {"fnn.models": "ab12"}, "data": "cd34", "seed": 7, "sizes": [1, 2, 1]}
TENSORS = {"params": torch.arange(14, dtype=torch.float64).reshape(2, 7), "empty": torch.zeros(0, 3)}


@pytest.fixture
def path() -> Path:
    """The file of the one entry that is stored."""
    store.put(KEY, TENSORS)
    return store.entry_path(KEY)


def is_the_record(entry: dict[str, torch.Tensor] | None) -> bool:
    return (
        entry is not None
        and entry.keys() == TENSORS.keys()
        and all(torch.equal(entry[name], tensor) for name, tensor in TENSORS.items())
        and all(entry[name].dtype == tensor.dtype for name, tensor in TENSORS.items())
    )


def test_what_was_put_is_got(path: Path) -> None:
    assert is_the_record(store.get(KEY))
    assert is_the_record(store.get(dict(reversed(KEY.items()))))  # the order does not count


def test_bits_survive() -> None:
    odd = torch.tensor([float("nan"), float("inf"), -0.0, 5e-324, 0.1], dtype=torch.float64)
    view = torch.randn(6, 4)[::2].T  # neither contiguous nor alone in its memory
    entry, again = store.put(KEY, {"odd": odd, "view": view}), store.get(KEY)
    assert again is not None
    for tensors in (entry, again):
        assert torch.equal(tensors["odd"].view(torch.int64), odd.view(torch.int64))
        assert torch.equal(tensors["view"], view)


@pytest.mark.parametrize(
    "change", [{"code": {"fnn.models": "ab13"}}, {"data": "cd35"}, {"seed": 8}, {"more": None}], ids=str
)
def test_every_part_of_the_key_counts(path: Path, change: dict[str, object]) -> None:
    assert store.get(KEY | change) is None


@pytest.mark.parametrize("value", [float("nan"), torch.zeros(1), {1, 2}])
def test_a_key_that_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="keys hold JSON values and finite numbers"):
        store.get({"part": value})


def test_any_flipped_byte_is_noticed_or_harmless(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sound = path.read_bytes()
    harmless = 0
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x04]) + sound[place + 1 :])
        entry = store.get(KEY)
        if entry is None:
            said = capfd.readouterr().err
            assert str(path) in said
            assert said.endswith("computing it again\n")
        else:
            assert is_the_record(entry)  # a space of the header's padding
            harmless += 1
    assert harmless <= 8


@pytest.mark.parametrize("kept", [0, 4, 8, 30, 200, -1])
def test_a_truncated_entry_is_not_used_and_replaced(
    path: Path, kept: int, capfd: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    assert store.get(KEY) is None
    assert "cannot be used" in capfd.readouterr().err
    store.put(KEY, TENSORS)
    assert is_the_record(store.get(KEY))


def foreign_safetensors(path: Path) -> None:
    path.write_bytes(safetensors.torch.save(TENSORS, metadata={"format": "pt"}))


def entry_of_another_key(path: Path) -> None:
    store.put(KEY | {"seed": 8}, TENSORS)
    store.entry_path(KEY | {"seed": 8}).rename(path)


def pickle_file(path: Path) -> None:
    torch.save(TENSORS, path)


def text_file(path: Path) -> None:
    path.write_text("params: 1\n")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (foreign_safetensors, "not a sound file of this store"),
        (entry_of_another_key, "it belongs to another key"),
        (pickle_file, "not a sound file of this store"),
        (text_file, "not a sound file of this store"),
        (folder, "Is a directory"),
    ],
)
def test_a_foreign_file_is_not_used(
    path: Path, plant: Callable[[Path], None], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    plant(path)
    assert store.get(KEY) is None
    assert reason in capfd.readouterr().err


def test_where_nothing_can_be_written_the_terminal_hears_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    root = tmp_path / "file" / "store"
    monkeypatch.setenv("FNN_STORE", str(root))
    assert is_the_record(store.put(KEY, TENSORS))
    assert "Not a directory" in (said := capfd.readouterr().err)
    assert said.startswith(f"fnn: records cannot be stored in {root} (")
    assert store.get(KEY) is None


def run_python(code: str) -> "subprocess.Popen[str]":
    """A process of its own that works on the same store."""
    head = f"import sys; sys.path.insert(0, {str(Path(store.__file__).parents[2])!r})\n"
    head += "import torch\nfrom fnn.runs import store\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_full_disk_leaves_nothing_behind() -> None:
    """The limit on the size of a file stands for the full disk: the write itself fails, in the middle."""
    process = run_python(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        entry = store.put({"seed": 1}, {"x": torch.ones(4000)})
        print(int(entry["x"].sum()))
        """
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.strip() == "4000"
    assert "File too large" in err
    assert list(environment.store().iterdir()) == []


def test_a_process_killed_while_it_writes_leaves_a_usable_store() -> None:
    process = run_python(
        """
        import os, signal
        store.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
        store.put({"seed": 1}, {"x": torch.ones(4000)})
        """
    )
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert store.get({"seed": 1}) is None
    store.put(KEY, TENSORS)
    assert is_the_record(store.get(KEY))
    [part] = environment.store().glob("*.part")  # which another process might be writing
    os.utime(part, (0, 0))
    store.put(KEY, TENSORS)
    assert list(environment.store().iterdir()) == [store.entry_path(KEY)]


def test_concurrent_writers_and_readers_see_whole_entries() -> None:
    work = """
        for turn in range(20):
            key = {"seed": turn % 5}
            entry = store.get(key) if turn % 2 else None
            if entry is None:
                entry = store.put(key, {"x": torch.full((20_000,), turn % 5)})
            assert bool((entry["x"] == turn % 5).all())
    """
    processes = [run_python(work) for _ in range(2)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
    assert len(list(environment.store().iterdir())) == 5


def test_tensor_digest_sees_dtype_shape_and_bytes() -> None:
    x = torch.tensor([1.0, 0.0])
    others = [x.double(), x[:, None], torch.tensor([1.0, -0.0]), torch.tensor([0.0, 1.0])]
    assert len({store.tensor_digest(tensor) for tensor in [x, *others]}) == 5
    assert store.tensor_digest(torch.tensor([9.0, 1.0, 0.0])[1:]) == store.tensor_digest(x)
