"""The real documents, edited at random: outputs with memory equal those without, byte for byte."""

import random
import re
import shutil
from pathlib import Path

import pytest

from handin.environment import Mode
from handin.project import Project, load_project
from handin.render.builtin import Builder

SECTIONS = ("1-mlp", "2-experiments", "3-backpropagation", "appendix")
MODULES = (
    "fnn/figures/style",
    "fnn/figures/studies",
    "fnn/prose/tables",
    "fnn/models",
    "fnn/experiments/plan",
)


class Edits:
    """Edits that somebody writing the report might make; none that trains a network anew."""

    def __init__(self, root: Path, seed: int) -> None:
        self._root = root
        self._random = random.Random(seed)
        self._states: list[dict[Path, bytes]] = []
        self._files = [
            *(root / f"sections/{name}.qmd" for name in SECTIONS),
            *(root / f"code/{name}.py" for name in MODULES),
            *(root / name for name in ("references.bib", "_environment", "_quarto.yml")),
        ]
        self._save()

    def make(self) -> list[str]:
        """One to three edits, or back to an earlier state; returns what was done."""
        if self._random.random() < 0.15:
            state = self._random.randrange(len(self._states))
            for path, content in self._states[state].items():
                path.write_bytes(content)
            return [f"back to state {state}"]
        kinds = [
            self._comma, self._comma, self._argument, self._argument, self._caption, self._echo, self._chunk,
            self._comment, self._colour, self._entry, self._variable, self._name,
        ]  # fmt: skip
        done = [self._random.choice(kinds)() for _ in range(self._random.choice([1, 1, 2, 3]))]
        self._save()
        return done

    def _save(self) -> None:
        self._states.append({path: path.read_bytes() for path in self._files})

    def _section(self) -> Path:
        return self._root / f"sections/{self._random.choice(SECTIONS)}.qmd"

    def _replace(self, path: Path, pattern: str, after: str) -> str:
        """Replace one of the places that match."""
        text = path.read_text(encoding="utf-8")
        found = list(re.finditer(pattern, text, re.MULTILINE))
        if not found:
            return f"{path.name}: nothing"
        match = self._random.choice(found)
        path.write_text(text[: match.start()] + match.expand(after) + text[match.end() :], encoding="utf-8")
        return f"{path.name}: {match[0]!r} becomes {match.expand(after)!r}"

    def _comma(self) -> str:
        return self._replace(self._section(), r"^(We|The|It|A|This) (\w+) ", r"\1, \2, ")

    def _argument(self) -> str:
        return self._replace(self._section(), r"(figures\.draw_\w+\()", r"\1 ")

    def _caption(self) -> str:
        return self._replace(self._section(), r'^#\| fig-cap: "', r"\g<0>Look: ")

    def _echo(self) -> str:
        return self._replace(self._section(), r"^#\| label: (\S+)$", r"\g<0>\n#| echo: true")

    def _chunk(self) -> str:
        number = self._random.randrange(1000)
        return self._replace(self._section(), r"^## ", f"```{{python}}\nprint({number})\n```\n\n## ")

    def _comment(self) -> str:
        path = self._root / f"code/{self._random.choice(MODULES)}.py"
        path.write_text(f"{path.read_text()}# {self._random.random()}\n")
        return f"{path.name}: a comment"

    def _colour(self) -> str:
        colour = f'"#{self._random.randrange(16**6):06X}"'
        return self._replace(self._root / "code/fnn/figures/style.py", r'"#[0-9A-F]{6}"', colour)

    def _entry(self) -> str:
        return self._replace(self._root / "references.bib", r"(title\s*=\s*\{)", r"\1On ")

    def _variable(self) -> str:
        path = self._root / "_environment"
        path.write_text(f"{path.read_text()}COLOUR={self._random.random()}\n")
        return "_environment: COLOUR"

    def _name(self) -> str:
        return self._replace(self._root / "_quarto.yml", r"name: Ada", r"name: Ada A.")


@pytest.fixture
def copy(tmp_path: Path, real_copy: Project, trained: None) -> Path:
    shutil.copytree(real_copy.root, tmp_path / "copy", ignore=shutil.ignore_patterns("_output", "_build"))
    return tmp_path / "copy"


def outputs(root: Path, memory: bool) -> dict[str, bytes]:
    """Everything that a render writes."""
    project = load_project(root)
    Builder(project, mode=Mode(draft=True, memory=memory)).render(project.documents)
    made = [*project.output_dir.iterdir(), *project.figures_dir.glob("*.svg")]
    return {path.name: path.read_bytes() for path in made}


@pytest.mark.long
def test_twenty_edits_of_the_real_documents(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDIN_MEMORY", "1")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    edits = Edits(copy, seed)
    for _ in range(20):
        done = edits.make()
        print(done)
        remembered, executed = outputs(copy, memory=True), outputs(copy, memory=False)
        assert remembered.keys() == executed.keys()
        for name, content in remembered.items():
            assert content == executed[name], f"seed {seed}: {name} after {done}"
