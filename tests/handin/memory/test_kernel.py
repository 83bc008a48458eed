"""What a kernel remembers, and what it does not."""

import json
import os
import py_compile
from pathlib import Path
from typing import Any

import pytest
from kernels import CODE, Kernels

from handin import memory
from handin.memory import FOLDER, Entry, Memory, Request


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with an empty document, one module and one file of data."""
    root = tmp_path / "project"
    (root / "code").mkdir(parents=True)
    config = "project: {render: [report.qmd]}\nauthor: {name: Ada}\ndataset: {train: data.txt}\n"
    (root / "_quarto.yml").write_text(config)
    (root / "report.qmd").touch()
    (root / "code/part.py").write_text("value = 1\n")
    (root / "data.txt").write_text("one\n")
    return root


def answers(kernels: Kernels, root: Path, requests: list[Any], **variables: str) -> int:
    """How many requests memory answers once all have been executed."""
    first = kernels.run(root, requests, variables=variables)
    assert kernels.run(root, requests, variables=variables) == first
    return kernels.answered


def test_a_second_kernel_executes_nothing(kernels: Kernels, root: Path) -> None:
    requests = ["import part", "print(part.value)\n5 + 5", {"0": "part.value"}, "x = 3"]
    told = kernels.run(root, requests)
    assert kernels.answered == 0
    assert kernels.run(root, requests) == told
    assert kernels.answered == len(requests)
    stream, result = told[1][0]
    assert stream[1]["text"] == "1\n"
    assert (result[1]["data"], result[1]["execution_count"]) == ({"text/plain": "10"}, 2)
    assert told[2][1]["user_expressions"]["0"]["data"] == {"text/plain": "1"}


def test_what_changed_is_executed_and_what_stands_before_is_not_told_twice(
    kernels: Kernels, root: Path
) -> None:
    before = kernels.run(root, ["x = [1]\nprint(x)", "x.append(2)\nx", "print('old', x)"])
    after = kernels.run(root, ["x = [1]\nprint(x)", "x.append(2)\nx", "print('new', x)"])
    assert after[:2] == before[:2]
    assert after[2][0] == [["stream", {"name": "stdout", "text": "new [1, 2]\n"}]]


@pytest.mark.parametrize(
    "cell",
    [
        "1 / 0",
        "import subprocess\nsubprocess.run(['true'])",
        "!true",
        "import os\nif not (child := os.fork()):\n    os._exit(0)\nos.waitpid(child, 0)",
        "import os\nopen('made.txt', 'w').close()\nos.remove('made.txt')",
        "import os, tempfile\nos.replace(tempfile.mkstemp(dir='..')[1], 'made~')",
        "import socket\nsocket.socket(socket.AF_UNIX).connect_ex('nowhere')",
        "from IPython.display import display\nh = display(1, display_id=True)",
        "from IPython.display import clear_output\nclear_output()",
    ],
)
def test_what_cannot_be_done_again_is_executed_and_all_behind_it(
    kernels: Kernels, root: Path, cell: str
) -> None:
    for _ in range(2):
        kernels.run(root, ["1", "2", cell, "3"])
    assert kernels.answered == 2


@pytest.mark.parametrize(("option", "answered"), [("cache: false", 1), ("cache: true", 3), ("label: a", 3)])
def test_a_chunk_may_say_that_it_is_not_to_be_remembered(
    kernels: Kernels, root: Path, option: str, answered: int
) -> None:
    (root / "report.qmd").write_text("{{< include sections/a.qmd >}}\n")
    (root / "sections").mkdir()
    (root / "sections/a.qmd").write_text("{{< include sections/b.qmd >}}\n")
    (root / "sections/b.qmd").write_text(f"```{{python}}\n#| {option}\nprint(2)\n```\n")
    (root / "sections/unfinished.qmd").write_text("{{< include nowhere.qmd >}} cache\n")
    assert answers(kernels, root, ["1", "print(2)", "3"]) == answered


def test_so_may_a_document_for_its_inline_values(kernels: Kernels, root: Path) -> None:
    (root / "report.qmd").write_text("---\nexecute: {cache: false}\n---\n\n{{< include one.qmd >}}\n")
    (root / "one.qmd").write_text("It is `{python} part.value`.\n")
    assert answers(kernels, root, ["import part", {"0": "part.value"}]) == 1


def test_what_python_opens_elsewhere_is_looked_at_again(kernels: Kernels, root: Path, tmp_path: Path) -> None:
    names = ["../elsewhere.txt", f"/dev/shm/{tmp_path.name}", "_store/a", "notes.md"]
    for name in names:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("one")
    requests = [f"print(open({name!r}).read())" for name in names]
    assert answers(kernels, root, requests) == 4
    for number, name in reversed(list(enumerate(names))):
        before = (root / name).stat()
        (root / name).write_text("two")
        os.utime(root / name, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert kernels.run(root, requests)[number][0][0][1]["text"] == "two\n"
        assert kernels.answered == number
    (root / names[1]).unlink()
    kernels.run(root, requests)
    assert kernels.answered == 1


def test_modules_elsewhere_count_with_and_without_bytecode(
    kernels: Kernels, root: Path, tmp_path: Path
) -> None:
    (root / "tests").mkdir()
    modules = [root / "tests/near.py", tmp_path / "far.py"]
    requests = [
        "import sys\nsys.path[:0] = ['tests', '..']",
        *(f"import {m.stem} as m\nm.n" for m in modules),
    ]

    def write(module: Path, value: int) -> None:
        module.write_text(f"n = {value}\n")
        py_compile.compile(str(module), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)

    for module in modules:
        write(module, 1)
    assert answers(kernels, root, requests) == 3
    for number in (2, 1):
        write(modules[number - 1], 2)
        assert kernels.run(root, requests)[number][0][0][1]["data"] == {"text/plain": "2"}
        assert kernels.answered == number


def test_a_folder_that_is_called_like_those_of_packages_counts(
    kernels: Kernels, root: Path, tmp_path: Path
) -> None:
    module, path = tmp_path / "lab-packages/lab.py", f"{tmp_path}/lab-packages{os.pathsep}{CODE}"
    module.parent.mkdir()
    module.write_text("n = 1\n")
    assert answers(kernels, root, ["import lab\nlab.n"], PYTHONPATH=path) == 1
    module.write_text("n = 20\n")
    kernels.run(root, ["import lab\nlab.n"], variables={"PYTHONPATH": path})
    assert kernels.answered == 0


def test_a_file_counts_as_it_was_when_it_was_read(kernels: Kernels, root: Path, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("a")
    cell = "print(open('../log.txt').read())\nopen('../log.txt', 'a').write('b')"
    told = [kernels.run(root, [cell])[0][0][0][1]["text"] for _ in range(2)]
    assert told == ["a\n", "ab\n"]


def test_what_a_chunk_makes_and_reads_again_is_its_own(kernels: Kernels, root: Path) -> None:
    cell = """\
import os, tempfile
folder = tempfile.mkdtemp()
print(open(f'{folder}/a', 'w').write('x'), os.listdir(folder), open(f'{folder}/a').read())
os.remove(f'{folder}/a'), os.rmdir(folder)"""
    assert answers(kernels, root, [cell]) == 1


def test_of_the_settings_those_count_that_code_may_read(kernels: Kernels, root: Path) -> None:
    (root / "code/part.py").write_text(
        "import yaml\nvalue = yaml.safe_load(open('_quarto.yml'))['dataset']\n"
    )
    requests, documents = ["import part\nprint(part.value)"], "project: {render: [report.qmd]}\n"
    assert answers(kernels, root, requests) == 1
    (root / "_quarto.yml").write_text(
        f"{documents}# a comment\nauthor: {{name: Grace}}\ndataset: {{train: data.txt}}\n"
    )
    kernels.run(root, requests)
    assert kernels.answered == 1
    (root / "_quarto.yml").write_text(f"{documents}author: {{name: Grace}}\ndataset: {{train: other.txt}}\n")
    assert kernels.run(root, requests)[0][0][0][1]["text"] == "{'train': 'other.txt'}\n"


def test_a_module_of_ones_own_may_be_called_like_the_tool(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "__file__", str(root / "code/handin/memory.py"))
    (root / "code/handin_data.py").write_text("def train(settings):\n    return settings['dataset']\n")
    assert Memory(root, {}).keep(Request("1"), Entry([], {}, {}))
    assert Memory(root, {}).find(Request("1"))
    (root / "_quarto.yml").write_text("project: {render: [report.qmd]}\ndataset: {train: other.txt}\n")
    assert Memory(root, {}).find(Request("1")) is None


def test_while_the_project_is_edited_nothing_is_kept(kernels: Kernels, root: Path) -> None:
    edit = "__import__('pathlib').Path('data.txt').write_text('two\\n')"
    cell = "print(open('data.txt').read())"
    kernels.run(root, ["1", {"edit": edit}, cell])
    (root / "data.txt").write_text("one\n")
    assert kernels.run(root, ["1", cell])[1][0][0][1]["text"] == "one\n\n"


def test_a_damaged_entry_is_executed_anew(kernels: Kernels, root: Path) -> None:
    requests = ["print(1)", "print(2)"]
    told = kernels.run(root, requests)
    file = max((root / FOLDER).glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    held = json.loads(file.read_text())
    held["entry"]["messages"][0][1]["text"] = "3\n"
    file.write_text(json.dumps(held))
    assert kernels.run(root, requests) == told
    assert kernels.answered == 1
    assert kernels.run(root, requests) == told
    assert kernels.answered == 2


def test_without_a_project_there_is_no_memory(kernels: Kernels, tmp_path: Path) -> None:
    for _ in range(2):
        kernels.run(tmp_path, ["1 + 1"])
    assert kernels.answered == 0
    assert not (tmp_path / FOLDER).exists()


def test_it_does_not_grow_without_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LIMIT", 1500)
    for number, left in enumerate([1, 2, 1]):
        entry = Entry([["stream", {"text": "x" * 900}]], {}, {})
        assert Memory(root, {}).keep(Request(str(number)), entry)
        assert len(list((root / FOLDER).iterdir())) == left
