"""Which entries of a store the present sources never read again."""

from pathlib import Path

import pytest
import torch

from fnn import train_restarts
from fnn.inputs import environment
from fnn.optimizers import Limits
from fnn.runs import store, unreachable
from fnn.training import METHOD_KEYS

FEW = Limits(iterations=2, least_squares_iterations=2)


def plant(key: dict[str, object]) -> Path:
    store.put(key, {"x": torch.zeros(2)}, {})
    return store.entry_path(key)


@pytest.fixture
def dead() -> set[Path]:
    """Beside four entries of training: of other code, other libraries, a method that is gone, no entry."""
    for method in ("bfgs", "lm", "adam"):
        train_restarts([1], 2, method=method, limits=FEW)
    train_restarts([2], 2, limits=FEW, seed=9)  # not in any document, but a call away
    settings = {"settings": {"method": "lm"}, "data": "", "runs": [0, 2]}
    present = METHOD_KEYS["lm"]
    paths = {
        plant(settings | present | {"sources": present["sources"] | {"fnn.backprop": "another"}}),
        plant(settings | present | {"libraries": {"torch": "1.0"}}),
        plant(settings | present | {"settings": {"method": "newton"}}),
        plant({"sources": {}, "torch": "2.13.0"}),  # as keys were
        environment.store() / "text.safetensors",
    }
    (environment.store() / "text.safetensors").write_text("params: 1")
    return paths


def test_entries_of_the_present_sources_are_reachable(dead: set[Path]) -> None:
    assert set(unreachable.unreachable(environment.store())) == dead
    assert len(list(environment.store().iterdir())) == len(dead) + 4


def test_the_command_lists_and_removes(dead: set[Path], capsys: pytest.CaptureFixture[str]) -> None:
    unreachable.main([])
    *listed, total = capsys.readouterr().out.splitlines()
    assert set(map(Path, listed)) == dead
    assert total.startswith(f"{environment.store()}: 5 entries (")
    assert total.endswith("that the present sources cannot reach; 4 stay")

    unreachable.main(["--remove"])
    assert capsys.readouterr().out.endswith("cannot reach, removed; 4 stay\n")
    assert not any(path.exists() for path in dead)
    assert list(unreachable.unreachable(environment.store())) == []
    unreachable.main(["--remove"])
    assert ": 0 entries (0.0 MB)" in capsys.readouterr().out


def test_a_store_that_is_not_there_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FNN_STORE", str(tmp_path / "none"))
    unreachable.main([])
