"""Edits of a good hand-in: each breaks exactly one rule; and edits that break none.

An edit changes the recipe before it is built, so that documents and sources belong together, unless the
edit is about just that.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pypdf
from good_project import ZIP, Recipe, code_cell, notebook_cells, outlined, svg
from pypdf.generic import DictionaryObject, NameObject

from handin.rules import Status

Edit = Callable[[Recipe], None]


@dataclass(frozen=True)
class Mutation:
    """An edit with the rule it breaks, and words of the place and the remedy that must be named."""

    rule: str
    edit: Edit
    place: str
    remedy: str
    status: Status = Status.FAIL

    def __str__(self) -> str:
        return f"{self.rule}: {self.edit.__name__}"


MUTATIONS: list[Mutation] = []
HARMLESS: list[Edit] = []


def breaks(rule: str, place: str, remedy: str) -> Callable[[Edit], Edit]:
    """Registers an edit that breaks one rule."""

    def register(edit: Edit) -> Edit:
        MUTATIONS.append(Mutation(rule, edit, place, remedy))
        return edit

    return register


def notes(rule: str, place: str, remedy: str) -> Callable[[Edit], Edit]:
    """Registers an edit that one rule notes."""

    def register(edit: Edit) -> Edit:
        MUTATIONS.append(Mutation(rule, edit, place, remedy, Status.NOTE))
        return edit

    return register


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


# ── report ──


@breaks("report", "", "handin render")
def no_report(r: Recipe) -> None:
    r.after.append(lambda files: files.pop("report.pdf"))


@breaks("report", "", "keep one report")
def two_reports(r: Recipe) -> None:
    r.after.append(lambda files: files.update({"report-old.pdf": files["report.pdf"]}))


@breaks("report", "report.pdf", "write the PDF again")
def broken_report(r: Recipe) -> None:
    r.after.append(lambda files: files.update({"report.pdf": files["report.pdf"][:2000]}))


@breaks("report", "report.pdf", "write the PDF again")
def report_is_a_text_file(r: Recipe) -> None:
    r.after.append(lambda files: files.update({"report.pdf": b"My report"}))


@breaks("report", "report.pdf", "write the PDF again")
def encrypted_report(r: Recipe) -> None:
    def encrypt(files: dict[str, bytes]) -> None:
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(files["report.pdf"]))
        writer.encrypt("secret", algorithm="RC4-128")
        files["report.pdf"] = written(writer)

    r.after.append(encrypt)


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


@breaks("pages", "report.pdf, page", "task-pages")
def task_over_budget(r: Recipe) -> None:
    r.course = r.course.model_copy(update={"task_pages": {"1": 0.5, "2": 3.0}})


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


@breaks("identity", "report.pdf, page 1", "render again")
def no_name_on_report(r: Recipe) -> None:
    swap_in(r, "_quarto.yml", "name: Maria Muster", "name: Marie Muster")
    name = "#context if query(heading).any(it => it.body == [Derivations]) [Maria] else [Marie]"
    swap(r, "Maria", name, part="head")


@breaks("identity", "page 1", "render again")
def login_on_second_page(r: Recipe) -> None:
    r.head = r.head.replace("(mmuster)", "") + "\n#pagebreak()\nmmuster\n"


@breaks("identity", "_quarto.yml:7", "ILIAS login")
def login_is_a_path(r: Recipe) -> None:
    author(r, "Maria Muster", "../../etc/mmuster")


@breaks("identity", "_quarto.yml:7", "ILIAS login")
def login_of_200_letters(r: Recipe) -> None:
    author(r, "Maria Muster", "m" * 200)


@breaks("identity", "_quarto.yml:6", "letters")
def emoji_in_name(r: Recipe) -> None:
    author(r, "Maria 🎓 Muster", "mmuster")


@breaks("identity", "report.pdf, page 1", "letters that the font has")
def letters_without_a_glyph(r: Recipe) -> None:
    author(r, "王小明 Muster", "mmuster")


@breaks("identity", "_quarto.yml", "one other")
def three_students(r: Recipe) -> None:
    others = "".join(f"\n  - name: Max {n}\n    login: max{n}" for n in ("Eins", "Zwei"))
    swap_in(r, "_quarto.yml", "login: mmuster", "login: mmuster" + others)
    r.head += "Max Eins (maxEins), Max Zwei (maxZwei)\n"


# ── sections ──

NETWORK, EXPERIMENTS = "sections/1-network.qmd", "sections/2-experiments.qmd"


@breaks("sections", "sections/1-network.qmd:3", "numbered 1b")
def missing_section(r: Recipe) -> None:
    swap_in(r, NETWORK, "## Widths {#sec-1b}", "")


@breaks("sections", "sections/2-experiments.qmd:3", "number it so")
def misnumbered_section(r: Recipe) -> None:
    swap_in(r, EXPERIMENTS, "{#sec-2}", "{#sec-2 .unnumbered}")


@breaks("sections", "sections/2-experiments.qmd", "unnumbered")
def extra_section(r: Recipe) -> None:
    r.sources[EXPERIMENTS] += "\n## Optional\n\nWords.\n\n## Outlook\n\nWords.\n"


@breaks("sections", "sections/2-experiments.qmd", "unnumbered")
def summary_with_a_number(r: Recipe) -> None:
    r.sources[EXPERIMENTS] += "\n# Summary\n\nWords.\n"


@breaks("sections", "sections/1-network.qmd:3", "number it so")
def decimal_numbers(r: Recipe) -> None:
    swap_in(r, "_quarto.yml", "section-numbering: 1a", 'section-numbering: "1.1"')


@breaks("sections", "sections/1-network.qmd", "numbered 2")
def section_not_in_the_notebook(r: Recipe) -> None:
    swap_in(r, "notebook.qmd", "{{< include sections/2-experiments.qmd >}}", "")


@breaks("sections", "sections/4-more.qmd", "include it")
def section_included_nowhere(r: Recipe) -> None:
    r.sources["sections/4-more.qmd"] = "# More\n"


# ── captions, mentions, placement ──


@breaks("captions", "sections/1-network.qmd:7", "say in a sentence")
def empty_caption(r: Recipe) -> None:
    swap_in(r, NETWORK, "fig-cap: Errors over units.", 'fig-cap: ""')


@breaks("captions", "sections/appendix.qmd:3", "{#fig-")
def picture_without_caption(r: Recipe) -> None:
    swap_in(r, "sections/appendix.qmd", "Further formulas.", "![](data/plot.svg)")
    r.sources["data/plot.svg"] = svg()


@breaks("captions", "sections/1-network.qmd:19", "#| label: fig-")
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


@breaks("mentions", "sections/1-network.qmd:18", "refer to it")
def table_mentioned_in_a_caption_only(r: Recipe) -> None:
    swap_in(r, NETWORK, "; @tbl-widths lists the widths", "")
    swap_in(r, NETWORK, "fig-cap: Errors over units.", 'fig-cap: "Errors for the widths of @tbl-widths."')


@breaks("mentions", "sections/2-experiments.qmd:11", "refer to it")
def figure_called_the_plot_below(r: Recipe) -> None:
    swap_in(r, EXPERIMENTS, "All fits are drawn in @fig-fits.", "All fits are drawn in the figure below.")


@notes("placement", "sections/2-experiments.qmd:11", "move it")
def figure_far_behind(r: Recipe) -> None:
    swap(r, "The layers follow", "As @fig-fits will show, the layers follow")


@notes("placement", "sections/1-network.qmd:7", "move it")
def figure_far_ahead(r: Recipe) -> None:
    swap(r, ", as @fig-errors shows", "")
    swap(r, "All fits", "@fig-errors showed the errors. All fits")


@notes("placement", "sections/1-network.qmd:18", "move it forward")
def table_below_the_references(r: Recipe) -> None:
    table = (
        "#figure(table(columns: 2, [width], [error], [1], [0.5]), caption: [Widths and errors.]) <tbl-widths>"
    )
    swap(r, table, "")
    swap(r, "#show: appendix", f"{table}\n#show: appendix")


@notes("placement", "sections/1-network.qmd:18", "mention it where it stands")
def table_far_ahead(r: Recipe) -> None:
    swap(r, "; @tbl-widths lists the widths", "")
    swap(r, "#lorem(350)", "#lorem(350) #pagebreak()\n#lorem(20)")
    swap(r, "All fits", "@tbl-widths listed the widths. All fits")
    swap(r, "#lorem(250)", "")
    swap(r, "#lorem(200)", "")
    swap(r, "== Fits", "#pagebreak()\n== Fits")


# ── citations and cross-references ──


@breaks("citations", "references.bib:13", "cite it")
def uncited_entry(r: Recipe) -> None:
    r.sources["references.bib"] += "\n@book{hinton,\n  author = {Hinton},\n}\n"


@breaks("citations", "sections/2-experiments.qmd:5", "mend the key")
def unknown_key(r: Recipe) -> None:
    swap_in(r, "sections/2-experiments.qmd", "[@nguyen1990]", "[@nguyen1990; @widrow1990]")


@breaks("citations", "references.bib:7", "cite it")
def citation_removed(r: Recipe) -> None:
    swap_in(r, "sections/2-experiments.qmd", " as in [@nguyen1990]", "")
    swap(r, " (Nguyen and Widrow 1990)", "")


@breaks("cross-references", "report.pdf, page", "mend the label")
def two_question_marks(r: Recipe) -> None:
    swap(r, "All fits", "As Section ?? says, all fits")


@breaks("cross-references", "sections/1-network.qmd:16", "mend the label")
def unresolved_label(r: Recipe) -> None:
    swap_in(r, "sections/1-network.qmd", "lists the widths", "lists the widths, see @fig-lost")
    swap(r, "lists the widths", 'lists the widths, see #"?@fig-lost"')


@breaks("cross-references", "notebook.qmd", "mend the label")
def unresolved_in_notebook_alone(r: Recipe) -> None:
    r.sources["notebook.qmd"] += "\nSee @sec-lost.\n"


@breaks("cross-references", "notebook.pdf, page", "mend the label")
def unresolved_in_notebook(r: Recipe) -> None:
    swap(r, "== Fits", '== Fits\nSee #"@sec-fits".', part="notebook")


# ── bans ──


def module_ban(name: str, code: str, file: str = "code/net/model.py", place: str = "") -> None:
    def edit(r: Recipe) -> None:
        r.sources[file] = r.sources.get(file, "") + code

    edit.__name__ = name
    breaks("banned-modules", place or file, "")(edit)


module_ban("import_numpy", "\nimport numpy as np\n", place="code/net/model.py:29")
module_ban("from_numpy_import", "\nfrom numpy.linalg import norm\n")
module_ban("import_by_name", "\nimport importlib\n\nnp = importlib.import_module('num' + 'py')\n")
module_ban("dunder_import", "\nnp = __import__('numpy')\n")
module_ban("loaded_module", "\nimport sys\n\nnp = sys.modules['numpy']\n")
module_ban("named_string", "\nname = 'numpy'\nnp = __import__(name)\n")
module_ban("conversion_outside", "\nvalues = torch.ones(3).numpy()\n", place="code/net/model.py:29")
module_ban("through_pyplot", "\nimport matplotlib.pyplot as plt\n\nzeros = plt.np.zeros(3)\n")
module_ban(
    "in_a_chunk",
    "\n```{python}\nimport numpy\n```\n",
    "sections/2-experiments.qmd",
    "sections/2-experiments.qmd:18",
)
module_ban(
    "inline",
    "\nThe norm is `{python} __import__('numpy').ones(1)`.\n",
    "sections/2-experiments.qmd",
    "sections/2-experiments.qmd:17",
)
module_ban("through_a_helper", "\nimport make_data\n")


def name_ban(name: str, code: str, file: str = "code/net/model.py", place: str = "") -> None:
    def edit(r: Recipe) -> None:
        r.sources[file] = r.sources.get(file, "") + code

    edit.__name__ = name
    breaks("banned-names", place or file, "tensor operations")(edit)


name_ban("linear", "\nlayer = nn.Linear(1, 2)\n", place="code/net/model.py:29")
name_ban("linear_by_alias", "\nfrom torch.nn import Linear as Matrix\n")
name_ban("sequential", "\nlayers = torch.nn.Sequential()\n")
name_ban("functional_linear", "\nimport torch.nn.functional as F\n\nout = F.linear\n")
name_ban("by_getattr", "\nlayer = getattr(nn, 'Lin' + 'ear')\n")
name_ban("vmap", "\nmany = torch.vmap(draw)\n")
name_ban("func_vmap", "\nfrom torch.func import vmap\n")
name_ban(
    "vmap_in_a_chunk",
    "\n```{python}\nimport torch\ntorch.func.vmap(model.draw)\n```\n",
    "sections/2-experiments.qmd",
    "sections/2-experiments.qmd:19",
)
name_ban("star", "\nfrom torch.nn import *\n")


# ── notebook, code ──


@breaks("notebook", "", "handin render")
def no_notebook_pdf(r: Recipe) -> None:
    r.after.append(lambda files: files.pop("notebook.pdf"))


@breaks("notebook", "notebook.pdf", "write the PDF again")
def broken_notebook_pdf(r: Recipe) -> None:
    r.after.append(lambda files: files.update({"notebook.pdf": b"%PDF-1.7\nbroken"}))


@breaks("notebook", "notebook.ipynb", "run all cells")
def never_executed(r: Recipe) -> None:
    r.cells = [{**cell, "outputs": [], "execution_count": None} for cell in notebook_cells(r.drawings)]


@breaks("notebook", "notebook.ipynb, cell 4", "run all cells")
def ended_in_an_error(r: Recipe) -> None:
    cell = code_cell("1 / 0", "")
    cell["outputs"] = [{"output_type": "error", "ename": "ZeroDivisionError", "evalue": "", "traceback": []}]
    r.cells = [*notebook_cells(r.drawings), cell]


@breaks("notebook", "notebook.pdf", "handin render")
def figure_missing_in_pdf(r: Recipe) -> None:
    swap(r, "#drawn(fits, <fig-fits>, [All fits.])", "", part="notebook")


@breaks("notebook", "notebook.pdf", "handin render")
def caption_without_picture(r: Recipe) -> None:
    swap(
        r,
        "#drawn(fits, <fig-fits>, [All fits.])",
        "#figure([nothing], kind: image, supplement: [Figure], caption: [All fits.])",
        part="notebook",
    )


@breaks("notebook", "notebook.ipynb", "handin render")
def no_executed_notebook(r: Recipe) -> None:
    r.after.append(lambda files: files.pop("notebook.ipynb"))


@breaks("code", "report.qmd:18", "put it back")
def missing_include(r: Recipe) -> None:
    del r.sources["sections/appendix.qmd"]


@breaks("code", "_quarto.yml", "put it back")
def missing_data(r: Recipe) -> None:
    del r.sources["data/train.csv"]


@breaks("code", "code/net/model.py:4", "add its file")
def missing_module(r: Recipe) -> None:
    swap_in(r, "code/net/model.py", "from net import boundary", "from net.edges import boundary")


@breaks("code", "code/net/model.py:1", "declare it")
def undeclared_package(r: Recipe) -> None:
    swap_in(r, "code/net/model.py", "import torch\n", "import frobnicate\nimport torch\n")


@breaks("code", "_quarto.yml", "put it back")
def missing_template(r: Recipe) -> None:
    del r.sources["templates/look.typ"]


# ── fonts and sizes ──


def add_font(file: str, font: dict[str, str]) -> Callable[[dict[str, bytes]], None]:
    """Let the first page name one more font."""

    def edit(files: dict[str, bytes]) -> None:
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(files[file]))
        resources: Any = writer.pages[0]["/Resources"]
        entries = {NameObject(f"/{k}"): NameObject(f"/{v}") for k, v in font.items()}
        resources["/Font"][NameObject("/F99")] = DictionaryObject(entries)
        files[file] = written(writer)

    return edit


def written(writer: pypdf.PdfWriter) -> bytes:
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


@notes("fonts", "report.pdf, page 1", "embed all fonts")
def font_not_embedded(r: Recipe) -> None:
    r.after.append(add_font("report.pdf", {"Type": "Font", "Subtype": "Type1", "BaseFont": "Helvetica"}))


@notes("fonts", "notebook.pdf, page 1", "embed all fonts")
def font_not_embedded_in_notebook(r: Recipe) -> None:
    r.after.append(add_font("notebook.pdf", {"Type": "Font", "Subtype": "TrueType", "BaseFont": "Arial"}))


@notes("fonts", "report.pdf, page 1", "pdf.fonttype")
def type_3(r: Recipe) -> None:
    r.after.append(add_font("report.pdf", {"Type": "Font", "Subtype": "Type3", "Name": "F99"}))


@notes("text-size", "report.pdf, page 1", "larger font")
def small_letters(r: Recipe) -> None:
    r.drawings["errors"] = svg(letters=5)


@notes("text-size", "report.pdf, page", "larger font")
def shrunk_figure(r: Recipe) -> None:
    r.drawings["fits"] = svg(letters=9, width=900)


@notes("text-size", "sections/1-network.qmd:7", "larger font")
def small_outlines(r: Recipe) -> None:
    r.drawings["errors"] = outlined(5.0)


@notes("text-size", "sections/2-experiments.qmd:11", "larger font")
def shrunk_outlines(r: Recipe) -> None:
    r.drawings["fits"] = outlined(8.0, width=900)


# ── fresh ──


@breaks("fresh", "report.pdf", "handin render")
def section_edited_after_rendering(r: Recipe) -> None:
    edit = {"sections/2-experiments.qmd": r.sources["sections/2-experiments.qmd"].encode() + b"\nOne more.\n"}
    r.after.append(lambda files: files.update(edit))


@breaks("fresh", "report.pdf", "handin render")
def data_changed(r: Recipe) -> None:
    r.after.append(lambda files: files.update({"data/train.csv": b"x,y\n0,0\n1,2\n"}))


@breaks("fresh", "notebook.pdf", "handin render")
def other_package_version(r: Recipe) -> None:
    r.versions["torch"] = "2.14.0"


@breaks("fresh", "notebook.ipynb", "without --draft")
def rendered_as_a_draft(r: Recipe) -> None:
    r.rendered_with["draft"] = "1"


@breaks("fresh", "report.pdf", "handin render")
def no_fingerprint(r: Recipe) -> None:
    r.after.append(lambda files: files.update({"report.pdf": r.pdf(r.report)}))


@breaks("fresh", "notebook.ipynb", "handin render")
def notebook_of_an_earlier_build(r: Recipe) -> None:
    def edit(files: dict[str, bytes]) -> None:
        notebook = json.loads(files["notebook.ipynb"])
        notebook["metadata"]["handin"]["files"]["code/net/model.py"] = "0" * 16
        files["notebook.ipynb"] = json.dumps(notebook).encode()

    r.after.append(edit)


# ── the ZIP ──


@breaks("archive", "assignment1.zip", "rename it")
def wrong_name(r: Recipe) -> None:
    r.name = "assignment1.zip"


@breaks("archive", "dl24-1-other.zip", "rename it to dl24-1-mmuster.zip")
def name_of_somebody_else(r: Recipe) -> None:
    r.name = "dl24-1-other.zip"


@breaks("archive", ".git/config", "leave it out")
def repository_inside(r: Recipe) -> None:
    r.name = ZIP
    r.after.append(lambda files: files.update({".git/config": b"[core]\n"}))


@breaks("archive", "old.zip", "leave it out")
def archive_inside(r: Recipe) -> None:
    r.name = ZIP
    r.after.append(lambda files: files.update({"tests/old.zip": b"PK"}))


@breaks("manifest", "README.md", "pack again")
def changed_after_packing(r: Recipe) -> None:
    r.name = ZIP
    r.packed.append(lambda files: files.update({"README.md": b"# Changed\n"}))


@breaks("manifest", "tests/extra.py", "pack again")
def added_after_packing(r: Recipe) -> None:
    r.name = ZIP
    r.packed.append(lambda files: files.update({"tests/extra.py": b"1\n"}))


@breaks("manifest", "README.md", "pack again")
def removed_after_packing(r: Recipe) -> None:
    r.name = ZIP
    r.packed.append(lambda files: files.pop("README.md"))


@breaks("manifest", "manifest.json", "handin pack")
def no_manifest(r: Recipe) -> None:
    r.name = ZIP
    r.packed.append(lambda files: files.pop("manifest.json"))


# ── edits that break nothing ──


@harmless
def nothing(r: Recipe) -> None:
    r.name = ZIP


@harmless
def other_words(r: Recipe) -> None:
    swap(r, "#lorem(250)", "#lorem(180)")
    swap_in(r, "sections/2-experiments.qmd", "All fits are drawn", "All the fits are drawn")


@harmless
def unnumbered_heading(r: Recipe) -> None:
    swap(r, "#lorem(100)", "#heading(level: 3, numbering: none)[A closer look]\n#lorem(100)")


@harmless
def long_appendix(r: Recipe) -> None:
    swap(r, "#lorem(60)", "#lorem(5000)\n= More\n#lorem(1000)")


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
def range_of_figures(r: Recipe) -> None:
    swap(r, ", as @fig-errors shows", "; see Figures 1–2")
    swap(r, "#lorem(250)", "#lorem(30)")
    swap(r, "#lorem(350)", "#lorem(150)")


@harmless
def readme_and_tests_after_rendering(r: Recipe) -> None:
    r.after.append(lambda files: files.update({"README.md": b"# New\n", "tests/test_b.py": b"1\n"}))


@harmless
def optional_task_answered(r: Recipe) -> None:
    swap(r, "#refs[", "== Optional\n#lorem(50)\n#refs[")


@harmless
def mention_across_lines_and_pages(r: Recipe) -> None:
    swap(r, "as @fig-errors shows", "and so on, as Figure\n1 shows")


@harmless
def references_on_their_own_page(r: Recipe) -> None:
    swap(r, "#refs[", "#pagebreak()\n#refs[")
    swap(r, "#show: appendix", "#pagebreak()\n#show: appendix")


@harmless
def subscripts_of_six_points(r: Recipe) -> None:
    r.drawings["errors"] = outlined(6.0)


@harmless
def third_level_below_a_task(r: Recipe) -> None:
    swap(r, "#lorem(250)", '#set heading(numbering: "1a.1")\n=== Detail\n#lorem(250)')


def all_mutations() -> Iterator[Mutation]:
    """Every edit that breaks a rule."""
    yield from MUTATIONS
