"""What Pandoc's Typst would set otherwise than it is written."""

import re
from pathlib import Path

import pytest
import typst

from handin.errors import HandinError
from handin.project import load_project
from handin.qmd import pandoc
from handin.qmd.source import on_disk, read_source
from handin.render.settings import document_settings
from handin.render.typeset import to_pdf, to_typst


@pytest.mark.parametrize(
    ("written", "typst"),
    [
        (r"$\exp\!\left(x\right)\;y$", "$exp (x) med y$"),  # Pandoc's spaces are whole ems
        (r"$\|v\|_2$ and $\left\|v\right\|^2$", "$parallel v parallel zws_2$ and $∥v∥ zws^2$"),  # not below
        (r"$\begin{cases} a & b \\ c & d \end{cases}$", 'cases(delim: "{", a & quad b, c & quad d)'),
        ("- \\- x", r"- \- x"),
        ("A note.^[1\\. z]", r"#footnote[1\. z]"),
        ("An option, \\--flag.", r"An option, \-\-flag."),
        ("| p |\n|---|\n| + x |", r"[\+ x]"),
        ("![In 2006.](box.svg){#fig-a}", 'alt: "In 2006."'),
    ],
)
def test_what_is_written_is_set(written: str, typst: str, folder: Path) -> None:
    (folder / "box.svg").write_text("<svg/>")
    project, source = load_project(folder), read_source(on_disk(folder), "report.qmd")
    tree, _ = pandoc.parse(written, folder=folder)
    assert typst in to_typst(tree, source, document_settings(project, source), project, folder / "figures")


@pytest.mark.parametrize(
    ("name", "data"), [("b c.png", "GIF"), ("c.png", ""), ("e.svg", "<svg"), ("d.pdf", "%")]
)
def test_a_picture_that_cannot_be_read_is_named(name: str, data: str, folder: Path) -> None:
    (folder / "figures" / name).write_text(data)
    project, source = load_project(folder), read_source(on_disk(folder), "report.qmd")
    with pytest.raises(
        HandinError, match=rf"^report.qmd: the picture {name} cannot be read: .*; save it anew"
    ):
        to_pdf(f'#box(image("/figures/{name}"))', source, project, folder, 0)


def test_the_template_hides_no_name_that_formulas_use(tmp_path: Path) -> None:
    """Pandoc writes `accent(x y, hat)`: a colour of that name would be printed."""
    template = (Path(__file__).parents[3] / "templates/typst-template.typ").read_text("utf-8")
    known = "(std, math, sym).map(module => dictionary(module).keys()).join()"
    lines = [
        f'#assert("{name}" not in {known})' for name in re.findall(r"^#let ([\w-]+)", template, re.MULTILINE)
    ]
    assert len(lines) > 4
    (tmp_path / "names.typ").write_text("\n".join(lines), encoding="utf-8")
    typst.compile(tmp_path / "names.typ")
