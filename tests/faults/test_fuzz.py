"""Bytes that nobody wrote on purpose: every parser answers or refuses, in its time, with its own error."""

import json
import random
import re
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from mutating import mutant

from fnn.runs import store
from grading.intake import take_in
from grading.sandbox import run_all
from handin.errors import HandinError
from handin.files.fingerprint import from_notebook, from_pdf
from handin.pack import as_zip
from handin.qmd.chunks import expressions, read_blocks
from handin.qmd.source import read_source
from handin.reading.python_code import units, with_uses
from handin.render.refusals import refuse_chunks
from handin.yaml_lines import Located

SLOWEST = 5.0  # s for one input, on a busy machine


def read_qmd(data: bytes) -> None:
    source = read_source(lambda name: data if name == "report.qmd" else None, "report.qmd")
    blocks = read_blocks(source)
    refuse_chunks(source, blocks)
    expressions("\n".join(line.text for line in source.lines))


def read_yaml(data: bytes) -> None:
    Located(data.decode(errors="replace"), "_quarto.yml")


def read_python(data: bytes) -> None:
    with_uses(list(units({"code/a.py": data, "a.ipynb": data})))


PARSERS: dict[str, tuple[Callable[[bytes], None], int, str]] = {
    "qmd": (read_qmd, 8000, "sections/1-one.qmd"),
    "yaml": (read_yaml, 8000, "_quarto.yml"),
    "python": (read_python, 3000, "code/solution/data.py"),
}


@pytest.mark.faults
@pytest.mark.parametrize("kind", PARSERS)
def test_a_parser_answers_or_refuses(built: Path, chance: random.Random, kind: str) -> None:
    read, count, name = PARSERS[kind]
    sound = (built / name).read_bytes()
    for _ in range(count):
        data = mutant(sound, chance)
        started = time.monotonic()
        with suppress(HandinError):
            read(data)
        assert time.monotonic() - started < SLOWEST, data


@pytest.mark.faults
def test_notebooks_and_fingerprints(built: Path, chance: random.Random) -> None:
    sound = (built / "_output" / "notebook.ipynb").read_bytes()
    for _ in range(2000):
        data = mutant(sound, chance)
        from_pdf({"HandinFingerprint": data.decode(errors="replace")})
        with suppress(ValueError, RecursionError):
            held = json.loads(data)
            if isinstance(held, dict):
                from_notebook(held)


@pytest.mark.faults
def test_entries_of_the_store(tmp_path: Path, chance: random.Random) -> None:
    import torch

    store.put({"a": 1}, {"x": torch.arange(9.0)}, {"seconds": 1}, tmp_path)
    path = store.entry_path({"a": 1}, tmp_path)
    sound = path.read_bytes()
    for _ in range(3000):
        path.write_bytes(mutant(sound, chance))
        with suppress(store.DamagedEntryError):
            store.load(path)


@pytest.mark.faults
def test_mutants_of_a_zip_are_taken_in_and_written_nowhere(
    built: Path, tmp_path: Path, chance: random.Random
) -> None:
    files = {
        name: (built / "_output" / name).read_bytes()[:4000] for name in ("report.pdf", "notebook.ipynb")
    }
    sound = as_zip({**files, "code/a.py": b"print(1)\n", "README.md": b"# Hm\n"})
    path = tmp_path / "in" / "dl24-2-ghopper.zip"
    path.parent.mkdir()
    for _ in range(2500):
        path.write_bytes(mutant(sound, chance))
        started = time.monotonic()
        assert take_in(path).findings
        assert time.monotonic() - started < SLOWEST
    assert [one.name for one in tmp_path.rglob("*") if one.is_file()] == [path.name]
    path.write_bytes(sound)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


@pytest.mark.faults
def test_mutants_of_pdfs_are_read_within_the_sandbox(
    built: Path, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = Path(__file__).parents[2] / "code"
    monkeypatch.setenv("PYTHONPATH", f"{code}:{Path(__file__).parent}")
    documents = [built / "_output" / f"{name}.pdf" for name in ("report", "notebook")]
    jobs = [
        json.dumps({"path": str(documents[number % 2]), "count": 40, "seed": chance.random()})
        for number in range(70)
    ]
    read = 0
    for _, outcome in run_all("mutants:read", jobs):
        assert not outcome.fault or re.search(r"CPU|memory|crashed|seconds|time", outcome.fault), (
            outcome.fault
        )
        read += outcome.known.get("read", 0)
    assert read >= 2500
