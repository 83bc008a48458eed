"""The built-in renderer on the small project: what it prints, what it refuses, what it leaves alone."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pypdf
import pytest
from rich.console import Console

from handin.environment import Mode
from handin.errors import HandinError, Place
from handin.project import Project, load_project
from handin.qmd.chunks import Prose
from handin.qmd.source import Line
from handin.render import kernel
from handin.render.builtin import Builder
from handin.render.values import Value, marked, substitute

CODE = Path(__file__).parents[3] / "code"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CODE)}
RENDER = [sys.executable, "-m", "handin", "render", "--renderer", "builtin"]
Edit = Callable[[str, str, str], None]


def words(pdf: Path) -> str:
    """The text of a PDF with single blanks."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages).split())


def render(folder: Path) -> str:
    """Renders the report; its words."""
    (pdf,) = Builder(load_project(folder)).render(["report.qmd"])
    return words(pdf)


def test_both_documents_say_what_they_should(built: Project) -> None:
    report, notebook = (words(built.output_dir / f"{name}.pdf") for name in ("report", "notebook"))
    for text in (report, notebook):
        assert "Zoë O’Brien-Müller (zobrien_1)" in text
        assert "Ada Lovelace (alovelac)" in text
        assert "The answer is 42, or 6.000, or bold." in text
        assert (
            "See Figure 1, Table 1 and Equation 1 in Section 1a, as well as Figure 1, Table 2, number 1."
            in text
        )
        assert "So does Knuth (1984, p. 3), and others (Knuth 1984)." in text
        assert "Figure 1. A line with" in text
        assert "Table 1. Squares, computed." in text
        assert "A1 And more It ends, see Section A1." in text
        assert not re.search(r"\?\?|@|\{python\}|:::", text)
    assert "rhubarb" in report
    assert "rhubarb" not in notebook
    assert "custard" not in report
    assert 'print("printed words") words.answer + 1 printed words 43' in notebook
    assert "#|" not in notebook
    assert "printed words" not in report.replace("custard", "")
    assert report.index("References") < report.index("A More words")


def test_metadata_bookmarks_and_fonts(built: Project) -> None:
    reader = pypdf.PdfReader(built.output_dir / "report.pdf")
    assert reader.metadata is not None
    assert reader.metadata.title == "Assignment 1: Small Things"
    assert reader.metadata.author == "Zoë O’Brien-Müller, Ada Lovelace"
    top = [entry["/Title"] for entry in reader.outline if not isinstance(entry, list)]
    assert top == ["1 Words", "2 Second", "References", "A More words"]
    assert reader.xmp_metadata is not None


def test_the_notebook_is_kept_as_it_ran(built: Project) -> None:
    path = built.output_dir / "notebook.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert prose.startswith("# Assignment 1: Small Things")
    assert "The answer is 42, or 6.000, or **bold**." in prose
    assert "rhubarb" not in prose
    assert not re.search(r":::|\{python\}|\{=typst\}", prose)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/svg+xml" in output.get("data", {}) for output in outputs)
    assert not (built.output_dir / "report.ipynb").exists()


def test_nothing_is_left_behind(built: Project) -> None:
    assert {path.name for path in (built.root / "_build").iterdir()} <= {"lock", "built.json", "memory"}
    left = sorted(path.name for path in built.output_dir.iterdir())
    assert left == ["notebook.ipynb", "notebook.pdf", "report.pdf"]


WORDS = "sections/1-words.qmd"


def test_odd_values_names_and_figures_are_set(folder: Path, edit: Edit) -> None:
    """Empty Markdown leaves a sentence out; scripts of all kinds; no figure stands below the references."""
    edit("_quarto.yml", "Zoë O'Brien-Müller", "Ибн Сина أحمد שלום Τάσος Ńę")
    edit("sections/0-setup.qmd", "import words", "import words; from IPython.display import Markdown")
    edit(WORDS, "`{python} words.answer`", "`{python} words.answer`  `{python} Markdown('')`")
    edit(WORDS, "plt.plot([1, 4, 9])", "plt.figure(figsize=(5, 7)); plt.plot([1, 4, 9])")
    edit(WORDS, "Back to @sec-1b.", "Words. " * 300 + "Back to @sec-1b.")
    (folder / "figures" / "late.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="500"><rect width="9" height="9"/></svg>'
    )
    path = folder / WORDS
    path.write_text(path.read_text() + "\n![A late figure.](figures/late.svg){#fig-late}\n\nSee @fig-late.\n")
    with path.open("a") as file:
        file.write("\n| p | q |\n|---|---|\n| `{python} 'x' + chr(124)` | cell |\n")
    text = render(folder)
    assert "x| cell" in text
    assert re.search("The answer is 42 ?, or", text)
    assert text.index("A late figure.") < text.index("References Knuth")


def test_an_empty_string_is_refused() -> None:
    prose = Prose((Line("`{python} str()`", Place("a.qmd", 3)),))
    with pytest.raises(HandinError, match=r"a\.qmd:3: the inline expression `str\(\)` is empty"):
        marked(prose, [{"result": {"data": {"text/plain": "''"}}}], [])


@pytest.mark.parametrize(
    ("data", "markdown"),
    [
        ({"text/plain": "x**2", "text/latex": "$x^2$"}, "$x^2$"),
        ({"text/plain": "-0.5"}, "-0.5"),
        ({"text/plain": "'*a*'"}, r"\*a\*"),
        ({"text/plain": "['*a*']"}, r"\[\'\*a\*\'\]"),
    ],
)
def test_the_notebook_shows_the_value_that_is_printed(data: dict[str, str], markdown: str) -> None:
    text, found = "It is `{python} x` so.", [{"result": {"data": data}}]
    values: list[Value] = []
    marked(Prose((Line(text, Place("a.qmd", 3)),)), found, values)
    assert values[0].markdown == markdown
    assert substitute(text, found) == f"It is {markdown} so."


def test_a_name_that_no_font_here_can_set_is_named_by_its_line(folder: Path, edit: Edit) -> None:
    edit("_quarto.yml", "Zoë O'Brien-Müller", "王小明")
    with pytest.raises(HandinError, match=r"_quarto\.yml:\d+: no font here has the letter .*templates/fonts"):
        render(folder)


def test_all_mistakes_of_a_document_are_told_at_once(folder: Path, edit: Edit) -> None:
    edit(WORDS, "See @fig-line,", "See @fig-lime,")
    edit(WORDS, "others [@knuth1984]", "others [@knut1984]")
    edit(WORDS, "- one", "![](absent.png)\n\n- one")
    with pytest.raises(HandinError) as caught:
        render(folder)
    told = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in told] == [f"{WORDS}:{n}" for n in (4, 5, 52)]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("_quarto.yml", "lang: en", "lang: de", r"_quarto\.yml:\d+: .*`lang`"),
        ("_quarto.yml", "toc: false", "toc: true", r"_quarto\.yml:\d+: .*`format\.typst\.toc`"),
        ("_quarto.yml", "  warning: true", "  cache: true", r"_quarto\.yml:\d+: .*`execute\.cache`"),
        (
            "_quarto.yml",
            "    papersize: a4",
            "    columns: 2",
            r"_quarto\.yml:\d+: .*`format\.typst\.columns`",
        ),
        ("_quarto.yml", "references.bib", "absent.bib", r"_quarto\.yml:\d+: there is no file `absent\.bib`"),
        ("_quarto.yml", "templates/typst-show.typ", "templates/x.typ", r"_quarto\.yml:\d+: .*no template"),
        ("notebook.qmd", "notebook: true", "abstract: Hm", r"notebook\.qmd:4: .*`abstract`"),
    ],
)
def test_settings_that_are_not_supported_are_refused(
    folder: Path, edit: Edit, name: str, old: str, new: str, message: str
) -> None:
    edit(name, old, new)
    project = load_project(folder)
    with pytest.raises(HandinError, match=message):
        Builder(project).render([name if name in project.documents else "report.qmd"])


def test_a_broken_chunk_names_everything_and_replaces_nothing(folder: Path, edit: Edit) -> None:
    (folder / "_output").mkdir()
    (folder / "_output" / "report.pdf").write_text("the old one")
    edit("code/words.py", "    lines = [", "    1 / 0\n    lines = [")
    with pytest.raises(HandinError) as caught:
        render(folder)
    message = str(caught.value)
    assert message.startswith("sections/1-words.qmd:43: chunk `tbl-squares` failed: ZeroDivisionError")
    assert "by zero; mend this line, or what it calls:\n" in message
    assert "\n  code/words.py:13: in table" in message
    assert (folder / "_output" / "report.pdf").read_text() == "the old one"
    assert [path.name for path in (folder / "_output").iterdir()] == ["report.pdf"]
    assert list((folder / "figures").iterdir()) == []


def test_a_broken_inline_expression_is_named(folder: Path, edit: Edit) -> None:
    edit(WORDS, "`{python} words.answer`", "`{python} Words`")  # which stands in the heading above, too
    with pytest.raises(
        HandinError, match=r"1-words\.qmd:3: .*`Words` failed: NameError.*; mend it, or what it names"
    ):
        render(folder)


def test_a_kernel_that_dies_is_named(folder: Path, edit: Edit) -> None:
    edit(WORDS, "plt.show()", "import os; os._exit(3)")
    with pytest.raises(
        HandinError, match=r"1-words\.qmd:17: the kernel died while it ran chunk `fig-line`"
    ) as caught:
        render(folder)
    assert "TCP" not in str(caught.value)


@pytest.mark.parametrize("date", ["abc", "", "-1"])
def test_a_date_of_the_shell_that_is_none_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, date: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)  # which wins over the project's
    with pytest.raises(HandinError, match=rf"the shell: `{date}` is no date in seconds since 1970"):
        Builder(load_project(folder))


def test_a_kernel_that_does_not_answer_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "LONGEST_START", 0.5)
    (folder / "code/sitecustomize.py").write_text("import time\ntime.sleep(30)\n")
    with pytest.raises(HandinError, match=r"the kernel cannot start: .*; it may"):
        render(folder)


def test_an_interruption_leaves_the_old_documents(folder: Path, edit: Edit) -> None:
    (folder / "_output").mkdir()
    (folder / "_output" / "report.pdf").write_text("the old one")
    edit(WORDS, "plt.show()", "open('ran', 'w').close(); import time; time.sleep(60)")
    process = subprocess.Popen(RENDER, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (folder / "ran").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert [path.name for path in (folder / "_output").iterdir()] == ["report.pdf"]
    assert [path.name for path in (folder / "_build").iterdir()] == ["lock"]


def test_the_command_line_says_where_and_how_long_and_sets_the_environment(folder: Path, edit: Edit) -> None:
    names = "['SOURCE_DATE_EPOCH', 'DRAFT', 'PYTHONPATH']"
    edit(
        "sections/0-setup.qmd",
        "import words",
        f"import words, os, json; json.dump([os.environ.get(k) for k in {names}], open('env', 'w'))",
    )
    command = [*RENDER, "--draft", "report"]
    variables = {**ENVIRONMENT, "SOURCE_DATE_EPOCH": "1"}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True)
    assert re.search(r"2/4 fig-line  \d", done.stdout)
    assert re.search(r"_output/report\.pdf  2 pages", done.stdout)
    assert "built by the built-in renderer in" in done.stdout
    assert [path.name for path in (folder / "_output").iterdir()] == ["report.pdf"]
    assert done.stderr == ""
    epoch, draft, path = json.loads((folder / "env").read_text())
    assert (epoch, draft) == ("1", "1")
    assert path.split(os.pathsep)[0] == str(folder / "code")


def test_a_draft_is_marked_on_every_page_and_tells_what_does_not_hold(folder: Path, edit: Edit) -> None:
    edit("_quarto.yml", "  page-limit: 10", "  quick: {RUNS: few}\n  page-limit: 10")
    chunk = """
```{python}
import os
from IPython.display import display
said = Markdown(f'{os.environ["RUNS"]}, {os.environ["DRAFT"]}')
display(said, metadata={'remark': 'a.qmd:3: no'})
```
"""
    edit("sections/1-words.qmd", "# Second {#sec-2}\n", f"# Second {{#sec-2}}\n{chunk}")
    project, told = load_project(folder), io.StringIO()
    builder = Builder(project, mode=Mode(quick=True), console=Console(file=told, width=200))
    (path,) = builder.render(["report.qmd"])
    assert all("DRAFT" in page.extract_text() for page in pypdf.PdfReader(path).pages)
    assert "few, 1" in words(path)
    assert told.getvalue().splitlines()[-1] == "a.qmd:3: no"


def test_a_slip_in_a_chunk_is_told_at_its_line(folder: Path, edit: Edit) -> None:
    edit("sections/1-words.qmd", 'print("printed words")', '"one line"\nprint("printed words"')
    with pytest.raises(HandinError, match=r"1-words.qmd:34: .*'\(' was never closed"):
        render(folder)
