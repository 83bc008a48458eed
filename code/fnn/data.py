"""The data set: two CSV files with columns x,y, read and checked.

`_quarto.yml` names it (`dataset:` with `name`, `train`, `test` and, where they are known, `noise-std` and
`signal`); D1 is in `data/`.
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from fnn.inputs.environment import PROJECT

SIGNALS = {"sin": torch.sin, "cos": torch.cos, "exp": torch.exp}  # names that `signal` may have
MIN_ROWS = 10  # fewer points than this say nothing about a fit: three hidden units have ten parameters
LARGEST = torch.finfo(torch.float32).max


class DataError(ValueError):
    """A data file that cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True)
class Dataset:
    """A 1-D regression data set; N and M examples, float32, dimensionless.

    Raises:
        TypeError: if inputs or targets are no tensors of floating-point numbers.
        ValueError: if they are not [N, D] and [N, 1] with N > 0, or hold a number that is not finite.
    """

    name: str  # as the documents call it
    X_train: Tensor  # [N, 1]
    y_train: Tensor  # [N, 1]
    X_test: Tensor  # [M, 1]
    y_test: Tensor  # [M, 1]
    noise_std: float | None = None  # standard deviation of the noise on y, where it is known
    signal: str | None = None  # the function of x below the noise, a key of SIGNALS, where it is known

    def __post_init__(self) -> None:
        for name in ("X_train", "y_train", "X_test", "y_test"):
            values = getattr(self, name)
            if not isinstance(values, Tensor) or not values.is_floating_point():
                kind = values.dtype if isinstance(values, Tensor) else type(values).__name__
                raise TypeError(f"{name} is {kind}: give a tensor of floating-point numbers")
            columns = "1" if name[0] == "y" else "D"
            if values.ndim != 2 or len(values) == 0 or (columns == "1" and values.shape[1] != 1):
                raise ValueError(f"{name} has shape {list(values.shape)}: give [N, {columns}] with N > 0")
            if not values.isfinite().all():
                row = int((~values.isfinite()).any(dim=1).nonzero()[0, 0])
                found = values[row].tolist()
                raise ValueError(f"{name}[{row}] is {found}: must be finite; leave the example out")
        for X, y, part in ((self.X_train, self.y_train, "train"), (self.X_test, self.y_test, "test")):
            if len(X) != len(y):
                raise ValueError(
                    f"X_{part} has {len(X)} examples, y_{part} has {len(y)}: give a target for each input"
                )

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Inputs and targets to train on, inputs and targets to test on."""
        return self.X_train, self.y_train, self.X_test, self.y_test

    def double(self) -> "Dataset":
        """The same in double precision, in which everything is trained and measured."""
        X_train, y_train, X_test, y_test = (tensor.double() for tensor in self.tensors())
        return replace(self, X_train=X_train, y_train=y_train, X_test=X_test, y_test=y_test)

    @property
    def x_range(self) -> tuple[float, float]:
        """Smallest and largest input of the training and test data."""
        x = torch.cat([self.X_train, self.X_test])
        return float(x.min()), float(x.max())

    def noise_mse(self, part: str) -> float | None:
        """Mean square of the noise on the targets of `part`, train or test; None where it is not known."""
        if self.signal is None:
            return None
        X, y = (self.X_train, self.y_train) if part == "train" else (self.X_test, self.y_test)
        return float((y.double() - SIGNALS[self.signal](X.double())).square().mean())


def load_d1(train: str | Path | None = None, test: str | Path | None = None) -> Dataset:
    """Read the training and test data; a file that is not given is the one that `_quarto.yml` names.

    Noise and signal are known of these two alone, D1 unless changed.

    Raises:
        DataError: if a file is missing, is not UTF-8, lacks the header `x,y`, has fewer than `MIN_ROWS` rows,
            has a row that is not two finite numbers, or the same x or the same y in all rows.
    """
    if train and test:
        return Dataset(Path(train).stem, *read_xy(train), *read_xy(test))
    named = _named_in_project()
    known = (None, None) if train or test else (named.get("noise-std"), named.get("signal"))
    files = (train or PROJECT / named["train"], test or PROJECT / named["test"])
    return Dataset(named["name"], *read_xy(files[0]), *read_xy(files[1]), *known)


def read_xy(path: str | Path) -> tuple[Tensor, Tensor]:
    """Inputs and targets of one CSV file, [N, 1] each, float32, in the order of the file."""
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        reason = f"{error.reason} at byte {error.start}"
        raise DataError(f"{path}: not UTF-8 text ({reason}); save it as UTF-8 CSV") from None
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); name a CSV file in _quarto.yml under `dataset:`"
        ) from None
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise DataError(f"{path}:1: the file is empty; write the header x,y and a point on each line below")
    header, *rows = csv.reader(lines)
    if [name.strip() for name in header] != ["x", "y"]:
        raise DataError(
            f"{path}:1: the first line must be the header x,y, not {lines[0]!r}{_separator(lines[0])}"
        )
    # A point that stands twice is two measurements: every row is kept.
    points = [_point(f"{path}:{line}", row) for line, row in enumerate(rows, start=2)]
    if len(points) < MIN_ROWS:
        raise DataError(
            f"{path}:{len(lines)}: the file ends after {len(points)} points, at least {MIN_ROWS} are needed; "
            "add rows"
        )
    xy = torch.tensor(points, dtype=torch.float32)  # [N, 2]
    for column, name in enumerate("xy"):
        if (xy[:, column] == xy[0, column]).all():
            raise DataError(
                f"{path}:2: {name} is {points[0][column]:g} here and on every line below: there is nothing "
                "to fit; give points that differ"
            )
    return xy[:, :1], xy[:, 1:]


def _separator(line: str) -> str:
    """What to do about a line whose columns are not separated by commas; nothing where they are."""
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if sign in line:
            return f"; its columns are separated by {name}: use commas, and a point for decimals"
    return ""


def _point(place: str, row: list[str]) -> tuple[float, float]:
    if not row:
        raise DataError(f"{place}: an empty line; remove it")
    if len(row) != 2:
        line = ",".join(row)
        raise DataError(f"{place}: {len(row)} columns, expected the two numbers x,y{_separator(line)}")
    try:
        x, y = float(row[0]), float(row[1])
    except ValueError:
        line = ",".join(row)
        remedy = _separator(line) or "; use a decimal point, as in 1.5,0.25"
        raise DataError(f"{place}: {line!r} is not two numbers{remedy}") from None
    if not (abs(x) <= LARGEST and abs(y) <= LARGEST):
        raise DataError(
            f"{place}: {','.join(row)!r} is not finite in single precision; remove the row or mend it"
        )
    return x, y


def _named_in_project() -> dict[str, Any]:
    """What `_quarto.yml` says under `dataset:`."""
    path = PROJECT / "_quarto.yml"
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(
            f"{path}: cannot be read ({' '.join(str(error).split())}); it names the data: install by "
            "`pip install -e .`, mend it, or give the files: load_d1(train, test)"
        ) from None
    named = settings.get("dataset") if isinstance(settings, dict) else None
    if not isinstance(named, dict) or not all(
        isinstance(named.get(k), str) for k in ("name", "train", "test")
    ):
        raise DataError(
            f"{path}: `dataset:` must give `name`, `train` and `test`, the last two paths of CSV files"
        )
    noise_std, signal = named.get("noise-std"), named.get("signal")
    if noise_std is not None and not (isinstance(noise_std, int | float) and noise_std > 0):
        raise DataError(f"{path}: `noise-std: {noise_std}` must be a positive number, or left out")
    if signal is not None and signal not in SIGNALS:
        raise DataError(f"{path}: `signal: {signal}` must be one of {', '.join(SIGNALS)}, or left out")
    return named
