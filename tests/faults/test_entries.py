"""Entries of the model store and of the memory that are damaged: noticed, said in one line, made anew."""

import random
from pathlib import Path

import pytest
import torch

from fnn.runs import store
from handin.memory import recall
from handin.memory.entries import Entries, Entry

KEY = {"study": 1}
TENSORS = {"params": torch.arange(6, dtype=torch.float64).reshape(2, 3)}


@pytest.fixture
def entries(tmp_path: Path) -> Entries:
    said: list[str] = []
    made = Entries(tmp_path / "memory", said.append)
    made.said = said  # type: ignore[attr-defined]
    return made


def cell(text: str) -> Entry:
    return Entry([["file", "a.py", "digest"]], [["stream", {"text": text}]], {"status": "ok"}, 1)


def damaged(data: bytes, chance: random.Random, count: int) -> list[bytes]:
    """Flipped bytes, at places drawn at random, and truncations."""
    places = sorted(chance.sample(range(len(data)), min(count, len(data))))
    flipped = [data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :] for at in places]
    return flipped + [data[: len(data) * part // 7] for part in range(7)] + [b"", b"\0" * len(data)]


def test_every_damage_to_the_store_is_noticed(
    tmp_path: Path, chance: random.Random, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put(KEY, TENSORS, {"seconds": 1.0}, tmp_path)
    path = store.entry_path(KEY, tmp_path)
    sound = path.read_bytes()
    for data in damaged(sound, chance, 400):
        path.write_bytes(data)
        store._reported.clear()
        found = store.get(KEY, tmp_path)
        said = capsys.readouterr().err
        if found is None:
            assert said.count("\n") == 1, said
            assert str(path) in said
        else:  # a blank of the header's padding, say, that means the same
            assert torch.equal(found.tensors["params"], TENSORS["params"])
            assert found.metadata == {"seconds": 1.0}
    store.put(KEY, TENSORS, {"seconds": 1.0}, tmp_path)
    again = store.get(KEY, tmp_path)
    assert again is not None
    assert torch.equal(again.tensors["params"], TENSORS["params"])


def test_two_entries_of_the_store_that_changed_places_are_noticed(tmp_path: Path) -> None:
    other = {"study": 2}
    for key in (KEY, other):
        store.put(key, TENSORS, {}, tmp_path)
    one, two = (store.entry_path(key, tmp_path) for key in (KEY, other))
    kept = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(kept)
    assert store.get(KEY, tmp_path) is None
    assert store.get(other, tmp_path) is None


def test_every_damage_to_the_memory_is_noticed(
    tmp_path: Path, entries: Entries, chance: random.Random
) -> None:
    entry = cell("right")
    entries.put("key", entry)
    [path] = (tmp_path / "memory" / "key").iterdir()
    sound = path.read_bytes()
    for data in damaged(sound, chance, 400):
        path.write_bytes(data)
        entries.said.clear()  # type: ignore[attr-defined]
        found = entries.find("key", lambda _: True)
        if found is None:
            assert len(entries.said) == 1  # type: ignore[attr-defined]
            assert not path.exists()
        else:
            assert found == entry, data
    entries.put("key", entry)
    assert path.read_bytes() == sound


def test_two_entries_of_the_memory_that_changed_places_are_noticed(tmp_path: Path, entries: Entries) -> None:
    entries.put("one", cell("1"))
    entries.put("two", cell("2"))
    [one], [two] = ([*(tmp_path / "memory" / key).iterdir()] for key in ("one", "two"))
    kept = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(kept)
    assert entries.find("one", lambda _: True) is None
    assert entries.find("two", lambda _: True) is None


@pytest.mark.parametrize(
    ("where", "name", "other"),
    [
        (recall, "FORMAT", 0),
        (recall.sys, "version", "3.10.0"),
        (recall.platform, "machine", lambda: "aarch64"),
        (recall.os, "cpu_count", lambda: 1000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_version_or_machine_does_not_find_what_this_one_remembers(
    where: object, name: str, other: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_up() -> Entry | None:
        remembers = recall.Recall(tmp_path, tmp_path, {}, lambda _: None)
        request = recall.Request("1 + 1")
        if not list(tmp_path.glob("_build/memory/*/*")):
            remembers.entries.put(remembers.key(request), Entry([], [], {"status": "ok"}, 1))
        return remembers.find(request)

    assert looked_up() == looked_up() is not None
    monkeypatch.setattr(where, name, other)
    assert looked_up() is None


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="this system does not tell what its cores can")
def test_the_kind_of_the_first_core_is_among_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`platform` says x86_64 of all of them."""
    assert any(line.startswith(("flags", "Features")) for line in recall._processor())
    own = recall.Recall(tmp_path, tmp_path, {}, lambda _: None).key(recall.Request("1"))
    monkeypatch.setattr(recall, "takewhile", lambda *_: ["flags : fpu"])
    assert recall.Recall(tmp_path, tmp_path, {}, lambda _: None).key(recall.Request("1")) != own


@pytest.mark.parametrize("place", ["memory", "memory/key"])
def test_a_file_in_the_place_of_the_memorys_folder_costs_only_the_memory(
    tmp_path: Path, entries: Entries, place: str
) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("in the way")
    entries.put("key", cell("1"))
    assert entries.find("key", lambda _: True) is None
    assert len(entries.said) == 1  # type: ignore[attr-defined]
