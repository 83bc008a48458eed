"""The model store returns what was stored or computes it again: never anything else, never an exception."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from fnn.runs import store

KEY = {"code": {"fnn.models": "ab12"}, "data": "cd34", "seed": 7, "sizes": [1, 2, 1], "torch": "2.13.0"}
TENSORS = {"params": torch.arange(14, dtype=torch.float64).reshape(2, 7), "empty": torch.zeros(0, 3)}
METADATA = {"stop": ["gradient", "no progress"], "seconds": 1.5}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "_reported", set())
    return tmp_path / "store"


class Computation:
    """Gives the record above and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> tuple[dict[str, Tensor], dict[str, object]]:
        self.calls += 1
        return TENSORS, METADATA


def get_or_compute(key: store.Key, compute: Computation, root: Path) -> store.Entry:
    """What training does for a shard."""
    return store.get(key, root) or store.put(key, *compute(), root)


def assert_is_the_record(entry: store.Entry | None) -> None:
    assert entry is not None
    assert entry.metadata == METADATA
    assert entry.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert entry.tensors[name].dtype == tensor.dtype
        assert torch.equal(entry.tensors[name], tensor)


def only_file(root: Path) -> Path:
    (path,) = root.iterdir()
    return path


def test_computes_once_then_reads(root: Path) -> None:
    compute = Computation()
    assert_is_the_record(get_or_compute(KEY, compute, root))
    assert_is_the_record(get_or_compute(KEY, compute, root))
    assert compute.calls == 1


def test_a_hit_and_a_miss_give_the_same_types(root: Path) -> None:
    """Tuples become lists on disk; they do so at once, not only when read back."""
    stored = store.put(KEY, TENSORS, {"stop": ("gradient",)}, root)
    read = store.get(KEY, root)
    assert read is not None
    assert stored.metadata == read.metadata == {"stop": ["gradient"]}


def test_bits_survive(root: Path) -> None:
    odd = torch.tensor([float("nan"), float("inf"), -0.0, 5e-324, 0.1], dtype=torch.float64)
    view = torch.randn(6, 4)[::2].T  # neither contiguous nor alone in its memory
    entry = store.put(KEY, {"odd": odd, "view": view}, {}, root)
    again = store.get(KEY, root)
    assert again is not None
    for tensors in (entry.tensors, again.tensors):
        assert torch.equal(tensors["odd"].view(torch.int64), odd.view(torch.int64))
        assert torch.equal(tensors["view"], view)


@pytest.mark.parametrize(
    "change",
    [
        {"code": {"fnn.models": "ab13"}},
        {"code": {"fnn.models": "ab12", "fnn.optimizers.initial_points": "00"}},
        {"data": "cd35"},
        {"seed": 8},
        {"sizes": [1, 3, 1]},
        {"torch": "2.13.1"},
        {"more": None},
    ],
)
def test_every_part_of_the_key_counts(root: Path, change: dict[str, object]) -> None:
    compute = Computation()
    get_or_compute(KEY, compute, root)
    get_or_compute(KEY | change, compute, root)
    assert compute.calls == 2
    get_or_compute(dict(reversed(KEY.items())), compute, root)  # the order does not
    assert compute.calls == 2


@pytest.mark.parametrize("value", [float("nan"), torch.zeros(1), {1, 2}])
def test_a_key_that_is_not_json_is_refused(root: Path, value: object) -> None:
    with pytest.raises(ValueError, match="the store keeps JSON values"):
        get_or_compute({"part": value}, Computation(), root)


def test_any_flipped_byte_is_noticed_or_harmless(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get_or_compute(KEY, Computation(), root)
    path = only_file(root)
    sound = path.read_bytes()
    noticed = 0
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x04]) + sound[place + 1 :])
        entry = store.get(KEY, root)
        if entry is None:
            noticed += 1
            store._reported.clear()
        else:
            assert_is_the_record(entry)  # a space of the header's padding
    assert noticed >= len(sound) - 8
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == noticed
    assert all(str(path) in line and line.endswith("computing it again") for line in lines)


@pytest.mark.parametrize("region", ["length", "header", "checksum", "data"])
def test_a_damaged_entry_is_computed_again_and_mended(
    root: Path, region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    compute = Computation()
    get_or_compute(KEY, compute, root)
    path = only_file(root)
    data = bytearray(path.read_bytes())
    place = {"length": 6, "header": 20, "checksum": data.index(b'"sha256":"') + 12, "data": len(data) - 3}[
        region
    ]
    data[place] ^= 0x01
    path.write_bytes(bytes(data))

    assert_is_the_record(get_or_compute(KEY, compute, root))
    assert compute.calls == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert_is_the_record(store.get(KEY, root))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kept", [0, 4, 8, 30, 200, -1])
def test_a_truncated_entry_is_computed_again(
    root: Path, kept: int, capsys: pytest.CaptureFixture[str]
) -> None:
    compute = Computation()
    get_or_compute(KEY, compute, root)
    path = only_file(root)
    path.write_bytes(path.read_bytes()[:kept])
    assert_is_the_record(get_or_compute(KEY, compute, root))
    assert compute.calls == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def foreign_safetensors(path: Path, root: Path) -> None:
    path.write_bytes(safetensors.torch.save(TENSORS, metadata={"format": "pt"}))


def entry_of_another_key(path: Path, root: Path) -> None:
    store.put(KEY | {"seed": 8}, TENSORS, METADATA, root)
    (other,) = set(root.iterdir()) - {path}
    other.rename(path)


def pickle_file(path: Path, root: Path) -> None:
    torch.save(TENSORS, path)


def text_file(path: Path, root: Path) -> None:
    path.write_text("params: 1\n")


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (foreign_safetensors, "not written by this store"),
        (entry_of_another_key, "it belongs to another key"),
        (pickle_file, "not a sound safetensors file"),
        (text_file, "not a sound safetensors file"),
    ],
)
def test_a_foreign_file_is_computed_again(
    root: Path, plant: Callable[[Path, Path], None], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    compute = Computation()
    get_or_compute(KEY, compute, root)
    plant(only_file(root), root)
    assert_is_the_record(get_or_compute(KEY, compute, root))
    assert compute.calls == 2
    assert reason in capsys.readouterr().err


def test_a_folder_in_the_entrys_place_does_not_stop_the_work(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compute = Computation()
    get_or_compute(KEY, compute, root)
    path = only_file(root)
    path.unlink()
    path.mkdir()
    assert_is_the_record(get_or_compute(KEY, compute, root))
    assert "Is a directory" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_costs_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(store, "_reported", set())
    (tmp_path / "file").write_text("not a folder")
    root = tmp_path / "file" / "store"
    compute = Computation()
    for _ in range(3):
        assert_is_the_record(get_or_compute(KEY, compute, root))
    assert compute.calls == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"fnn: records cannot be stored in {root} (Not a directory); going on without storing them"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_store_is_read(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compute = Computation()
    get_or_compute(KEY, compute, root)
    root.chmod(0o500)
    try:
        assert_is_the_record(get_or_compute(KEY, compute, root))
        assert_is_the_record(get_or_compute(KEY | {"seed": 8}, compute, root))
    finally:
        root.chmod(0o700)
    assert compute.calls == 2
    assert "Permission denied" in capsys.readouterr().err


def run_python(code: str, root: Path) -> "subprocess.Popen[str]":
    """A process of its own that works on the store at `root`."""
    head = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(store.__file__).parents[2])!r})
        import torch
        from fnn.runs import store
        root = Path({str(root)!r})
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_full_disk_costs_one_line_and_leaves_nothing_behind(root: Path) -> None:
    """The limit on the size of a file stands for the full disk: the write itself fails, in the middle."""
    process = run_python(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        entry = store.put({"seed": 1}, {"x": torch.ones(4000)}, {"n": 1}, root)
        print(int(entry.tensors["x"].sum()), entry.metadata)
        """,
        root,
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.strip() == "4000 {'n': 1}"
    assert err.strip().endswith("(File too large); going on without storing them")
    assert list(root.iterdir()) == []


def test_a_process_killed_while_it_writes_leaves_a_usable_store(root: Path) -> None:
    process = run_python(
        """
        import os, signal
        def killed(_):
            os.kill(os.getpid(), signal.SIGKILL)
        store.os.fsync = killed
        store.put({"seed": 1}, {"x": torch.ones(4000)}, {}, root)
        """,
        root,
    )
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    part = only_file(root)
    assert part.suffix == ".part"
    assert store.get({"seed": 1}, root) is None

    store.put(KEY, TENSORS, METADATA, root)
    assert part.exists()  # it might belong to a process at work
    an_age_ago = time.time() - store.LEFTOVER_AGE - 1
    os.utime(part, (an_age_ago, an_age_ago))
    store.put(KEY, TENSORS, METADATA, root)
    assert not part.exists()
    assert_is_the_record(store.get(KEY, root))


def test_concurrent_writers_and_readers_see_whole_entries(root: Path) -> None:
    work = """
        for turn in range(25):
            key = {"seed": turn % 5}
            entry = store.get(key, root) if turn % 2 else None
            if entry is None:
                entry = store.put(key, {"x": torch.full((20_000,), turn % 5)}, {"turn": turn % 5}, root)
            assert bool((entry.tensors["x"] == turn % 5).all()) and entry.metadata == {"turn": turn % 5}
    """
    processes = [run_python(work, root) for _ in range(3)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert err == ""
    assert len(list(root.iterdir())) == 5


def test_the_environment_names_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FNN_STORE", str(tmp_path / "elsewhere"))
    store.put(KEY, TENSORS, METADATA)
    assert only_file(tmp_path / "elsewhere").suffix == ".safetensors"


def test_tensor_digest_sees_dtype_shape_and_bytes() -> None:
    x = torch.tensor([1.0, 0.0])
    digests = {
        store.tensor_digest(t)
        for t in [x, x.double(), x[:, None], torch.tensor([1.0, -0.0]), torch.tensor([0.0, 1.0])]
    }
    assert len(digests) == 5
    assert store.tensor_digest(torch.tensor([9.0, 1.0, 0.0])[1:]) == store.tensor_digest(x)
