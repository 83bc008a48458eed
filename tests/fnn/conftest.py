"""What all tests of the solution share: one thread, and a model store of their own."""

from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """The tensors of these tests are small: threads would cost more than they save."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads a record that another run left behind, nor leaves one."""
    monkeypatch.setenv("FNN_STORE", str(tmp_path / "_store"))
