"""D1 against its definition, and every kind of bad data file by its message."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fnn import load_d1
from fnn.data import DataError, Dataset, read_xy

GOOD_ROWS = "".join(f"{x},{x}.5\n" for x in range(10))


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
    path = write(tmp_path / "own.csv", "x,y\n" + GOOD_ROWS + "9,9.5\n-1e3,2E-2\n")
    X, y = read_xy(path)
    assert X.flatten().tolist() == [*range(10), 9, -1000]  # the repeated point is kept, the order as well
    assert y[-1].item() == pytest.approx(0.02)
    own = load_d1(train=path, test=path)
    assert own.X_test.shape == (12, 1)


@pytest.mark.parametrize(
    "head", ["x,y\n", "x, y\n", "\ufeffx,y\n", "x,y\r\n"], ids=["plain", "space", "BOM", "CRLF"]
)
def test_headers_of_common_editors_are_read(tmp_path: Path, head: str) -> None:
    assert read_xy(write(tmp_path / "d.csv", head + GOOD_ROWS))[0].shape == (10, 1)


def test_empty_lines_at_the_end_are_no_points(tmp_path: Path) -> None:
    for end in ("\n", "\n\n  \n"):
        assert read_xy(write(tmp_path / "d.csv", "x,y\n" + GOOD_ROWS + end))[0].shape == (10, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"d\.csv:1: the file is empty; write the header x,y"),
        ("\n\n", r"d\.csv:1: the file is empty"),
        (GOOD_ROWS, r"d\.csv:1: .* header x,y, not '0,0\.5'"),
        ("y,x\n" + GOOD_ROWS, r"d\.csv:1: .* not 'y,x'"),
        ("x;y\n0;0,5\n", r"d\.csv:1: .* not 'x;y'; its columns are separated by semicolons: use commas"),
        ("x\ty\n0\t0.5\n", r"d\.csv:1: .*; its columns are separated by tabs: use commas, and a point"),
        ("x,y\n", r"d\.csv:1: the file ends after 0 points, at least 10 are needed; add rows"),
        ("x,y\n0,0\n1,1\n2,2\n3,3\n4,4\n", r"d\.csv:6: the file ends after 5 points, at least 10"),
        ("x,y\n" + "".join(f"{x},0.5\n" for x in range(12)), r"d\.csv:2: y is 0\.5 here and on every line"),
        ("x,y\n" + "".join(f"3,{y}\n" for y in range(12)), r"d\.csv:2: x is 3 here and on every line below"),
        ("x,y\n" + GOOD_ROWS + "\n5,5\n", r"d\.csv:12: an empty line; remove it"),
        ("x,y\n" + GOOD_ROWS + "5\n", r"d\.csv:12: 1 columns, expected the two numbers"),
        ("x,y\n" + GOOD_ROWS + "5,5,5\n", r"d\.csv:12: 3 columns"),
        ("x,y\n" + GOOD_ROWS + "3.5;1\n", r"d\.csv:12: 1 columns, .* separated by semicolons"),
        ("x,y\n" + GOOD_ROWS + "3\t5\n", r"d\.csv:12: 1 columns, .* separated by tabs: use commas"),
        ("x,y\n" + GOOD_ROWS + "3;5,1\n", r"d\.csv:12: '3;5,1' is not two numbers; .* semicolons"),
        ("x,y\n" + GOOD_ROWS + "five,5\n", r"d\.csv:12: 'five,5' is not two numbers"),
        ("x,y\n" + GOOD_ROWS + ",5\n", r"d\.csv:12: ',5' is not two numbers"),
        ("x,y\n" + GOOD_ROWS + "5,nan\n", r"d\.csv:12: '5,nan' is not finite"),
        ("x,y\n" + GOOD_ROWS + "-inf,5\n", r"d\.csv:12: '-inf,5' is not finite"),
        ("x,y\n" + GOOD_ROWS + "5,1e39\n", r"d\.csv:12: '5,1e39' is not finite"),
    ],
)
def test_bad_files_are_refused_by_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_xy(write(tmp_path / "d.csv", text))


def test_missing_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"none\.csv: cannot be read \(No such file .*\); name a CSV file in _quarto\.yml"
    ):
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
    "settings", ["lang: en\n", "dataset: d1.csv\n", "dataset: {name: D2, train: a.csv}\n", "- D1\n"]
)
def test_the_project_file_must_name_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> None:
    write(tmp_path / "_quarto.yml", settings)
    monkeypatch.setattr("fnn.data.PROJECT", tmp_path)
    with pytest.raises(DataError, match=r"_quarto\.yml: `dataset:` must give `name`, `train` and `test`"):
        load_d1()


def test_without_the_project_the_files_must_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the package is installed elsewhere."""
    monkeypatch.setattr("fnn.data.PROJECT", tmp_path)
    with pytest.raises(DataError, match=r"_quarto\.yml: cannot be read .* load_d1\(train, test\)"):
        load_d1()
    own = write(tmp_path / "own.csv", "x,y\n" + GOOD_ROWS)
    assert load_d1(own, own).name == "own"
    write(tmp_path / "_quarto.yml", "dataset: [\n")
    with pytest.raises(DataError, match=r"_quarto\.yml: cannot be read \(while parsing .*line 2.* mend it"):
        load_d1()


GOOD = torch.linspace(0, 1, 12)[:, None]


def without(value: float) -> torch.Tensor:
    """Good numbers but for the sixth."""
    values = GOOD.clone()
    values[5] = value
    return values


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("X_train", GOOD[:9], "X_train has 9 examples, y_train has 12: give a target for each input"),
        ("y_test", GOOD[:9], "X_test has 12 examples, y_test has 9"),
        (
            "X_train",
            without(math.nan),
            r"X_train\[5\] is \[nan\]: must be finite; leave the example out",
        ),
        ("y_train", without(math.inf), r"y_train\[5\] is \[inf\]"),
        ("X_test", without(-math.inf), r"X_test\[5\] is \[-inf\]"),
        ("y_test", without(math.nan), r"y_test\[5\] is \[nan\]"),
        ("y_train", GOOD[:, 0], r"y_train has shape \[12\]: give \[N, 1\] with N > 0"),
        ("X_train", GOOD[:, 0], r"X_train has shape \[12\]: give \[N, D\]"),
        ("X_train", GOOD[:0], r"X_train has shape \[0, 1\]"),
        ("X_train", [0.0, 1.0], "X_train is list: give a tensor of floating-point numbers"),
        (
            "y_train",
            torch.arange(12)[:, None],
            r"y_train is torch\.int64: give a tensor of",
        ),
    ],
)
def test_examples_that_cannot_be_trained_on_are_refused_by_name(
    part: str, values: object, message: str
) -> None:
    parts = dict.fromkeys(("X_train", "y_train", "X_test", "y_test"), GOOD) | {part: values}
    with pytest.raises((TypeError, ValueError), match=message):
        Dataset("own", **parts)
