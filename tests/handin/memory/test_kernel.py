"""What a kernel remembers, and what it does not."""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from kernels import Nursery

from handin.memory.entries import FOLDER, Entries, Entry
from handin.memory.outdated import Outdated

JOBLIB = "import joblib\nprint(joblib.Parallel(n_jobs=2)(joblib.delayed(len)([1]) for _ in range(2)))"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one module and one file of data."""
    (tmp_path / "code").mkdir()
    (tmp_path / "_quarto.yml").write_text("project: {}\n")
    (tmp_path / "code/part.py").write_text("value = 1\n")
    (tmp_path / "data.txt").write_text("one\n")
    return tmp_path


def answers(nursery: Nursery, root: Path, requests: list[Any], **variables: str) -> int:
    """How many requests memory answers once all have been executed."""
    first = nursery.run(root, requests, variables=variables)
    assert nursery.run(root, requests, variables=variables) == first
    return nursery.answered


def test_a_second_kernel_executes_nothing(nursery: Nursery, root: Path) -> None:
    requests = ["import part", "print(part.value)\n5 + 5", {"0": "part.value"}, "x = 3"]
    told = nursery.run(root, requests)
    assert nursery.answered == 0
    assert nursery.run(root, requests) == told
    assert nursery.answered == len(requests)
    stream, result = told[1][0]
    assert stream[1]["text"] == "1\n"
    assert (result[1]["data"], result[1]["execution_count"]) == ({"text/plain": "10"}, 2)
    assert told[2][1]["user_expressions"]["0"]["data"] == {"text/plain": "1"}


def test_what_changed_is_executed_and_what_stands_before_is_not_told_twice(
    nursery: Nursery, root: Path
) -> None:
    before = nursery.run(root, ["x = [1]\nprint(x)", "x.append(2)\nx", "print('old', x)"])
    after = nursery.run(root, ["x = [1]\nprint(x)", "x.append(2)\nx", "print('new', x)"])
    assert nursery.answered == 2
    assert after[:2] == before[:2]
    assert after[2][0] == [["stream", {"name": "stdout", "text": "new [1, 2]\n"}]]


@pytest.mark.parametrize(
    "cell",
    [
        "1 / 0",
        "import subprocess\nsubprocess.run(['true'])",
        "import os\nos.system('true')",
        "import os\nif not os.fork():\n    os._exit(0)",
        "open('made.txt', 'w').close()",
        "import socket\nsocket.socket(socket.AF_UNIX).connect_ex('nowhere')",
        "import sqlite3\nsqlite3.connect('data.db').close()",
        "import random\nrandom.seed()\nrandom.random()",
        "import random\nrandom.random()",
        "import numpy\nnumpy.random.rand()",
        "import os\nos.write(1, b'past Python')",
        "import os\nos.open('data.txt', os.O_RDONLY, dir_fd=os.open('.', os.O_RDONLY))",
        "import threading, time\nthreading.Thread(target=time.sleep, args=[3], daemon=True).start()",
        "import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(3))",
        "from IPython.display import display\nh = display(1, display_id=True)",
        "import os\nos.scandir(os.open('.', os.O_RDONLY))",
        "import os\nos.fstat(os.open('data.txt', os.O_RDONLY)).st_mtime",
        JOBLIB,
    ],
)
def test_what_is_unusual_is_executed_and_all_behind_it(nursery: Nursery, root: Path, cell: str) -> None:
    for _ in range(2):
        nursery.run(root, ["1", "2", cell, "3"])
    assert nursery.answered == 2


def test_processes_are_fine_where_the_program_says_that_all_is_determined(
    nursery: Nursery, root: Path
) -> None:
    work = JOBLIB.split("\n")[1]
    determined = f"import joblib, sys\nsys.audit('determined.begin')\n{work}\nsys.audit('determined.end')"
    assert answers(nursery, root, [determined, "1"]) == 2
    assert answers(nursery, root, [determined, "1", JOBLIB]) == 2, "the same processes are given other work"


@pytest.mark.parametrize(("option", "answered"), [("cache: false", 1), ("cache: true", 3), ("label: a", 3)])
def test_a_chunk_may_say_that_it_is_not_to_be_remembered(
    nursery: Nursery, root: Path, option: str, answered: int
) -> None:
    (root / "report.qmd").write_text(f"```{{python}}\n#| {option}\nprint(2)\n```\n")
    assert answers(nursery, root, ["1", "print(2)", "3"]) == answered


def test_a_chunk_may_name_a_file_that_nobody_sees_read(nursery: Nursery, root: Path) -> None:
    requests = ["import mmap", "print('something native')", "3"]
    (root / "report.qmd").write_text("```{python}\n#| depends: data.txt\nprint('something native')\n```\n")
    assert answers(nursery, root, requests) == 3
    (root / "data.txt").write_text("two\n")
    assert nursery.run(root, requests)
    assert nursery.answered == 1


@pytest.mark.parametrize(
    "cell",
    [
        "open('data.txt').read()",
        "open('/proc/self/cwd/data.txt').read()",
        "open('_build/link').read()",
        "open('_build/../data.txt').read()",
        "open('code/../data.txt').read()",
        "import os\nos.chdir('code')\nopen('../data.txt').read()",
        "import os\nos.read(os.open(b'data.txt', os.O_RDONLY), 9)",
        "from pathlib import Path\nPath('data.txt').read_bytes()",
        "import numpy\nnumpy.fromfile('data.txt', 'u1')",
        "import linecache\nlinecache.getline('data.txt', 1)",
        "import mmap\nf = open('data.txt')\nmmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)[:]",
        "exec(compile(open('data.txt').read(), 'x', 'exec'), {'one': 1, 'two': 2})",
        "import runpy\nrunpy.run_path('data.txt', {'one': 1, 'two': 2}) and None",
        "import os\nos.stat('data.txt').st_size",
        "import importlib.util as u\nu.spec_from_file_location('part', 'code/part.py')\nopen('data.txt')",
    ],
)
def test_a_file_is_seen_however_it_is_read(nursery: Nursery, root: Path, cell: str) -> None:
    (root / "_build").mkdir()
    (root / "_build/link").symlink_to("../data.txt")
    assert answers(nursery, root, [cell]) == 1
    (root / "data.txt").write_text("two\n")
    nursery.run(root, [cell])
    assert nursery.answered == 0


def test_a_kernel_that_waits_sees_later_edits(nursery: Nursery, root: Path) -> None:
    edit = "__import__('pathlib').Path('data.txt').write_text('two\\n')"
    document = ["%reset -f", "print(open('data.txt').read())", "%reset -f\n"]
    nursery.run(root, document)
    told = nursery.run(root, [*document, {"edit": edit}, *document])
    assert told[1][0][0][1]["text"] == "one\n\n"
    assert told[5][0][0][1]["text"] == "two\n\n"


def test_of_a_file_only_the_announced_lines_count(nursery: Nursery, root: Path) -> None:
    announced = "import sys\nsys.audit('lines.begin', 'data.txt', '^#')\nopen('data.txt').read()\n"
    requests = [f"{announced}sys.audit('lines.end')", "3"]
    assert answers(nursery, root, requests) == 2
    (root / "data.txt").write_text("two\n")
    nursery.run(root, requests)
    assert nursery.answered == 2
    (root / "data.txt").write_text("two\n# three\n")
    nursery.run(root, requests)
    assert nursery.answered == 0


DRAW = """\
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats
set_matplotlib_formats("png")
def draw():
    figure = Figure(layout="constrained")
    figure.subplots().plot([1, 2])
    return figure
Figure.count = 0
import matplotlib.backend_bases as bases
shown = bases.FigureCanvasBase.print_figure
def print_figure(self, *arguments, **options):
    Figure.count += 1
    return shown(self, *arguments, **options)
bases.FigureCanvasBase.print_figure = print_figure
"""


@pytest.mark.parametrize(
    ("cell", "last", "rendered"),
    [
        ("draw()", "print(2)", 0),
        ("figure = draw()\nfigure", "print(2)", 1),
        ("axes = draw().axes\naxes[0].figure", "print(2)", 1),
        ("import sys\nprint('hm', file=sys.stderr)\ndraw()", "print(2)", 1),
        ("draw()", "_", 2),
        ("Figure._repr_html_ = lambda self: None\ndraw()", "print(2)", 1),
        (
            "f = get_ipython().display_formatter.formatters['text/html']\n"
            "f.for_type(Figure, lambda figure: None)\ndraw()",
            "print(2)",
            1,
        ),
        ("def map():\n    F = draw()\n    F.axes[0].imshow([[1, 2]])\n    return F\nmap()", "print(2)", 1),
        (
            "from matplotlib.lines import Line2D\nclass Line(Line2D):\n    pass\n"
            "def lines():\n    F = draw()\n    F.add_artist(Line([0], [1]))\n    return F\nlines()",
            "print(2)",
            1,
        ),
    ],
)
def test_a_figure_is_rendered_again_only_where_somebody_may_look_at_it(
    nursery: Nursery, root: Path, cell: str, last: str, rendered: int
) -> None:
    nursery.run(root, [DRAW, cell, "print(1)"])
    told = nursery.run(root, [DRAW, cell, last, "print(Figure.count)"])
    assert nursery.answered == 2
    assert told[-1][0][0][1]["text"] == f"{rendered}\n"
    assert told[:3] == nursery.run(root, [DRAW, cell, last], memory=False)


def test_a_document_may_be_run_again_in_a_kernel_that_answered_all(nursery: Nursery, root: Path) -> None:
    document = ["%reset -f\nimport part", "print(part.value)", "%reset -f\n"]
    nursery.run(root, document)
    told = nursery.run(root, document * 2)
    assert nursery.answered == 6
    assert told[:3] == told[3:]
    (root / "code/part.py").write_text("value = 2\n")
    nursery.run(root, document * 2)
    assert nursery.answered == 0, "a kernel that has executed a document answers nothing"


def test_a_module_in_place_of_one_that_kernels_start_with(nursery: Nursery, root: Path) -> None:
    assert answers(nursery, root, ["1"]) == 1
    (root / "code/colorsys.py").write_text("raise SystemExit\n")
    nursery.run(root, ["1"])
    assert nursery.answered == 0


def test_a_damaged_entry_is_executed_anew(
    nursery: Nursery, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    requests = ["print(1)", "print(2)"]
    told = nursery.run(root, requests)
    files = sorted((root / FOLDER).glob("*/*.json"), key=lambda path: path.stat().st_mtime_ns)
    held = json.loads(files[-1].read_text())
    held["entry"]["messages"][0][1]["text"] = "3\n"
    files[-1].write_text(json.dumps(held))
    assert nursery.run(root, requests) == told
    assert nursery.answered == 1
    assert nursery.run(root, requests) == told
    assert nursery.answered == 2


def test_without_a_project_there_is_no_memory(nursery: Nursery, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    for _ in range(2):
        nursery.run(tmp_path, ["1 + 1"])
    assert nursery.answered == 0
    assert not (tmp_path / FOLDER).exists()


def test_an_interactive_kernel_says_which_modules_are_older_than_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "older_than_its_file.py"
    file.write_text("value = 1\n")
    outdated = Outdated()
    importlib.import_module(file.stem)
    outdated.look()
    assert not capsys.readouterr().err
    os.utime(file, ns=(1, 1))
    outdated.look()
    outdated.look()
    assert capsys.readouterr().err == f"{file.stem}: changed on disk, but not in this kernel. Restart it.\n"
    del sys.modules[file.stem]


def test_the_entries_used_least_recently_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handin.memory.entries.LIMIT", 3000)
    for number in range(5):
        entries = Entries(tmp_path, print)
        entries.put(f"key {number}", Entry([], [["stream", {"text": "x" * 1000}]], {}, 1))
        os.utime(next((tmp_path / f"key {number}").iterdir()), ns=(number, number))
        assert entries.find("key 0", lambda dependency: True), "it is used all the time"
    left = sorted(path.parent.name for path in tmp_path.glob("*/*.json"))
    assert left == ["key 0", "key 3", "key 4"]
