"""Do the claims of the report hold for other seeds? Runs the chunks of the sections with each of them.

    python -m fnn.robust --seeds 5          # seeds 24, 25, …; prints how often each claim holds

The chunks run as in a draft: a false claim is noted and the next chunk runs. Trained models are kept in the
store, so that a second call is quick.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

import jupytext

from fnn import claims
from fnn.tables import Table
from fnn.training import SEED


def run_chunks() -> None:
    """Run the chunks of all sections, in order, in one namespace."""
    namespace: dict[str, object] = {}
    for path in sorted(claims.SECTIONS.glob("*.qmd")):
        for cell in jupytext.reads(path.read_text(encoding="utf-8"), fmt="Rmd").cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, str(path), "exec"), namespace)


def claims_with(environment: Mapping[str, str]) -> list[dict[str, str | bool]]:
    """The claims of one run in a process of its own: sentence, whether it holds, section, measured values.

    Raises:
        RuntimeError: if a chunk fails, with its error.
    """
    settings = {**os.environ, **environment, "DRAFT": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "fnn.robust", "--once"],
        env=settings,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
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
    for seed in seeds:
        print(f"seed {seed} …", file=sys.stderr, flush=True)
        yield claims_with({"SEED": str(seed)})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="How often does each claim hold under other seeds?")
    parser.add_argument("--seeds", type=int, default=5, help="how many, counted from the report's own")
    parser.add_argument(
        "--once", action="store_true", help="run the chunks once and print the claims as JSON"
    )
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    if not options.once:
        print(tally(list(_runs(range(SEED, SEED + options.seeds))))._repr_markdown_())
        return
    run_chunks()
    noted = [
        {"sentence": c.sentence, "holds": c.holds, "section": c.section, "measured": c.values}
        for c in claims.book
    ]
    print(json.dumps(noted))


if __name__ == "__main__":
    main()
