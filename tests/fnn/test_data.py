"""D1 against its definition, and every kind of bad data file by its message."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fnn import load_d1
from fnn.data import DataError, read_xy

GOOD_ROWS = "0,0.5\n1,1.5\n2,2.5\n3,3.5\n4,4.5\n"


def test_d1_is_what_its_definition_draws() -> None:
    """Written anew here from the assignment's words, not from data/make_d1.py."""
    data = load_d1()
    noise = np.random.RandomState(1).normal(0, 0.1, 223)
    for X, y, count, epsilon in [
        (data.X_train, data.y_train, 100, noise[:100]),
        (data.X_test, data.y_test, 123, noise[100:]),
    ]:
        x = np.linspace(0, 4 * np.pi, count)
        assert X.shape == y.shape == (count, 1)
        assert X.dtype == y.dtype == torch.float32
        assert torch.equal(X[:, 0], torch.from_numpy(x.astype(np.float32)))
        assert torch.equal(y[:, 0], torch.from_numpy((np.sin(x) + epsilon).astype(np.float32)))


def test_d1_is_named_and_knows_its_range() -> None:
    data = load_d1()
    assert data.name == "D1"
    low, high = data.x_range
    assert low == 0
    assert math.isclose(high, 4 * math.pi, rel_tol=1e-6)


def test_the_noise_of_d1_is_what_was_added_to_the_signal() -> None:
    noise = np.random.RandomState(1).normal(0, 0.1, 223)
    assert load_d1().noise_mse("train") == pytest.approx((noise[:100] ** 2).mean(), rel=1e-5)
    assert load_d1().noise_mse("test") == pytest.approx((noise[100:] ** 2).mean(), rel=1e-5)
    assert replace(load_d1(), signal=None).noise_mse("train") is None


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_any_data_set_in_the_same_form(tmp_path: Path) -> None:
    path = write(tmp_path / "own.csv", "x,y\n" + GOOD_ROWS + "4,4.5\n-1e3,2E-2\n")
    X, y = read_xy(path)
    assert X.flatten().tolist() == [0, 1, 2, 3, 4, 4, -1000]  # the repeated point is kept, the order as well
    assert y[-1].item() == pytest.approx(0.02)
    own = load_d1(train=path, test=path)
    assert own.X_test.shape == (7, 1)


@pytest.mark.parametrize(
    "head", ["x,y\n", "x, y\n", "\ufeffx,y\n", "x,y\r\n"], ids=["plain", "space", "BOM", "CRLF"]
)
def test_headers_of_common_editors_are_read(tmp_path: Path, head: str) -> None:
    assert read_xy(write(tmp_path / "d.csv", head + GOOD_ROWS))[0].shape == (5, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"d\.csv:1: .* header x,y, not 'an empty file'"),
        (GOOD_ROWS, r"d\.csv:1: .* header x,y, not '0,0\.5'"),
        ("y,x\n" + GOOD_ROWS, r"d\.csv:1: .* not 'y,x'"),
        ("x,y\n", r"d\.csv: 0 points, at least 5"),
        ("x,y\n0,0\n1,1\n", r"d\.csv: 2 points, at least 5"),
        ("x,y\n" + GOOD_ROWS + "\n5,5\n", r"d\.csv:7: an empty line; remove it"),
        ("x,y\n" + GOOD_ROWS + "5\n", r"d\.csv:7: 1 columns, expected the two numbers"),
        ("x,y\n" + GOOD_ROWS + "5,5,5\n", r"d\.csv:7: 3 columns"),
        ("x,y\n" + GOOD_ROWS + "3;5,1\n", r"d\.csv:7: '3;5,1' is not two numbers; use a decimal point"),
        ("x,y\n" + GOOD_ROWS + "five,5\n", r"d\.csv:7: 'five,5' is not two numbers"),
        ("x,y\n" + GOOD_ROWS + ",5\n", r"d\.csv:7: ',5' is not two numbers"),
        ("x,y\n" + GOOD_ROWS + "5,nan\n", r"d\.csv:7: '5,nan' is not finite"),
        ("x,y\n" + GOOD_ROWS + "-inf,5\n", r"d\.csv:7: '-inf,5' is not finite"),
        ("x,y\n" + GOOD_ROWS + "5,1e39\n", r"d\.csv:7: '5,1e39' is not finite"),
    ],
)
def test_bad_files_are_refused_by_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_xy(write(tmp_path / "d.csv", text))


def test_missing_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: no such file; name the data set in _quarto\.yml"):
        read_xy(tmp_path / "none.csv")


def test_a_folder_is_not_a_data_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_xy(tmp_path)


def test_other_encodings_name_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes(b"x,y\n1,\xff\n")
    with pytest.raises(DataError, match=r"not UTF-8 text .* at byte 6"):
        read_xy(path)


@pytest.mark.parametrize(
    "settings", ["lang: en\n", "dataset: d1.csv\n", "dataset: {name: D2, train: a.csv}\n"]
)
def test_the_project_file_must_name_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> None:
    write(tmp_path / "_quarto.yml", settings)
    monkeypatch.setattr("fnn.data.PROJECT", tmp_path)
    with pytest.raises(DataError, match=r"_quarto\.yml: `dataset:` must give `name`, `train` and `test`"):
        load_d1()
