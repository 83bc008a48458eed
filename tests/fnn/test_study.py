"""The study command: its files, its refusals, and that a killed study goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from fnn import load_d1
from fnn.landscape.minima import distinct_minima
from fnn.runs import store, study
from fnn.training import train_restarts

SMALL = ["--width", "2", "--restarts", "12", "--method", "lm", "--shards", "1"]


def test_a_study_writes_record_and_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert study.main([*SMALL, "--output", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out

    data = load_d1()
    expected = train_restarts([2], 12, method="lm")
    record = study.load_record(tmp_path / "out" / "record.safetensors")
    assert record.settings == expected.settings
    assert torch.equal(record.params, expected.params)
    assert record.stop == expected.stop

    minima = distinct_minima(expected, data)
    summary = json.loads((tmp_path / "out" / "minima.json").read_text())
    assert summary["restarts"] == 12
    assert [row["train_mse"] for row in summary["minima"]] == [minimum.train_mse for minimum in minima]
    assert [row["runs"] for row in summary["minima"]] == [minimum.count for minimum in minima]
    assert sum(summary["endings"].values()) == sum(summary["stops"].values()) == 12

    assert "12 runs of 1-2-1 (sigmoid) on D1, lm, seed 24" in printed
    assert f"| {minima[0].train_mse:.7f} |" in printed
    assert (tmp_path / "out" / "minima.md").read_text() in printed


def test_the_table_is_cut_but_the_files_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "SHOWN", 1)
    study.main([*SMALL, "--output", str(tmp_path)])
    minima = json.loads((tmp_path / "minima.json").read_text())["minima"]
    assert len(minima) > 1
    assert f"{len(minima)} distinct minima; the 1 lowest:" in capsys.readouterr().out
    assert f"{minima[-1]['train_mse']:.7f}" in (tmp_path / "minima.md").read_text()


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    study.main([*SMALL, "--output", str(tmp_path)])
    path = tmp_path / "record.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(store.DamagedEntryError, match="not a sound safetensors file"):
        study.load_record(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--restarts", "5"], "required: --width"),
        (["--width", "2"], "required: --restarts"),
        (["--width", "two", "--restarts", "5"], "argument --width: invalid int value: 'two'"),
        (["--width", "0", "--restarts", "5"], "hidden_sizes=[0]: must be positive whole numbers"),
        (["--width", "2", "--restarts", "0"], "restarts=0: must be at least 1"),
        (["--width", "2", "--restarts", "5", "--shards", "6"], "shards=6: must be between 1 and"),
        (["--width", "2", "--restarts", "5", "--shards", "0"], "shards=0: must be at least 1"),
        (
            ["--width", "2", "--restarts", "5", "--method", "newton"],
            "argument --method: invalid choice: 'newton'",
        ),
        (["--width", "2", "--restarts", "5", "--phi", "step"], "argument --phi: invalid choice: 'step'"),
        (["--width", "2", "--restarts", "5", "--init", "zero"], "argument --init: invalid choice: 'zero'"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        study.main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit):
        study.main([*SMALL, "--output", str(tmp_path / "file" / "out")])
    assert "name another folder with --output" in capsys.readouterr().err


def test_an_interrupted_study_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **options: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "run_study", interrupted)
    assert study.main(SMALL) == 130
    assert capsys.readouterr().err == "Interrupted; the same command goes on from here.\n"


def test_a_killed_study_repeats_no_finished_shard(tmp_path: Path) -> None:
    """Killed for good, all its processes with it; then the same command again."""
    root = Path(os.environ["FNN_STORE"])
    command = [sys.executable, "-m", "fnn.runs.study", "--width", "2", "--restarts", "12", "--shards", "12"]
    command += ["--method", "scipy-bfgs", "--limits", "quick", "--output", str(tmp_path / "out")]
    # On one core the shards are computed in the process itself, one after another.
    environment = os.environ | {"PYTHONPATH": str(Path(study.__file__).parents[2]), "LOKY_MAX_CPU_COUNT": "1"}

    process = subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(root.glob("*.safetensors"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out").exists()
    finished = {path: path.stat().st_mtime_ns for path in root.glob("*.safetensors")}
    assert 2 <= len(finished) < 12

    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    assert len(list(root.glob("*.safetensors"))) == 12
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    record = study.load_record(tmp_path / "out" / "record.safetensors")
    uninterrupted = train_restarts(
        [2], 12, method="scipy-bfgs", limits="quick", shards=12
    )  # read from the same store
    assert torch.equal(record.params, uninterrupted.params)
    assert len(list(root.glob("*.safetensors"))) == 12
