"""What an edit costs: builds of the documents with memory and without, side by side.

Every network is in the model store. Each build is a process of its own, from the command to both PDFs; the
numbers are medians of three, with and without memory in turn. Where there is Chromium, a comma is also saved
in a preview, and the time taken until the browser shows the page.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from handin.sources import project_files

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))
from browser import DRIVER, chromium  # noqa: E402 - of the tests

ROUNDS = 3
RENDER = [sys.executable, "-m", "handin", "render", "--renderer", "builtin"]


def change(path: Path, pattern: str, after: str, *, last: bool = False) -> None:
    """Replace the first place that matches, or the last one."""
    text = path.read_text(encoding="utf-8")
    match = list(re.finditer(pattern, text, re.MULTILINE))[-1 if last else 0]
    path.write_text(text[: match.start()] + match.expand(after) + text[match.end() :], encoding="utf-8")


def comma(root: Path, number: int) -> None:
    change(root / "sections/2-experiments.qmd", r"^([A-Z].*?\w) and (\w)", r"\1, and \2")


def name(root: Path, number: int) -> None:
    change(root / "_quarto.yml", r"- name: .*", f"- name: Ada Lovelace {'I' * (number + 1)}")


def last_figure(root: Path, number: int) -> None:
    change(root / "sections/appendix.qmd", r"\bdraw_\w+\(", r"\g<0> ", last=True)


def first_figure(root: Path, number: int) -> None:
    change(root / "sections/2-experiments.qmd", r"\bdraw_\w+\(", r"\g<0> ")


def colour(root: Path, number: int) -> None:
    change(root / "code/fnn/report/figures/style.py", r'"#0072[0-9A-F]{2}"', f'"#0072{number:02X}"')


def comment(root: Path, number: int) -> None:
    path = root / "code/fnn/training.py"
    path.write_text(f"{path.read_text(encoding='utf-8')}# {number}\n", encoding="utf-8")


# What is edited, how, and the part that it may take of a build without memory.
ROWS: list[tuple[str, Callable[[Path, int], object], float]] = [
    ("nothing", lambda root, number: None, 0.15),
    ("a comma in the prose", comma, 0.3),
    ("a name in `_quarto.yml`", name, 0.35),
    ("a plot call's argument, last figure", last_figure, 1.05),
    ("a plot call's argument, first figure", first_figure, 1.05),
    ("a colour in the figures' style", colour, 1.05),
    ("a comment in training.py", comment, 1.05),
]


def copy(root: Path) -> Path:
    """The project's sources, in a folder of their own."""
    for path in project_files(ROOT):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, root / path)
    return root


def variables(root: Path) -> dict[str, str]:
    store = os.environ.get("FNN_STORE", str(ROOT / "_store"))
    return {**os.environ, "FNN_STORE": store, "PYTHONPATH": str(root / "code")}


def seconds(root: Path, *options: str) -> float:
    """How long a build takes.

    Raises:
        SystemExit: It fails.
    """
    began = time.perf_counter()
    command = [*RENDER, *options]
    done = subprocess.run(command, cwd=root, env=variables(root), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - began


def row(root: Path, edit: Callable[[Path, int], object]) -> tuple[float, float]:
    """Medians with memory and without, of builds in turn, each after a new edit."""
    with_memory, without = [], []
    for number in range(0, 2 * ROUNDS, 2):
        edit(root, number)
        with_memory.append(seconds(root))
        edit(root, number + 1)  # else its results are those of the last build, and no page is set
        without.append(seconds(root, "--no-memory"))
    return statistics.median(with_memory), statistics.median(without)


def preview(root: Path) -> float:
    """Median seconds from a save to the new page in the browser."""
    command = [sys.executable, "-m", "handin", "preview", "--no-browser"]
    built = "return /^built/.test(document.querySelector('#state').textContent)"
    section = root / "sections/1-mlp.qmd"  # the browser shows the first page, and fetches no distant one
    before = section.read_text(encoding="utf-8")
    change(section, "models the probabilities", "models, the probabilities")
    texts = before, section.read_text(encoding="utf-8")
    took = []
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, cwd=root, env=variables(root), stdout=pipe, text=True) as process,
        chromium(root / "_build/chromium") as browser,
    ):
        assert process.stdout is not None
        browser.open(process.stdout.readline().split()[0])
        browser.wait_for(built, 120)
        watch = "new MutationObserver(() => { seen ||= Date.now() })"
        where = "document.querySelector('#pages'), {childList: true, subtree: true}"
        browser.run(f"window.seen = 0; {watch}.observe({where})")
        for number in range(ROUNDS):
            time.sleep(2)  # somebody writes
            browser.run("seen = 0")
            began = time.time()
            section.write_text(texts[number % 2], encoding="utf-8")
            took.append(browser.wait_for("return seen", 120) / 1000 - began)
            browser.wait_for(built, 120)
        process.terminate()
    return statistics.median(took)


def main() -> None:
    """Print the table."""
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        root = copy(Path(folder) / "project")
        seconds(root)
        print(f"| edit → both PDFs ({os.cpu_count()} cores) | with memory, s | without, s | part | at most |")
        print("|---|---:|---:|---:|---:|")
        for what, edit, most in ROWS:
            ours, theirs = row(root, edit)
            missed |= ours > most * theirs
            print(f"| {what} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} | {most} |", flush=True)
        if DRIVER:
            print(f"| a comma, to the page in a preview | {preview(root):.1f} | | | |", flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
