"""The course's way of training beside ours: `python benchmarks/run.py [--quick] [section …]`.

Prints a table per section and writes them all to `benchmarks/results.md`. Every ratio is of two measurements
of the same run, each in processor seconds of one thread, so that other work on the machine and the number
of cores do not count; several cores multiply ours by nearly their number (shards are independent) and help
SciPy's matrix products for wide networks only. Where the reference is too slow to be run in full, it is run
from the first few of the same initial points, and the table says from how many.
"""

import argparse
import importlib.util
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import scipy
import torch
from references import REFERENCES
from torch import Tensor

from fnn import load_d1
from fnn.optimizers import METHODS, PRESETS, Limits
from fnn.optimizers.initial_points import initial_points
from fnn.optimizers.inverse_hessian import BLOCK, InverseHessian
from fnn.optimizers.network import parameter_count
from fnn.optimizers.objective import MeanSquaredError
from fnn.runs.train_batch import train_batch
from fnn.training import SEED, Training, train_one
from fnn.units import UNITS

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
ONE_THREAD["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
HERE = Path(__file__).resolve().parent
D1 = load_d1().double()
ALL_METHODS = METHODS | REFERENCES
FULL = PRESETS["full"]
Tensors = dict[str, Tensor]


def train(width: int, runs: int, method: str, limits: Limits = FULL) -> tuple[Tensors, float]:
    """The runs of one width, shard by shard on one thread; and the processor seconds they took."""
    training = Training([width], runs, limits=limits, data=D1)
    began = time.process_time()
    minimize = ALL_METHODS[method].minimize
    parts = [train_batch([training], minimize, [shard])[0] for shard in training.ranges]
    seconds = time.process_time() - began
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, seconds


def plainly(width: int, runs: int) -> tuple[Tensors, float]:
    """The same the course's way: SciPy's BFGS with autograd, one network after another."""
    began = time.process_time()
    models = [train_one([width], run, data=D1) for run in range(runs)]
    seconds = time.process_time() - began
    with torch.no_grad():
        losses = [(model(D1.X_train) - D1.y_train).square().mean() for model in models]
    return {"train_mse": torch.stack(losses)}, seconds


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """b of the least-squares fit log y = a + b log x."""
    u = torch.tensor([[1.0, math.log(value)] for value in x], dtype=torch.float64)
    v = torch.tensor([[math.log(value)] for value in y], dtype=torch.float64)
    return float(torch.linalg.lstsq(u, v).solution[1])


def width_study(quick: bool) -> str:
    """The course's study: six widths, ten restarts each, SciPy's BFGS with autograd, one after another."""
    reference_runs = {1: 10, 2: 10, 3: 10, 10: 10, 50: 10, 100: 4}
    if quick:
        reference_runs |= {10: 3, 50: 1, 100: 1}
    header = ["m", "SciPy, s", "best, median", "BFGS, s", "×", "best, median", "LM, s", "×", "best, median"]
    rows: list[list[object]] = []
    total = dict.fromkeys(("scipy-bfgs", "bfgs", "lm"), 0.0)
    for width, k in reference_runs.items():
        theirs, seconds = plainly(width, k)
        seconds *= 10 / k
        total["scipy-bfgs"] += seconds
        row: list[object] = [width, f"{seconds:.1f} ({k})", _losses(theirs, k)]
        for method in ("bfgs", "lm"):
            ours, own = train(width, 10, method)
            total[method] += own
            row += [f"{own:.2f}", f"{seconds / own:.1f}", _losses(ours, k)]
        rows.append(row)
        print(" ", row, flush=True)
    course = total["scipy-bfgs"]
    sums: list[object] = ["all", f"{course:.0f}", ""]
    for method in ("bfgs", "lm"):
        sums += [f"**{total[method]:.1f}**", f"**{course / total[method]:.1f}**", ""]
    note = (
        "Ten restarts a width. (k): the reference was run from the first k points and its time multiplied "
        "by 10/k; best and median train MSE are those of the first k points. Floors: BFGS 12 ×, LM 60 ×."
    )
    return f"{table(header, [*rows, sums])}\n\n{note}"


def _losses(found: Tensors, k: int) -> str:
    losses = found["train_mse"][:k]
    return f"{float(losses.min()):.7f}, {float(losses.quantile(0.5)):.7f}"


def two_units(quick: bool) -> str:
    """1,000 restarts of m = 2 against every alternative, per restart."""
    few = 5 if quick else 20
    ours, rows = {}, []
    for method in ("lm", "bfgs"):
        found, seconds = train(2, 1000, method)
        ours[method] = seconds / 1000
        first = {name: tensor[:few] for name, tensor in found.items()}
        rows.append([method, 1000, f"{seconds:.2f}", "", "", _losses(first, few)])
    for method, count in (("scipy-bfgs", few), ("scipy-least-squares", few), ("torch-lbfgs", 3)):
        found, seconds = plainly(2, count) if method == "scipy-bfgs" else train(2, count, method)
        each = seconds / count
        factors = [f"{each / ours[name]:.1f}" for name in ("lm", "bfgs")]
        rows.append([method, count, f"{1e3 * each:.1f}", *factors, _losses(found, count)])
    header = [
        "method",
        "restarts",
        "ms a restart",
        "LM faster, ×",
        "BFGS faster, ×",
        "best, median train MSE",
    ]
    note = (
        f"Losses are those of the first {few} points, or of all. Floors against SciPy: LM 100 ×, BFGS 25 ×."
    )
    return f"{table(header, rows)}\n\n{note}"


def agreement(quick: bool) -> str:
    """The distinct minima of m = 1, 2, 3 from the same points, batched BFGS and SciPy's, to 1e-6."""
    rows = []
    for width in (1, 2, 3):
        runs = 20 if quick else 200
        (ours, _), (theirs, _) = (train(width, runs, method) for method in ("bfgs", "scipy-bfgs"))
        ended = [found["stop_codes"] == 0 for found in (ours, theirs)]
        same = (ours["train_mse"] - theirs["train_mse"]).abs() < 1e-6
        minima = [
            _distinct(found["train_mse"][end]) for found, end in zip((ours, theirs), ended, strict=True)
        ]
        both = ended[0] & ended[1]
        shares = [f"{float(part.double().mean()):.1%}" for part in (same[both], same)]
        rows.append([width, runs, *minima, int(both.sum()), *shares])
    header = ["m", "runs", "minima, BFGS", "minima, SciPy", "both converged", "same of these", "same of all"]
    return table(header, rows)


def _distinct(losses: Tensor) -> str:
    """The different losses with their counts, the commonest six, in rising order."""
    groups: list[list[float]] = []
    for loss in losses.sort().values.tolist():
        if not groups or loss - groups[-1][-1] > 1e-6:
            groups.append([])
        groups[-1].append(loss)
    common = sorted(sorted(groups, key=len, reverse=True)[:6])
    return ", ".join(f"{group[0]:.6f} ({len(group)})" for group in common)


def scaling(quick: bool) -> str:
    """Processor time a restart as R grows, and a step as P grows; a fixed number of steps."""
    steps, never = 30, 10**6
    limits = Limits(0.0, steps, never, 0.0, steps)
    rows = []
    counts = (1, 10, 100, 1000) if quick else (1, 10, 100, 1000, 10000)
    for width in (2, 10):
        for method in ("bfgs", "lm"):
            each = [_per_step(*train(width, runs, method, limits)) for runs in counts]
            slope = exponent(counts[:3], each[:3])
            rows.append([width, method, *(f"{1e6 * value:.1f}" for value in each), f"{slope:.2f}"])
    first = table(["m", "method", *(f"R = {runs:,}" for runs in counts), "exponent, R ≤ 100"], rows)

    widths = (3, 10, 30, 100) if quick else (3, 10, 30, 100, 300)
    parameters = [parameter_count((1, width, 1)) for width in widths]
    rows = []
    for method in ("bfgs", "lm"):
        each = [_per_step(*train(width, 8, method, limits)) for width in widths]
        slopes = [f"{exponent(parameters[k:], each[k:]):.2f}" for k in (0, -2)]
        rows.append([method, *(f"{1e6 * value:.0f}" for value in each), *slopes])
    header = ["method", *(f"P = {P}" for P in parameters), "exponent", "of the last two"]
    return (
        f"µs a restart and step as R grows:\n\n{first}\n\n"
        f"µs a restart and step as P grows, R = 8 (floor: BFGS at most 2.2):\n\n{table(header, rows)}"
    )


def _per_step(found: Tensors, seconds: float) -> float:
    return seconds / float(found["function_evaluations"].sum())


def bandwidth(quick: bool) -> str:
    """What dense BFGS must move at m = 100, over what the memory gives one thread."""
    a = torch.zeros(20_000_000, dtype=torch.float64)
    b = torch.ones_like(a)
    copy = min(_cpu(lambda: b.copy_(a)) for _ in range(5))
    speed = 2 * 8 * a.numel() / copy
    P = parameter_count((1, 100, 1))
    limits = Limits(gradient=0.0, iterations=60 if quick else 600, patience=10**6)
    unit, rows = UNITS["sigmoid"], []
    objective = MeanSquaredError((1, 100, 1), unit, D1.X_train, D1.y_train)
    for runs in (5, 10, 20):
        each = min(_per_step(*train(100, runs, "bfgs", limits)) for _ in range(4))
        least = 3 * 8 * P**2 / speed
        start = objective.pad(initial_points("course", (1, 100, 1), unit, D1.X_train, 1, range(runs)))
        H = InverseHessian.identity(start)
        run = torch.arange(runs)
        _, gradient = objective.value_and_gradient(start, run)
        parts = [
            min(_cpu(work, repeat=BLOCK) for _ in range(10)) / runs
            for work in (
                lambda H=H, g=gradient: H.times(g),
                lambda H=H, g=gradient: H.update(1e-3 * g, g, g),
                lambda x=start, run=run: objective.value_and_gradient(x, run),
            )
        ]
        shares = f"{least / each:.0%}", f"{least / sum(parts[:2]):.0%}"
        rows.append([runs, *(f"{1e6 * value:.0f}" for value in (least, each, *parts)), *shares])
    note = (
        "One step reads the inverse Hessian for its product with the gradient, then reads and writes it for "
        f"the update: 3 · 8 · P² = {3 * 8 * P**2 / 1e6:.2f} MB at P = {P}. One thread copies "
        f"{speed / 1e9:.1f} GB/s (read and written) from main memory. The measured time, the best of four, "
        "holds everything else too: the network, the line search, the tests. Where a shard's matrices stay "
        "in the cache, product and update together can take less than main memory would allow. Floor: 50 %."
    )
    header = [
        "R",
        "least, µs",
        "a step, µs",
        "product, µs",
        "update, µs",
        "network, µs",
        "share",
        "of product and update",
    ]
    return f"{table(header, rows)}\n\n{note}"


def _cpu(work: Callable[[], object], repeat: int = 1) -> float:
    began = time.process_time()
    for _ in range(repeat):
        work()
    return (time.process_time() - began) / repeat


def memory(quick: bool) -> str:
    """Peak memory of 10,000 restarts of m = 100."""
    runs = 500 if quick else 10_000
    code = (
        "import resource, fnn; from fnn.optimizers import Limits; import joblib\n"
        "with joblib.parallel_config(n_jobs=1):\n"
        f"    record = fnn.train_restarts([100], {runs}, limits=Limits(iterations=2))\n"
        "print(len(record), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    with tempfile.TemporaryDirectory() as store:
        environment = {**os.environ, "FNN_STORE": store}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
        )
    trained, peak = map(int, done.stdout.split())
    shards = len(Training([100], runs).ranges)
    return (
        f"{trained:,} restarts of m = 100 in {shards} shards, one after another in one process: "
        f"peak {peak / 2**20:.2f} GiB. A shard holds its own inverse Hessians only; what grows with the "
        "restarts is the record, 10 KB a restart. Floor: 4 GB."
    )


def compiled(quick: bool) -> str:
    """The compiled peer, optimistix under `jax.vmap`, from the same points on the same thread."""
    if not all(importlib.util.find_spec(name) for name in ("jax", "optimistix")):
        return (
            "JAX and optimistix were not at hand: not measured. `pip install -e .[benchmarks]` brings them."
        )
    import compiled_peer

    cases = ((2, 1000), (3, 200), (10, 100), (10, 20), (50, 10), (100, 10))
    rows = []
    for width, runs in [(2, 100), (3, 50), (10, 20)] if quick else cases:
        for method in ("bfgs", "lm"):
            ours, own = train(width, runs, method)
            start = initial_points("course", (1, width, 1), UNITS["sigmoid"], D1.X_train, SEED, range(runs))
            losses, seconds, steps = compiled_peer.train(method, start, D1)
            count = ours["jacobian_evaluations" if method == "lm" else "function_evaluations"]
            shards = Training([width], runs, data=D1).ranges
            turns = sum(int(count[shard.start : shard.stop].max()) for shard in shards)
            each = [1e3 * value for value in (own / runs, seconds / runs, own / turns, seconds / steps)]
            row: list[object] = [width, runs, method, *(f"{value:.2f}" for value in each)]
            row += [f"{each[0] / each[1]:.2f}", f"{each[2] / each[3]:.2f}"]
            rows.append([*row, *map(_quartiles, (ours["train_mse"], losses))])
            print(" ", rows[-1], flush=True)
    header = ["m", "restarts", "method"]
    header += [f"{whose}, ms a {unit}" for unit in ("restart", "turn") for whose in ("ours", "optimistix")]
    header += ["ours / theirs, a restart", "a turn", "ours, quartiles", "theirs, quartiles"]
    note = (
        "Milliseconds of one thread; compilation, 2 to 4 s a shape, is left out. A turn evaluates a trial of "
        "each run in the batch. BFGS ends at 10,000 iterations, ours, or turns, theirs, a tenth less. "
        "Quartiles of the train MSE. Above 1, the compiled peer is ahead."
    )
    return f"{table(header, rows)}\n\n{note}"


def _quartiles(losses: Tensor) -> str:
    quartiles = losses.quantile(torch.tensor([0.25, 0.5, 0.75], dtype=losses.dtype))
    return ", ".join(f"{value:.7f}" for value in quartiles.tolist())


SECTIONS: dict[str, tuple[str, Callable[[bool], str]]] = {
    "two-units": ("1,000 restarts of m = 2", two_units),
    "scaling": ("Growth with restarts and parameters", scaling),
    "bandwidth": ("Share of the memory bandwidth", bandwidth),
    "memory": ("Peak memory", memory),
    "agreement": ("Agreement with SciPy's BFGS", agreement),
    "widths": ("The course's width study", width_study),
    "compiled": ("Beside a compiled peer", compiled),
}


def machine() -> str:
    """The machine in a line."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return (
        f"{name}, {os.cpu_count()} cores, {platform.system()}. Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}, SciPy {scipy.__version__}. Load average at the start: {load}."
    )


def main() -> None:
    """Run the sections asked for, all by default, and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument(
        "--quick", action="store_true", help="fewer reference runs: minutes instead of half an hour"
    )
    parser.add_argument("--output", type=Path, default=HERE / "results.md")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # The libraries below NumPy and PyTorch read these when they load: begin anew.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    text = [f"# Benchmarks\n\n{machine()}\n\n" + " ".join(str(__doc__).split("\n\n")[1].split())]
    for name in arguments.sections or SECTIONS:
        title, section = SECTIONS[name]
        print(f"{title} …", flush=True)
        began = time.perf_counter()
        body = section(arguments.quick)
        print(f"{body}\n({time.perf_counter() - began:.0f} s)\n", flush=True)
        text.append(f"## {title}\n\n{body}")
        partial = arguments.output.with_suffix(".tmp")
        partial.write_text("\n\n".join(text) + "\n", encoding="utf-8")
        partial.replace(arguments.output)


if __name__ == "__main__":
    main()
