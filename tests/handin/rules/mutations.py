"""Edits of a good hand-in: each breaks exactly one rule; and edits that break none.

An edit changes the recipe before it is built, so that documents and sources belong together, unless the
edit is about just that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from good_project import ZIP, Files, Recipe, code_cell, notebook_cells, svg

from handin.environment import Mode
from handin.pack import as_zip
from handin.rules import Status

Edit = Callable[[Recipe], None]


@dataclass(frozen=True)
class Mutation:
    """An edit with the rule it breaks, and words of the place and the remedy that must be named."""

    rule: str
    edit: Edit
    place: str
    remedy: str
    status: Status

    def __str__(self) -> str:
        return f"{self.rule}: {self.edit.__name__}"


MUTATIONS: list[Mutation] = []
HARMLESS: list[Edit] = []


def breaks(rule: str, place: str, remedy: str, status: Status = Status.FAIL) -> Callable[[Edit], Edit]:
    """Registers an edit that breaks one rule, or that one rule notes."""

    def register(edit: Edit) -> Edit:
        MUTATIONS.append(Mutation(rule, edit, place, remedy, status))
        return edit

    return register


notes = partial(breaks, status=Status.NOTE)


def harmless(edit: Edit) -> Edit:
    """Registers an edit that breaks no rule."""
    HARMLESS.append(edit)
    return edit


def swap(recipe: Recipe, old: str, new: str, *, part: str = "report") -> None:
    """Replace text of a document, which must be there."""
    text = getattr(recipe, part)
    assert old in text
    setattr(recipe, part, text.replace(old, new))


def swap_in(recipe: Recipe, file: str, old: str, new: str) -> None:
    """Replace text of a source, which must be there."""
    assert old in recipe.sources[file]
    recipe.sources[file] = recipe.sources[file].replace(old, new)


def afterwards(recipe: Recipe, file: str, change: Callable[[bytes], bytes]) -> None:
    """Change what rendering gave, or a source after it."""

    def edit(files: Files) -> None:
        files[file] = change(files.get(file, b""))

    recipe.after.append(edit)


def without(recipe: Recipe, file: str) -> None:
    """Remove what rendering gave."""
    recipe.after.append(lambda files: files.pop(file) and None)


PDF, NOTEBOOK_PDF, IPYNB = "_output/report.pdf", "_output/notebook.pdf", "_output/notebook.ipynb"

# ── report ──


@breaks("report", "report.pdf", "handin render")
def no_report(r: Recipe) -> None:
    without(r, PDF)


@breaks("report", "report.pdf", "handin render")
def broken_report(r: Recipe) -> None:
    afterwards(r, PDF, lambda data: data[:2000])


@breaks("report", "report.pdf", "handin render")
def report_is_a_text_file(r: Recipe) -> None:
    afterwards(r, PDF, lambda _: b"My report")


@breaks("report", "_quarto.yml:4", "call the report so")
def report_of_another_name(r: Recipe) -> None:
    r.sources["paper.qmd"] = r.sources.pop("report.qmd")
    swap_in(r, "_quarto.yml", "render: [report.qmd", "render: [paper.qmd")


@breaks("report", "report.pdf", "separate document")
def report_is_the_notebook(r: Recipe) -> None:
    r.notebook = r.report


# ── pages ──


@breaks("pages", "report.pdf, page", "shorten")
def too_long(r: Recipe) -> None:
    swap(r, "== Conjecture <sec-2a>", "== Conjecture <sec-2a>\n#lorem(1500)")


@breaks("pages", "report.pdf, page", "shorten")
def large_letters(r: Recipe) -> None:
    r.head = "#set text(size: 17pt)\n" + r.head


@breaks("pages", "report.pdf, page", "appendix")
def references_pushed_back(r: Recipe) -> None:
    swap(r, "#refs[", "#pagebreak()\nA word.\n#pagebreak()\nAnother.\n#refs[")


# ── identity ──


def author(recipe: Recipe, name: str, login: str) -> None:
    swap_in(
        recipe, "_quarto.yml", "name: Maria Muster\n    login: mmuster", f"name: {name}\n    login: {login}"
    )
    recipe.head = recipe.head.replace("Maria Muster (mmuster)", f'{name} (#"{login}")')


@breaks("identity", "_quarto.yml:7", "your own name")
def example_login(r: Recipe) -> None:
    author(r, "Maria Muster", "alovelac")


@breaks("identity", "_quarto.yml:6", "your own name")
def example_name(r: Recipe) -> None:
    author(r, "Ada Lovelace", "mmuster")


@breaks("identity", "report.pdf, page 1", "templates/")
def no_name_on_report(r: Recipe) -> None:
    swap_in(r, "_quarto.yml", "name: Maria Muster", "name: Marie Muster")
    name = "#context if query(heading).any(it => it.body == [Derivations]) [Maria] else [Marie]"
    swap(r, "Maria", name, part="head")


@breaks("identity", "page 1", "templates/")
def login_on_second_page(r: Recipe) -> None:
    r.head = r.head.replace("(mmuster)", "") + "\n#pagebreak()\nmmuster\n"


@breaks("identity", "report.pdf, page 1", "letters that its font has")
def letters_without_a_glyph(r: Recipe) -> None:
    author(r, "王小明 Muster", "mmuster")


# ── sections ──

NETWORK, EXPERIMENTS = "sections/1-network.qmd", "sections/2-experiments.qmd"


@breaks("sections", "sections/1-network.qmd:3", "numbered 1b")
def missing_section(r: Recipe) -> None:
    swap_in(r, NETWORK, "## Widths {#sec-1b}", "")


@breaks("sections", "sections/2-experiments.qmd:3", "number it like a task")
def misnumbered_section(r: Recipe) -> None:
    swap_in(r, EXPERIMENTS, "{#sec-2}", "{#sec-2 .unnumbered}")


@breaks("sections", "sections/2-experiments.qmd", "unnumbered")
def extra_section(r: Recipe) -> None:
    r.sources[EXPERIMENTS] += "\n## Optional\n\nWords.\n\n## Outlook\n\nWords.\n"


@breaks("sections", "sections/2-experiments.qmd", "unnumbered")
def summary_with_a_number(r: Recipe) -> None:
    r.sources[EXPERIMENTS] += "\n# Summary\n\nWords.\n"


@breaks("sections", "sections/1-network.qmd:3", "number it like a task")
def decimal_numbers(r: Recipe) -> None:
    swap_in(r, "_quarto.yml", "section-numbering: 1a", 'section-numbering: "1.1"')


@breaks("sections", "sections/1-network.qmd", "numbered 2")
def section_not_in_the_notebook(r: Recipe) -> None:
    swap_in(r, "notebook.qmd", "{{< include sections/2-experiments.qmd >}}", "")


# ── captions, mentions, placement ──


@breaks("captions", "sections/1-network.qmd:7", "say in a sentence")
def empty_caption(r: Recipe) -> None:
    swap_in(r, NETWORK, "fig-cap: Errors over units.", 'fig-cap: ""')


@notes("captions", "sections/2-experiments.qmd:11", "fig-alt")
def figure_without_an_alternative_text(r: Recipe) -> None:
    swap_in(r, EXPERIMENTS, "#| fig-alt: Three curves.\n", "")


@breaks("captions", "sections/appendix.qmd:3", "{#fig-")
def picture_without_caption(r: Recipe) -> None:
    swap_in(r, "sections/appendix.qmd", "Further formulas.", "![](data/plot.svg)")
    r.sources["data/plot.svg"] = svg()


@breaks("captions", "sections/1-network.qmd:20", "#| label: fig-")
def unlabelled_chunk(r: Recipe) -> None:
    chunk = "\n```{python}\nmodel.draw()\n```\n"
    r.sources["sections/1-network.qmd"] = r.sources["sections/1-network.qmd"].replace(
        "```{python}\n#| label: tbl", f"{chunk}\n```{{python}}\n#| label: tbl"
    )
    r.cells = [*notebook_cells(r.drawings), code_cell("model.draw()", svg())]
    swap(
        r,
        "```python\nmodel.fits()",
        "#image(bytes(errors))\n#drawn(errors, <fig-x>, [More.])\n```python\nmodel.fits()",
        part="notebook",
    )


@breaks("mentions", "sections/1-network.qmd:7", "refer to it")
def figure_not_mentioned(r: Recipe) -> None:
    swap_in(r, NETWORK, ", as @fig-errors shows", "")


@breaks("mentions", "sections/1-network.qmd:19", "refer to it")
def table_mentioned_in_a_caption_only(r: Recipe) -> None:
    swap_in(r, NETWORK, "; @tbl-widths lists the widths", "")
    swap_in(r, NETWORK, "fig-cap: Errors over units.", 'fig-cap: "Errors for the widths of @tbl-widths."')


@breaks("mentions", "sections/2-experiments.qmd:11", "refer to it")
def figure_called_the_plot_below(r: Recipe) -> None:
    swap_in(r, EXPERIMENTS, "All fits are drawn in @fig-fits.", "All fits are drawn in the figure below.")


# ── references ──


@notes("references", "references.bib:13", "remove them")
def uncited_entry(r: Recipe) -> None:
    r.sources["references.bib"] += "\n@book{hinton,\n  author = {Hinton},\n}\n"


@breaks("references", "sections/2-experiments.qmd:5", "mend the key")
def unknown_key(r: Recipe) -> None:
    swap_in(r, "sections/2-experiments.qmd", "[@nguyen1990]", "[@nguyen1990; @widrow1990]")


@breaks("references", "sections/1-network.qmd:17", "mend the label")
def unresolved_label(r: Recipe) -> None:
    swap_in(r, "sections/1-network.qmd", "lists the widths", "lists the widths, see @fig-lost")
    swap(r, "lists the widths", 'lists the widths, see #"?@fig-lost"')


@breaks("references", "notebook.qmd", "mend the label")
def unresolved_in_notebook_alone(r: Recipe) -> None:
    r.sources["notebook.qmd"] += "\nSee @sec-lost.\n"


# ── bans ──


def ban(rule: str, name: str, code: str, place: str = "code/net/model.py") -> None:
    """Registers code that breaks a ban, appended to the file that `place` names."""

    def edit(r: Recipe) -> None:
        r.sources[place.partition(":")[0]] += code

    edit.__name__ = name
    breaks(rule, place, "the course bans")(edit)


CHUNK = "\n```{{python}}\nimport torch\n{}\n```\n"
ban("banned-modules", "import_numpy", "\nimport numpy as np\n", "code/net/model.py:29")
ban("banned-modules", "from_numpy_import", "\nfrom numpy.linalg import norm\n")
ban("banned-modules", "numpy_in_a_chunk", CHUNK.format("import numpy"), f"{EXPERIMENTS}:20")
ban("banned-names", "linear", "\nlayer = nn.Linear(1, 2)\n", "code/net/model.py:29")
ban("banned-names", "linear_by_alias", "\nfrom torch.nn import Linear as Matrix\n")
ban("banned-names", "sequential", "\nlayers = torch.nn.Sequential()\n")
ban("banned-names", "functional_linear", "\nimport torch.nn.functional as F\n\nout = F.linear\n")
ban("banned-names", "by_getattr", "\nlayer = getattr(nn, 'Linear')\n")
ban("banned-names", "vmap", "\nmany = torch.vmap(draw)\n")
ban("banned-names", "func_vmap", "\nfrom torch.func import vmap\n")
ban("banned-names", "vmap_in_a_chunk", CHUNK.format("torch.func.vmap(model.draw)"), f"{EXPERIMENTS}:20")
ban("banned-names", "star", "\nfrom torch.nn import *\n")


@breaks("banned-modules", "code/net/model.py:29", "handin: boundary")
def conversion_outside(r: Recipe) -> None:
    r.sources["code/net/model.py"] += "\nvalues = torch.ones(3).numpy()\n"


@breaks("banned-modules", f"{EXPERIMENTS}:18", "handin: boundary")
def conversion_in_the_prose(r: Recipe) -> None:
    r.sources[EXPERIMENTS] += "\nThe norm is `{python} model.mean().numpy()`.\n"


# ── notebook, code ──


@breaks("notebook", "notebook.pdf", "handin render")
def no_notebook_pdf(r: Recipe) -> None:
    without(r, NOTEBOOK_PDF)


@breaks("notebook", "notebook.pdf", "handin render")
def broken_notebook_pdf(r: Recipe) -> None:
    afterwards(r, NOTEBOOK_PDF, lambda _: b"%PDF-1.7\nbroken")


@breaks("notebook", "notebook.ipynb", "handin render")
def no_notebook_at_all(r: Recipe) -> None:
    afterwards(r, IPYNB, lambda _: b"[]")


@breaks("notebook", "notebook.ipynb", "handin render")
def notebook_without_cells(r: Recipe) -> None:
    afterwards(r, IPYNB, lambda _: b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')


@breaks("notebook", "notebook.ipynb", "handin render")
def no_executed_notebook(r: Recipe) -> None:
    without(r, IPYNB)


@breaks("notebook", "sections/2-experiments.qmd:13", "notebook.qmd")
def figure_hidden_in_the_notebook(r: Recipe) -> None:
    swap_in(r, EXPERIMENTS, "```{python}", '::: {.content-visible unless-meta="notebook"}\n\n```{python}')
    r.sources[EXPERIMENTS] += "\n:::\n"
    swap_in(r, EXPERIMENTS, "@fig-fits", "Figure 2")
    r.sources["sections/appendix.qmd"] += "\nAs @fig-fits.\n"


@breaks("code", "report.qmd:18", "mend the path")
def missing_include(r: Recipe) -> None:
    del r.sources["sections/appendix.qmd"]


@breaks("code", "code/net/model.py:4", "add its file")
def missing_module(r: Recipe) -> None:
    swap_in(r, "code/net/model.py", "from net import boundary", "from net.edges import boundary")


@breaks("code", "code/net/model.py:1", "declare it")
def undeclared_package(r: Recipe) -> None:
    swap_in(r, "code/net/model.py", "import torch\n", "import frobnicate\nimport torch\n")


@breaks("code", "sections/appendix.qmd:5", "left-out")
def picture_that_is_not_packed(r: Recipe) -> None:
    picture = 'As @fig-net shows.\n\n![The network.](docs/net.svg){#fig-net fig-alt="A net."}'
    swap_in(r, "sections/appendix.qmd", "Further formulas.", picture)
    r.sources["docs/net.svg"] = svg()


@breaks("code", "_quarto.yml:29", "left-out")
def setting_that_names_a_file_outside(r: Recipe) -> None:
    r.sources["_quarto.yml"] += "    logo: docs/logo.svg\n"
    r.sources["docs/logo.svg"] = svg()


@breaks("code", "sections/2-experiments.qmd:16", "left-out")
def chunk_that_opens_what_is_not_packed(r: Recipe) -> None:
    swap_in(r, EXPERIMENTS, "model.fits()", 'model.fits()\nopen("docs/extra.csv").read()')
    r.sources["docs/extra.csv"] = "1,2\n"


# ── fresh ──


@breaks("fresh", "report.pdf", "handin render")
def section_edited_after_rendering(r: Recipe) -> None:
    afterwards(r, "sections/2-experiments.qmd", lambda data: data + b"\nOne more.\n")


@breaks("fresh", "report.pdf", "handin render")
def data_changed(r: Recipe) -> None:
    afterwards(r, "data/train.csv", lambda data: data + b"2,2\n")


@breaks("fresh", "notebook.pdf", "handin render")
def other_package_version(r: Recipe) -> None:
    r.made_from = "another fingerprint"


@breaks("fresh", "notebook.ipynb", "handin render")
def rendered_as_a_draft(r: Recipe) -> None:
    r.mode = Mode(draft=True)


@breaks("fresh", "report.pdf", "handin render")
def pdf_of_another_day(r: Recipe) -> None:
    afterwards(r, PDF, lambda _: r.pdf(r.report.replace("All fits", "All the fits")))


@breaks("fresh", "notebook.ipynb", "handin render")
def notebook_edited_by_hand(r: Recipe) -> None:
    afterwards(r, IPYNB, lambda data: data.replace(b'"done"', b'"better"'))


@breaks("fresh", "report.pdf", "handin render")
def no_note_of_the_build(r: Recipe) -> None:
    afterwards(r, "_build/built.json", lambda _: b"{")


# ── the ZIP ──


@breaks("archive", f"_output/{ZIP}", "handin pack")
def packed_before_an_edit(r: Recipe) -> None:
    afterwards(r, f"_output/{ZIP}", lambda _: as_zip({"report.qmd": b"old"}))


@breaks("archive", f"_output/{ZIP}", "handin pack")
def half_of_a_zip(r: Recipe) -> None:
    afterwards(r, f"_output/{ZIP}", lambda _: as_zip({"report.qmd": b"old"})[:50])


@breaks("archive", f"_output/{ZIP}", "handin pack")
def damaged_zip(r: Recipe) -> None:
    afterwards(
        r, f"_output/{ZIP}", lambda _: as_zip({"report.qmd": b"words " * 99}).replace(b"\xcb", b"\x00")
    )


# ── edits that break nothing ──


@harmless
def other_words(r: Recipe) -> None:
    swap(r, "#lorem(250)", "#lorem(180)")
    swap_in(r, "sections/2-experiments.qmd", "All fits are drawn", "All the fits are drawn")


@harmless
def unnumbered_heading(r: Recipe) -> None:
    swap(r, "#lorem(100)", "#heading(level: 3, numbering: none)[A closer look]\n#lorem(100)")
    swap_in(r, EXPERIMENTS, "## Conjecture", "### A closer look {.unnumbered}\n\n## Conjecture")


@harmless
def entries_listed_without_being_cited(r: Recipe) -> None:
    r.sources["references.bib"] += "\n@book{hinton,\n  author = {Hinton},\n}\n"
    swap_in(r, "report.qmd", "title: Assignment 1", "title: Assignment 1\nnocite: |\n  @hinton")


@harmless
def pictures_that_the_report_does_not_show(r: Recipe) -> None:
    hidden = '\n::: {.content-visible when-meta="notebook"}\n```{python}\nmodel.draw()\n```\n:::\n'
    r.sources[EXPERIMENTS] += f"{hidden}\n```{{python}}\n#| output: false\nmodel.fits(1)\n```\n"
    r.cells = [
        *notebook_cells(r.drawings),
        code_cell("model.draw()", svg()),
        code_cell("model.fits(1)", svg()),
    ]


@harmless
def package_that_may_be_missing(r: Recipe) -> None:
    code = "\ntry:\n    import frobnicate\nexcept ImportError:\n    frobnicate = None\n"
    r.sources["code/net/model.py"] += code


@harmless
def sections_in_another_folder(r: Recipe) -> None:
    r.sources["chapters/more.qmd"] = r.sources.pop("sections/appendix.qmd")
    swap_in(r, "report.qmd", "sections/appendix.qmd", "chapters/more.qmd")


@harmless
def long_appendix(r: Recipe) -> None:
    swap(r, "#lorem(60)", "#lorem(5000)\n= More\n#lorem(1000)")
    r.sources["sections/appendix.qmd"] += "\n# More\n"


@harmless
def pair_with_umlauts(r: Recipe) -> None:
    swap_in(
        r,
        "_quarto.yml",
        "login: mmuster",
        "login: mmuster\n  - name: Jürgen Groß-O’Neill\n    login: jürgen.groß",
    )
    r.head = r.head.replace("(mmuster)", "(mmuster), Jürgen Groß-O’Neill (jürgen.groß)")


@harmless
def right_to_left_name(r: Recipe) -> None:
    author(r, "שרה לוי", "slevi")


@harmless
def numpy_in_words_only(r: Recipe) -> None:
    swap_in(
        r,
        "code/net/model.py",
        "def draw",
        '# unlike numpy\nNOTE = "import numpy, nn.Linear, vmap"\n\n\ndef draw',
    )


@harmless
def numpy_in_tests(r: Recipe) -> None:
    r.sources["tests/test_model.py"] = "import numpy\n\nfrom torch import nn\n\nnn.Linear(1, 1)\n"


@harmless
def optional_task_answered(r: Recipe) -> None:
    swap(r, "#refs[", "== Optional\n#lorem(50)\n#refs[")
    r.sources[EXPERIMENTS] += "\n## Optional\n"


@harmless
def references_on_their_own_page(r: Recipe) -> None:
    swap(r, "#refs[", "#pagebreak()\n#refs[")
    swap(r, "#show: appendix", "#pagebreak()\n#show: appendix")


@harmless
def third_level_below_a_task(r: Recipe) -> None:
    swap(r, "#lorem(250)", '#set heading(numbering: "1a.1")\n=== Detail\n#lorem(250)')
    swap_in(r, EXPERIMENTS, "Units are placed", "### Detail\n\nUnits are placed")
