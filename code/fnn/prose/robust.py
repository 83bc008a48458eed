"""Do the claims of the report hold for other seeds? Runs the chunks of the sections with each of them.

    python -m fnn.prose.robust --seeds 5          # seeds 24, 25, …; prints how often each claim holds

The chunks run as in a draft: a false claim is noted and the next chunk runs. Trained models are kept in the
store, so that a second call is quick.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import jupytext

from fnn.prose import claims
from fnn.prose.tables import Table
from fnn.training import SEED


def script(sections: Path = claims.SECTIONS) -> str:
    """The chunks of all sections as one program, which prints its claims as JSON in the end."""
    paths = sorted(sections.glob("*.qmd"))
    notebooks = [jupytext.reads(path.read_text(encoding="utf-8"), fmt="Rmd") for path in paths]
    chunks = [cell.source for notebook in notebooks for cell in notebook.cells if cell.cell_type == "code"]
    return "\n\n".join([*chunks, "import fnn.prose.claims\nprint(fnn.prose.claims.book.as_json())"])


def claims_with(environment: Mapping[str, str], program: str) -> list[dict[str, str | bool]]:
    """The claims of one run of the program, in a process of its own.

    Raises:
        RuntimeError: if the program fails; its error is printed above.
    """
    settings = {**os.environ, **environment, "DRAFT": "1"}
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, env=settings, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"the chunks failed with {dict(environment)}; the error stands above")
    found: list[dict[str, str | bool]] = json.loads(run.stdout.splitlines()[-1])
    return found


def tally(runs: Sequence[Sequence[Mapping[str, str | bool]]]) -> Table:
    """How often each claim holds, the weakest first."""
    holds: dict[str, list[bool]] = {}
    sections = {}
    for claim in (claim for run in runs for claim in run):
        holds.setdefault(str(claim["sentence"]), []).append(bool(claim["holds"]))
        sections[str(claim["sentence"])] = str(claim["section"])
    weakest_first = sorted(holds.items(), key=lambda item: sum(item[1]))
    rows = [[f"{sum(held)} of {len(held)}", sections[sentence], sentence] for sentence, held in weakest_first]
    return Table(["Holds", "Section", "Claim"], rows, align="lll")


def _runs(seeds: Sequence[int]) -> Iterator[list[dict[str, str | bool]]]:
    program = script()
    for seed in seeds:
        print(f"seed {seed} …", file=sys.stderr, flush=True)
        yield claims_with({"SEED": str(seed)}, program)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="How often does each claim hold under other seeds?")
    parser.add_argument("--seeds", type=int, default=5, help="how many, counted from the report's own")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    print(tally(list(_runs(range(SEED, SEED + options.seeds))))._repr_markdown_())


if __name__ == "__main__":
    main()
