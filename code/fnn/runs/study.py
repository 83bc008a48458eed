"""Large studies from the command line: train, keep every shard, summarise the distinct minima.

    python -m fnn.runs.study --width 2 --restarts 100000 --method lm --shards 64

A study that is interrupted or killed goes on where it stopped when the same command is given again. On a
cluster, call `run_study` within `joblib.parallel_config(backend="dask")`: see docs/cluster.md.
"""

import argparse
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from fnn.data import PROJECT, Dataset, load_d1
from fnn.experiments.task_2b import study
from fnn.landscape.minima import Minimum
from fnn.optimizers import METHODS, PRESETS, Limits
from fnn.optimizers.initial_points import LAWS
from fnn.optimizers.shard import Settings
from fnn.runs import store
from fnn.training import SEED, Record, record_key, train_restarts
from fnn.units import UNITS

SHOWN = 20  # minima in the printed table; the files have all


def run_study(folder: Path, data: Dataset, hidden_sizes: Sequence[int], restarts: int, **options: Any) -> str:
    """Train as `train_restarts` does, write the record and its summary, and return the summary as text.

    `folder` receives `record.safetensors` (see `load_record`), `minima.json` and `minima.md`.

    Raises:
        ValueError: as `train_restarts` does.
        OSError: if the files cannot be written.
    """
    record = train_restarts(hidden_sizes, restarts, data=data, **options)
    minima = study(record, data).minima
    summary = summarise(record, data, minima)
    folder.mkdir(parents=True, exist_ok=True)
    save_record(folder / "record.safetensors", record, data)
    store.write_whole(folder / "minima.json", f"{json.dumps(summary, indent=1)}\n".encode())
    store.write_whole(folder / "minima.md", f"{_as_text(summary, len(minima))}\n".encode())
    return _as_text(summary, SHOWN)


def summarise(record: Record, data: Dataset, minima: Sequence[Minimum]) -> dict[str, Any]:
    """Settings, counts and distinct minima of a record as JSON values."""
    return {
        "settings": asdict(record.settings),
        "data": data.name,
        "restarts": len(record),
        "seconds": record.seconds,
        "stops": dict(Counter(record.stop).most_common()),
        "endings": dict(Counter(kind.value for kind in study(record, data).endings).most_common()),
        "minima": [
            {
                "train_mse": minimum.train_mse,
                "test_mse": minimum.test_mse,
                "runs": minimum.count,
                "ending": minimum.ending.value,
                "first_run": minimum.run,
            }
            for minimum in minima
        ],
    }


def save_record(path: Path, record: Record, data: Dataset) -> None:
    """Write a record to one safetensors file with everything that determines it."""
    names = [field.name for field in fields(Record) if field.name not in ("settings", "seconds")]
    tensors: dict[str, Tensor] = {name: getattr(record, name) for name in names}
    metadata = {"settings": asdict(record.settings), "seconds": record.seconds}
    store.save(path, record_key(record.settings, data), store.Entry(tensors, metadata))


def load_record(path: Path) -> Record:
    """Read what `save_record` wrote.

    Raises:
        OSError: if the file cannot be read.
        store.DamagedEntryError: if it is anything else.
    """
    tensors, metadata = store.load(path)
    settings = metadata["settings"]
    settings = Settings(
        **settings | {"sizes": tuple(settings["sizes"]), "limits": Limits(**settings["limits"])}
    )
    return Record(settings, **tensors, seconds=metadata["seconds"])


def _as_text(summary: dict[str, Any], most: int) -> str:
    """The summary as Markdown, with the `most` minima of lowest train MSE."""
    settings, runs = summary["settings"], summary["restarts"]
    sizes = "-".join(map(str, settings["sizes"]))
    rows = [
        [
            f"{minimum['train_mse']:.7f}",
            f"{minimum['test_mse']:.5f}",
            str(minimum["runs"]),
            f"{100 * minimum['runs'] / runs:.2f} %",
            minimum["ending"],
        ]
        for minimum in summary["minima"][:most]
    ]
    lines = [
        f"{runs} runs of {sizes} ({settings['unit']}) on {summary['data']}, {settings['method']}, "
        f"seed {settings['seed']}: {summary['seconds']:.1f} s on one core.",
        f"Stopped: {_counts(summary['stops'])}. Ended: {_counts(summary['endings'])}.",
        f"{len(summary['minima'])} distinct minima"
        + (f"; the {most} lowest:" if len(summary["minima"]) > most else ":"),
        "",
        _aligned(["train MSE", "test MSE", "runs", "share", "ending"], rows),
    ]
    return "\n".join(lines)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, all columns but the last flush right, that also lines up at a terminal."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        return "| " + " | ".join([*padded[:-1], cells[-1].ljust(widths[-1])]) + " |"

    rule = ["-" * (width - 1) + ":" for width in widths[:-1]] + ["-" * widths[-1]]
    return "\n".join(map(line, [header, rule, *rows]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fnn.runs.study", description="Train many networks and summarise the distinct minima."
    )
    add_number = partial(parser.add_argument, type=int, metavar="N")
    add_number("--width", nargs="+", required=True, help="units of each hidden layer")
    add_number("--restarts", required=True, help="initial points")
    parser.add_argument("--method", default="bfgs", choices=METHODS)
    parser.add_argument("--phi", default="sigmoid", choices=UNITS, help="hidden units")
    parser.add_argument("--init", default="course", choices=LAWS, help="law of the initial points")
    parser.add_argument("--limits", default="full", choices=PRESETS, help="when a run stops")
    add_number("--seed", default=SEED, help="of the initial points")
    add_number("--shards", help="parts that are kept one by one")
    parser.add_argument("--device", default="cpu", help="where to compute: cpu, cuda, …")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="default: a folder in _build/studies")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    parser = _parser()
    chosen = vars(parser.parse_args(arguments))
    width, restarts, folder = chosen.pop("width"), chosen.pop("restarts"), chosen.pop("output")
    name = "-".join(
        [chosen["method"], *map(str, width), chosen["phi"], f"{restarts}-runs", f"seed-{chosen['seed']}"]
    )
    folder = folder or PROJECT / "_build" / "studies" / name
    try:
        print(run_study(folder, load_d1(), width, restarts, **chosen))
    except ValueError as error:  # a DataError among them
        parser.error(str(error))
    except OSError as error:
        parser.error(f"{folder}: {error.strerror}; name another folder with --output")
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    print(f"\nThe record and the summary are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
