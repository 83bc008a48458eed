"""What README and docs/ tell a person to type: it exists, and what stands in a block `sh` works.

A block `sh long` is run by `make test-long`, in a clone with an environment of its own.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from handin.cli import main
from handin.project import Project

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<kind>sh|sh long|text)\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"(?:\.venv/bin/)?(?P<words>(?:handin|make)(?: [^`\n#│|]+)?)")


def blocks(kind: str) -> list[list[str]]:
    """The lines of each block of a kind."""
    found = [match for page in PAGES for match in BLOCK.finditer(page.read_text(encoding="utf-8"))]
    return [match["lines"].splitlines() for match in found if match["kind"] == kind]


def typed(page: Path) -> Iterator[list[str]]:
    """Every command of ours on a page, in its words: in blocks, in lines of code, between backticks."""
    text = page.read_text(encoding="utf-8")
    pieces = [line for match in BLOCK.finditer(text) for line in match["lines"].splitlines()]
    pieces += re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    pieces += re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    for piece in pieces:
        match = re.match(r"(?:\w+=\S+ )?" + TYPED.pattern, piece.strip())
        if match:
            yield shlex.split(re.split(r" #|  ", match["words"])[0])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    targets |= set(re.findall(r"^([a-z-]+):", (ROOT / "benchmarks" / "targets.mk").read_text(), re.MULTILINE))
    for program, *words in typed(page):
        if program == "make":
            named = [word for word in words if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
            assert set(named) <= targets, f"{page.name}: make {' '.join(words)}"
            continue
        if not words or not re.fullmatch(r"[a-z]+", words[0]):
            continue
        command = main.get_command(click.Context(main), words[0])
        assert command is not None, f"{page.name}: handin {words[0]}"
        known = {
            name for option in command.params if isinstance(option, click.Option) for name in option.opts
        }
        flags = {word for word in words if word.startswith("--")}
        assert flags <= known, f"{page.name}: handin {' '.join(words)}"


@pytest.mark.parametrize("lines", blocks("sh"), ids=lambda lines: lines[0])
def test_what_is_to_be_typed_works(lines: list[str], documents: Project) -> None:
    for line in lines:
        command = line.replace(".venv/bin/handin", f"{shlex.quote(sys.executable)} -m handin")
        done = subprocess.run(
            command, shell=True, cwd=documents.root, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONPATH": "code"},
        )  # fmt: skip
        assert "error:" not in done.stdout, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        assert done.returncode in (0, 1), done.stdout  # `check` finds the example's names


@pytest.mark.long
def test_what_takes_minutes_works(tmp_path: Path) -> None:
    clone, ours = tmp_path / "clone", ("PYTHONPATH", "VIRTUAL_ENV")
    environment = {key: value for key, value in os.environ.items() if key not in ours}
    environment["PATH"] = os.pathsep.join([str(clone / ".venv" / "bin"), environment["PATH"]])
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    lines = ["make .venv/installed-lab", *(line for block in blocks("sh long") for line in block)]
    for line in sorted(lines, key=lambda line: line != "make"):
        done = subprocess.run(line, shell=True, cwd=clone, env=environment, check=False, capture_output=True)
        assert done.returncode == 0, (line, done.stderr[-2000:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+\.md)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).is_file(), f"{page.name}: {target}"
