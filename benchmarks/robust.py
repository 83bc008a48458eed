"""Do the claims of the report hold for other seeds? Runs the chunks of the built notebook with each of them.

    python benchmarks/robust.py --seeds 5          # seeds 24, 25, …; prints how often each claim holds

The chunks run as in a draft: a false claim is noted and the next chunk runs. Trained models are kept in the
store, so that a second call is quick.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

NOTEBOOK = Path(__file__).parents[1] / "_output" / "notebook.ipynb"
TELL = """
import json
from fnn.report.claims import book
print(json.dumps({each.sentence: each.holds for each in book.values()}))  # the last line
"""


def claims_with(environment: Mapping[str, str], program: str) -> dict[str, bool]:
    """The claims of one run of the program in a process of its own, and whether they hold.

    Raises:
        RuntimeError: if the program fails; its error is printed above.
    """
    settings = {**os.environ, **environment, "DRAFT": "1"}
    command = [sys.executable, "-c", program + TELL]
    run = subprocess.run(command, env=settings, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"the chunks failed with {dict(environment)}; the error stands above")
    held: dict[str, bool] = json.loads(run.stdout.splitlines()[-1])
    return held


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="How often does each claim hold under other seeds?")
    parser.add_argument("--seeds", type=int, default=5, help="how many, counted from the report's own")
    seeds = parser.parse_args(arguments).seeds
    if not NOTEBOOK.is_file():
        parser.error(f"{NOTEBOOK} is missing; build the documents first")
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    program = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
    first = int(os.environ.get("SEED") or 24)
    runs = []
    for seed in range(first, first + seeds):
        print(f"seed {seed} …", file=sys.stderr, flush=True)
        runs.append(claims_with({"SEED": str(seed)}, program))
    holds = {sentence: sum(run[sentence] for run in runs) for sentence in runs[0]}
    for sentence, times in sorted(holds.items(), key=lambda item: item[1]):  # the weakest first
        print(f"{times} of {seeds}  {sentence}")


if __name__ == "__main__":
    main()
