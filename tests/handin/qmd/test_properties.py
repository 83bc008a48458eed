"""What the readers promise of any text and any value: hypothesis makes them up, the same ones every time."""

import ast
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from handin.environment import read_environment_file
from handin.errors import HandinError
from handin.qmd.chunks import Chunk, Prose, read_blocks
from handin.qmd.outline import read_outline
from handin.qmd.source import read_source
from handin.reading.names import uses
from handin.yaml_lines import Located

settings.register_profile("same", derandomize=True, database=None, deadline=None, max_examples=50)
settings.load_profile("same")
FEW = settings(max_examples=5)  # where each takes a program that is started
# YAML takes three more signs for line ends than editors do; other than in quotes nobody can write them.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029")
TEXTS = st.text(LETTERS, max_size=120)
WORDS = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS


def nested(scalars: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )


PIECES = (
    "a",
    "ä",
    "`",
    "```",
    "````",
    "~~~",
    "{python}",
    "<!--",
    "-->",
    "#| echo: true",
    " ",
    "\t",
    ":::",
    "---",
    "x: 1",
    "1",
)
PIECES += "\n", "\n", "\n```{python}\n", "\n```\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"


def lines_of(text: str) -> list[str]:
    """As an editor counts them."""
    return re.split(r"\r\n|\r|\n", text)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_every_line_of_a_document_is_in_one_block_and_knows_its_number(text: str) -> None:
    written = lines_of(text)
    try:
        source = read_source(lambda _: text.encode(), "report.qmd")
        blocks = read_blocks(source)
    except HandinError as error:
        assert re.match(r"report\.qmd:\d+: ", str(error))  # noqa: PT017 - it may be refused, by its line
        return
    told: dict[int | None, str] = {}
    for block in blocks:
        if isinstance(block, Prose):
            told |= {line.place.line: line.text for line in block.lines}
        elif block.place.line is not None:
            inner = block.source.split("\n") if block.source else []
            told |= dict(enumerate([block.header.text, *inner], start=block.place.line))
            if block.code.strip():
                assert block.code.startswith(written[block.code_line - 1])
    for number, line in told.items():
        assert number is not None
        assert line == written[number - 1]
    left = [line.text for line in source.lines if line.place.line not in told]
    assert not [line for line in left if line.strip() and not re.fullmatch(r"\s*(`{3,}|~{3,})\s*", line)]


@given(
    st.dictionaries(WORDS, SCALARS, max_size=4), st.lists(st.sampled_from(["x = 1", "", "#| y"]), max_size=4)
)
def test_a_chunk_has_the_options_that_were_written(options: dict[str, Any], code: list[str]) -> None:
    written = yaml.safe_dump(options, allow_unicode=True).splitlines() if options else []
    code = ["x = 0", *code]
    lines = ["before", "", "```{python}", *(f"#| {line}" for line in written), *code, "```"]
    blocks = read_blocks(read_source(lambda _: "\n".join(lines).encode(), "report.qmd"))
    [chunk] = (block for block in blocks if isinstance(block, Chunk))
    assert chunk.options == options
    assert chunk.code == "\n".join(code).rstrip()
    assert lines[chunk.code_line - 1] == "x = 0"
    for name in options:
        line = lines[(chunk.located.place((name,)).line or 0) - 1]
        assert re.match(rf"#\| '?{name}'?:", line)


@given(st.dictionaries(WORDS, nested(SCALARS, WORDS), max_size=5), st.integers(1, 9))
def test_every_setting_of_a_file_knows_its_line(data: dict[str, Any], first: int) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    located = Located(text, "_quarto.yml", first)
    assert located.data == data
    written = lines_of(text)
    for key in located.lines:
        if key and isinstance(key[-1], str):
            line = written[(located.place(key).line or 0) - first]
            assert re.match(rf"[ -]*['\"]?{key[-1]}['\"]?:", line)


NAMES = st.sampled_from(["one", "two", "one two"])
SECTIONS = st.tuples(st.integers(1, 3), NAMES, st.booleans(), st.booleans(), st.booleans())


@FEW
@given(st.lists(SECTIONS, max_size=12), st.booleans())
def test_sections_and_figures_are_found_where_they_are_written(
    sections: list[tuple[int, str, bool, bool, bool]], notebook: bool
) -> None:
    lines, found, figures = ["---", "title: T", "---"], [], []
    for number, (level, title, labelled, drawn, conditional) in enumerate(sections):
        shown = notebook or not conditional
        lines += ['::: {.content-visible when-meta="notebook"}', ""] if conditional else [""]
        label = f"sec-{number}" if labelled else ""
        lines += [f"{'#' * level} {title}" + (f" {{#{label}}}" if label else ""), "", "Words.", ""]
        if shown:
            found.append((level, title, label, f"report.qmd:{len(lines) - 3}"))
        if drawn:
            lines += [
                "```{python}",
                f"#| label: fig-{number}",
                f'#| fig-cap: "{title}: *it*"',
                "1",
                "```",
                "",
            ]
            if shown:
                figures.append((f"fig-{number}", f"report.qmd:{len(lines) - 5}"))
        lines += [":::", ""] if conditional else []
    outline = read_outline(lambda _: "\n".join(lines).encode(), "report.qmd", {"notebook": notebook})
    least = min((level for level, *_ in found), default=1)  # Quarto counts from there
    found = [(level - least + 1, *rest) for level, *rest in found]
    named = [(one.level, one.title, one.label, one.place) for one in outline.sections]
    assert [(*one[:2], one[2] if one[2].startswith("sec-") else "", one[3]) for one in named] == found
    assert [(one.label, one.place) for one in outline.floats] == figures


@given(st.dictionaries(st.from_regex(r"[A-Z]\w{0,6}", fullmatch=True).filter(str.isascii), TEXTS, max_size=4))
def test_variables_of_the_environment_file_are_read_as_written(variables: dict[str, str]) -> None:
    variables = {name: re.sub(r"[\r\n\0\"]", "", value) for name, value in variables.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = "".join(f'{name}="{value}" # "a" comment\n\n' for name, value in variables.items())
        (folder / "_environment").write_text(text, encoding="utf-8")
        assert read_environment_file(folder) == variables


MODULES = st.sampled_from(["numpy", "torch.optim", "scipy.optimize"])
IMPORTS: dict[str, Callable[[str], tuple[str, str]]] = {
    "plain": lambda module: (f"import {module}", module),
    "as": lambda module: (f"import {module} as m", "m"),
    "from": lambda module: (f"from {module} import it", "it"),
    "from as": lambda module: (f"from {module} import it as other", "other"),
}


@given(MODULES, st.sampled_from(sorted(IMPORTS)), st.lists(WORDS, max_size=3, unique=True), st.booleans())
def test_a_name_is_followed_to_its_library(module: str, form: str, names: list[str], by_text: bool) -> None:
    line, held = IMPORTS[form](module)
    lines = [line]
    for name in names:
        lines.append(f"{name}_ = {held}")
        held = f"{name}_"
    lines += [
        "# a form feed \x0c and the like \x1c",
        f"getattr({held}, 'used')(1)" if by_text else f"{held}.used(1)",
    ]
    code = "\n".join(lines)
    [found] = uses([ast.parse(code)])
    dotted = f"{module}.it.used" if "from" in form else f"{module}.used"
    assert [use.line for use in found if use.dotted == dotted] == [len(lines)]
