"""What an edit costs: builds of the documents with memory and without, side by side.

Every network is in the model store. Each build is a process of its own, from the command to both PDFs; the
numbers are medians of five, with and without memory in turn. Where there is Chromium, a comma is also saved
in a preview, and the time taken until the browser shows the page. Where there is a Quarto, a comma is also
built by it, and beside it Quarto's own share: the same documents with `pass` in every chunk and 1 in every
inline expression.
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
from contextlib import ExitStack
from pathlib import Path

from handin.sources import project_files

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))
from browser import DRIVER, chromium  # noqa: E402 - of the tests

ROUNDS = 5


def change(path: Path, pattern: str, after: str, *, last: bool = False) -> None:
    """Replace the first place that matches, or the last one."""
    text = path.read_text(encoding="utf-8")
    found = list(re.finditer(pattern, text, re.MULTILINE))
    match = found[-1 if last else 0]
    path.write_text(text[: match.start()] + match.expand(after) + text[match.end() :], encoding="utf-8")


def nothing(root: Path, number: int) -> None:
    """No edit."""


def comma(root: Path, number: int) -> None:
    change(root / "sections/2-experiments.qmd", r"^([A-Z].*?\w) and (\w)", r"\1, and \2")


def last_figure(root: Path, number: int) -> None:
    change(root / "sections/appendix.qmd", r"figures\.draw_\w+\(", r"\g<0> ", last=True)


def first_figure(root: Path, number: int) -> None:
    change(root / "sections/2-experiments.qmd", r"figures\.draw_\w+\(", r"\g<0> ")


def colour(root: Path, number: int) -> None:
    change(root / "code/fnn/figures/style.py", r'"#0072[0-9A-F]{2}"', f'"#0072{number:02X}"')


def comment(root: Path, number: int) -> None:
    path = root / "code/fnn/training.py"
    path.write_text(f"{path.read_text(encoding='utf-8')}# {number}\n", encoding="utf-8")


# What is edited, how, and the seconds that it may take.
ROWS: list[tuple[str, Callable[[Path, int], None], float]] = [
    ("nothing", nothing, 1.0),
    ("a comma in the prose", comma, 2.5),
    ("a plot call's argument, last figure", last_figure, 7.0),
    ("a plot call's argument, first figure", first_figure, 9.0),
    ("a colour in the figures' style", colour, 9.0),
    ("a comment in training.py", comment, 9.0),
]


def copy(root: Path) -> Path:
    """The project's sources, in a folder of their own."""
    for name in project_files(ROOT):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    return root


def seconds(command: list[str], root: Path, **variables: str) -> float:
    """How long a command takes in a project.

    Raises:
        SystemExit: It fails.
    """
    environment = {**os.environ, "FNN_STORE": os.environ.get("FNN_STORE", str(ROOT / "_store")), **variables}
    environment["PYTHONPATH"] = str(root / "code")
    environment["QUARTO_PYTHON"] = sys.executable
    began = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - began


def row(root: Path, edit: Callable[[Path, int], None], command: list[str], first: int) -> tuple[float, float]:
    """Medians with memory and without, of builds in turn, each after a new edit."""
    with_memory, without = [], []
    for number in range(first, first + ROUNDS):
        edit(root, number)
        with_memory.append(seconds(command, root, HANDIN_MEMORY="1"))
        without.append(seconds(command, root, HANDIN_MEMORY="0"))
        if edit is nothing:  # what was built without memory is no last build of it
            seconds(command, root, HANDIN_MEMORY="1")
    return statistics.median(with_memory), statistics.median(without)


def preview(root: Path, memory: str) -> float:
    """Median seconds from a save to the new page in the browser."""
    environment = {**os.environ, "HANDIN_MEMORY": memory, "PYTHONPATH": str(root / "code")}
    environment.setdefault("FNN_STORE", str(ROOT / "_store"))
    command = [sys.executable, "-m", "handin", "preview", "--no-browser"]
    built = "return /^built/.test(document.querySelector('#state').textContent)"
    watch = "new MutationObserver(() => { seen ||= Date.now() })"
    watch = f"window.seen = 0; {watch}.observe(document.querySelector('#pages'), {{childList: true}})"
    section = root / "sections/2-experiments.qmd"
    before = section.read_text(encoding="utf-8")
    comma(root, 0)
    texts = before, section.read_text(encoding="utf-8")
    took = []
    with (
        subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process,
        chromium(root / "_build/chromium") as browser,
        ExitStack() as stack,
    ):
        assert process.stdout is not None
        stack.callback(process.terminate)
        browser.open(process.stdout.readline().split()[0])
        browser.wait_for(built, 120)
        browser.run(watch)
        for number in range(ROUNDS):
            time.sleep(2)  # somebody writes
            browser.run("seen = 0")
            began = time.time()
            section.write_text(texts[number % 2], encoding="utf-8")
            took.append(browser.wait_for("return seen", 120) / 1000 - began)
            browser.wait_for(built, 120)
    return statistics.median(took)


def hollow(root: Path) -> None:
    """Leave chunks and inline expressions nothing to do."""
    for path in (root / "sections").glob("*.qmd"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(
            r"^(```\{python\}\n(?:#\|.*\n)*)(?:(?!```).*\n)*?```$", r"\1pass\n```", text, flags=re.MULTILINE
        )
        path.write_text(re.sub(r"`\{python\} [^`]+`", "`{python} 1`", text), encoding="utf-8")


def main() -> None:
    """Print the table."""
    builtin = [sys.executable, "-m", "handin", "render", "--renderer", "builtin"]
    quarto = [shutil.which("quarto") or "", "render", "--to", "typst"]
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        root = copy(Path(folder) / "project")
        seconds(builtin, root)
        print(f"| edit → both PDFs ({os.cpu_count()} cores) | with memory, s | without, s | at most, s |")
        print("|---|---:|---:|---:|")
        for number, (name, edit, most) in enumerate(ROWS):
            ours, theirs = row(root, edit, builtin, 10 * number)
            missed |= ours > most
            print(f"| {name} | {ours:.1f} | {theirs:.1f} | {most:.1f} |", flush=True)
        if DRIVER:
            ours, theirs = preview(root, "1"), preview(root, "0")
            missed |= ours > 1.2
            print(f"| a comma, to the page in a preview | {ours:.1f} | {theirs:.1f} | 1.2 |", flush=True)
        if quarto[0]:
            seconds(quarto, root)
            ours, theirs = row(root, comma, quarto, 0)
            empty = copy(Path(folder) / "hollow")
            hollow(empty)
            share = statistics.median(seconds(quarto, empty, HANDIN_MEMORY="0") for _ in range(ROUNDS))
            missed |= ours > share + 1.5
            print(f"| a comma, by Quarto | {ours:.1f} | {theirs:.1f} | {share + 1.5:.1f} |")
            print(f"\nQuarto's own share is {share:.1f} s.")
    sys.exit(missed)


if __name__ == "__main__":
    main()
