"""A document tree becomes Typst, by Pandoc and the project's templates, and Typst becomes PDF."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import typst

from handin.errors import HandinError, Place, raise_all
from handin.project import Project
from handin.qmd import pandoc
from handin.qmd.conditional import PAGEBREAK
from handin.qmd.pandoc import Node, attr, plain_text, raw_block, raw_inline, rewrite
from handin.qmd.source import Source
from handin.render.settings import DocumentSettings

OWN_TEMPLATES = Path(__file__).parent / "typst"
FONTS = "templates/fonts"  # of the project; whatever stands there is used where other fonts lack a letter
# What Pandoc drops from a formula without a word, or sets without gaps: columns that stand in no brackets.
LOST = re.compile(
    r"\\&|\||\\lvert|\\[hc]line|\\color\b|\\begin\{(array|matrix|smallm|align|flalign|split)|(?<!\\)%"
)
BARS = re.compile(
    r"(?:\\lvert(?![a-zA-Z])|(?<![\w)}\]\\|])\|(?=\S))([^|()]*?)(?:\\rvert(?![a-zA-Z])|(?<=\S)\|)"
)  # of a magnitude
COLUMNS = re.compile(
    r"\\begin\{(?P<kind>array|(?:small)?matrix|align|aligned|alignat|flalign|split)(\*?)\}.*?\\end\{\1\2\}",
    re.DOTALL,
)
PARTIALS = {"typst-template.typ", "typst-show.typ"}  # of Quarto's partials, those that a project may replace


def to_typst(tree: Node, source: Source, settings: DocumentSettings, project: Project, folder: Path) -> str:
    """The Typst source of a document.

    Args:
        tree: With all references resolved.
        source: What it was made from, for messages.
        settings: Of the document.
        project: Its files are what citations and templates come from.
        folder: A scratch folder inside the project; images stand in it.

    Raises:
        HandinError: A template is missing, or Pandoc fails.
    """
    templates = folder / "templates"
    _assemble(templates, settings, project)
    metadata = folder / f"{Path(source.name).stem}-metadata.json"
    values = settings.for_templates(project)
    # Pandoc reads it as YAML, which does not know JSON's escapes of what lies beyond 16 bits, emoji say.
    metadata.write_text(json.dumps(values, default=str, ensure_ascii=False), encoding="utf-8")
    arguments = [
        "--from=json",
        "--to=typst-smart",  # quotation marks as Pandoc reads them
        "--standalone",
        f"--template={templates / 'template.typ'}",
        f"--metadata-file={metadata}",
        "--syntax-highlighting=idiomatic",  # Typst colours the code itself
        "--wrap=none",
    ]
    if settings.metadata.get("citeproc"):
        arguments.append("--citeproc")
    tree = rewrite(
        tree,
        lambda node: (
            _page_break(node) or _image(node, folder, project.root) or _formula(node, source) or _words(node)
        ),
    )
    try:
        text, warnings = pandoc.run(arguments, json.dumps(tree), folder=project.root)
    except HandinError as error:
        place = error.place or (None if "compiling template" in error.problem else project.place("csl"))
        raise HandinError(error.problem, place=place, remedy=error.remedy) from None
    raise_all(_warning(said, source) for said in warnings.split("[WARNING]") if said.strip())
    return text


def to_pdf(text: str, source: Source, project: Project, folder: Path, timestamp: int) -> bytes:
    """The PDF of a Typst source; the same source gives the same bytes.

    Args:
        text: The Typst source.
        source: What it was made from, for messages.
        project: Its folder is Typst's root.
        folder: Takes the Typst source.
        timestamp: The date of the PDF, seconds since 1970.

    Raises:
        HandinError: Typst refuses the source.
    """
    file = folder / f"{Path(source.name).stem}.typ"
    file.write_text(text, encoding="utf-8")
    try:
        pdf = typst.compile(
            str(file),
            root=str(project.root),
            font_paths=[str(project.root / FONTS)],
            ignore_system_fonts=True,  # the same on every machine: those inside Typst and the project's own
            timestamp=timestamp,
            pdf_standards=["a-2b"],
        )
    except typst.TypstError as error:
        if missing := re.search(r'text `"(.+?)"` could not be displayed', error.message):
            code = re.fullmatch(r"\\u\{(\w+)\}", missing[1])
            letter = chr(int(code[1], 16)) if code else missing[1]
            raise HandinError(
                f"no font here has the letter {missing[1]}",
                place=_letter(letter, project, source),
                remedy=f"write it in other letters, or put a font that has it into {FONTS}",
            ) from None
        if large := re.search(r"(a table is too (wide|long) for its page): (.*)", error.message):
            wide = "leave columns out, or shorten what stands in them"
            raise HandinError(
                f"{large[1]}: {large[3][:60]}…",
                place=_alike(large[3], source),
                remedy=wide
                if large[2] == "wide"
                else "let it stand where it is written: no figure-placement",
            ) from None
        if "CMYK" in error.message:
            place = source.find(r"\.jpe?g\b")
            raise HandinError(
                "a picture has colours for print (CMYK)", place=place, remedy="save it as RGB"
            ) from None
        raise HandinError(
            f"Typst cannot set the document: {error.message}",
            place=_origin(error.diagnostic, text, source, project),
            remedy="mend the formula or the raw Typst block there, or the templates",
        ) from None
    assert isinstance(pdf, bytes)
    return pdf


def _letter(letter: str, project: Project, source: Source) -> Place:
    """Where a letter stands: in the name of a student, or in the document."""
    for number, author in enumerate(project.authors):
        if letter in author.name:
            return project.place("author", number, "name")
    return source.find(re.escape(letter))


def _warning(said: str, source: Source) -> HandinError:
    """What Pandoc warns of: mostly a formula that it cannot read."""
    formula = re.search(r"Could not convert TeX math\s+(.+?)\s*, rendering as TeX:", said, re.DOTALL)
    if formula is None:
        named = re.search(r"citation (\S+) not found", said)
        place = source.find(re.escape(named[1])) if named else Place(source.name)
        if not place.line:  # in the title
            place = source.front_matter.place(("title",))
        return HandinError(f"Pandoc warns: {said.strip()}", place=place, remedy="mend what it names")
    first, *_ = formula[1].splitlines()
    why = re.search(r"unexpected .*", said)
    return HandinError(
        f"a formula that Pandoc cannot read, `{first}`: {why[0] if why else 'it is no TeX'}",
        place=source.find(re.escape(first)),
        remedy="mend it there, or write it in simpler TeX",
    )


def _origin(diagnostic: str, text: str, source: Source, project: Project) -> Place:
    """The line that Typst complains about where it stands in a template, else the line of the document that
    has most words in common with it."""
    named = re.search(rf"{Path(source.name).stem}\.typ:(\d+):", diagnostic)
    lines = text.splitlines()
    if named is None or int(named[1]) > len(lines):
        return Place(source.name)
    blamed = lines[int(named[1]) - 1]
    if picture := re.search(r'image\("/([^"]+)"', blamed):
        return source.find(re.escape(picture[1]))
    for path in sorted((project.root / "templates").glob("*.typ")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line == blamed and len(line.strip()) > 3:
                return Place(path.relative_to(project.root), number)
    return _alike(blamed, source)


def _alike(text: str, source: Source) -> Place:
    """The line of the document that has most words in common with a text; the document where none has any."""
    words = set(re.findall(r"\w{2,}", text))
    shared = {line.place: len(words & set(re.findall(r"\w{2,}", line.text))) for line in source.lines}
    best = max(shared, key=lambda place: shared[place], default=Place(source.name))
    return best if shared.get(best) else Place(source.name)


def _assemble(templates: Path, settings: DocumentSettings, project: Project) -> None:
    """Copy the main template and its partials to one folder: Pandoc finds partials beside the main one only.

    Raises:
        HandinError: A partial is missing, or one is named that has no place here.
    """
    shutil.copytree(OWN_TEMPLATES, templates, dirs_exist_ok=True)
    given = {Path(name).name: project.root / name for name in settings.typst.get("template-partials", [])}
    place = project.place("format", "typst", "template-partials")
    if set(given) != PARTIALS:
        raise HandinError(
            "the built-in renderer needs the two partials " + " and ".join(sorted(PARTIALS)),
            place=place,
            remedy="name them under `template-partials:`",
        )
    for name, path in given.items():
        if not path.is_file():
            raise HandinError(f"there is no template {path.relative_to(project.root)}", place=place)
        shutil.copyfile(path, templates / name)


def _image(node: Node, folder: Path, root: Path) -> list[Node] | None:
    """An image with its alternative text, which Pandoc's writer leaves out, found from Typst's root."""
    if node["t"] != "Image":
        return None
    _, _, attributes = attr(node["c"][0])
    target = unquote(node["c"][2][0])
    path = folder / target if (folder / target).is_file() else root / target
    arguments = [_string("/" + path.relative_to(root).as_posix())]
    alt = attributes.get("fig-alt") or attributes.get("alt") or plain_text(node["c"][1])
    if alt:
        arguments.append(f"alt: {_string(alt)}")
    arguments += [
        f"{side}: {_length(attributes[side])}" for side in ("width", "height") if side in attributes
    ]
    return [raw_inline(f"#box(image({', '.join(arguments)}))")]


def _formula(node: Node, source: Source) -> list[Node] | None:
    """A formula without what Pandoc loses on the way to Typst.

    Raises:
        HandinError: It loses more than can be put right here.
    """
    if node["t"] != "Math" or not LOST.search(node["c"][1]):
        return None
    kind, tex = node["c"]
    if found := re.search(r"(?<!\\)%|\\(h|c)line|\\color\b|\\begin\{array\}\{[^}]*\|", tex):
        raise HandinError(
            f"Pandoc would lose `{found[0]}` in a formula",
            place=source.find(re.escape(found[0])),
            remedy="write it without, or as a table",
        )
    tex = BARS.sub(r"\\left|\1\\right|", COLUMNS.sub(_with_gaps, tex))
    return [{"t": "Math", "c": [kind, re.sub(r"\\&", r"\\text{\\&}", tex)]}]


def _with_gaps(columns: re.Match[str]) -> str:
    """Columns with gaps between them; those of an `aligned` come in pairs."""
    step = 1 if columns["kind"].endswith(("array", "matrix")) else 2
    rows = []
    for row in columns[0].split(r"\\"):
        first, *cells = re.split(r"(?<!\\)&", row)
        gaps = ("& \\quad " if number % step == 0 else "&" for number in range(1, len(cells) + 1))
        rows.append(first + "".join(gap + cell for gap, cell in zip(gaps, cells, strict=True)))
    return r"\\".join(rows)


def _page_break(node: Node) -> list[Node] | None:
    is_one = node["t"] == "Para" and PAGEBREAK.match(plain_text(node))
    return [raw_block("#pagebreak()")] if is_one else None


def _words(node: Node) -> list[Node] | None:
    """Text that begins like a list, which Pandoc leaves bare in the cells of a table."""
    first = node["c"][0] if node["t"] == "Plain" and node["c"] else {"t": ""}
    if first["t"] != "Str" or not re.fullmatch(r"[-+/=]+|\d+\.", first["c"]):
        return None
    return [{"t": "Plain", "c": [raw_inline("#[]"), *node["c"]]}]


def _length(value: str) -> str:
    """A length as Typst writes it; Pandoc counts bare numbers and px as 1/96 inch."""
    match = re.fullmatch(r"([\d.]+)\s*(px|)", value)
    return f"{float(match[1]) / 96:.4f}in" if match else value


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
