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
from handin.qmd.pandoc import Node, attr, plain_text, raw_inline, rewrite
from handin.qmd.source import Source
from handin.render.settings import DocumentSettings

OWN_TEMPLATES = Path(__file__).parent / "typst"
FONTS = "templates/fonts"  # of the project; whatever stands there is used where other fonts lack a letter
# What Pandoc drops from a formula without a word, or sets without gaps: columns that stand in no brackets.
LOST = re.compile(
    r"(?<!\\)%|\\&|\\[hc]line|\\color\b|\\tag\b"
    r"|\\begin\{(?!(align(ed)?|split|gather(ed)?|cases|[pbB]?matrix)\*?\})[^}]*\}"
)
BRACKETED = re.compile(r"\\begin\{(cases|[pbB]?matrix)\}.*?\\end\{\1\}", re.DOTALL)
CASES = re.compile(r"\\begin\{cases\}.*?\\end\{cases\}", re.DOTALL)
# Spaces that Pandoc makes whole ems, and the bars of a norm, below which it sets an index.
NARROW = re.compile(r"(?<!\\)\\[!;]|(?:\\\||\\Vert\b)(?=\s*[_^])")
THIRD_COLUMN = re.compile(r"&(?:(?!\\\\|&).)*&", re.DOTALL)
SHORTHAND = re.compile(r"(-{2,}|\.{3,}|^[-+/=]+$|^\d+\.$)")
PICTURE = re.compile(r'(?:image\("/|─ )(?:[^"\n]*/)?([^/"\n]+\.(?!typ:)\w+)[":]')  # in what Typst says
TEMPLATES = ("format", "typst", "template-partials")  # where `_quarto.yml` names them


def to_typst(tree: Node, source: Source, settings: DocumentSettings, project: Project, folder: Path) -> str:
    """The Typst source of a document.

    Args:
        tree: With all references resolved.
        source: What it was made from, for messages.
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

    def change(node: Node) -> list[Node] | None:
        match node["t"]:
            case "Image":
                return _image(node, folder, project.root)
            case "Math":
                return _formula(node, source)
        return None

    tree = rewrite(rewrite(tree, change), _words)
    try:
        text, warnings = pandoc.run(arguments, json.dumps(tree), folder=project.root)
    except HandinError as error:
        key = TEMPLATES if re.search(r"\btemplate\b", error.problem) else ("csl",)
        raise HandinError(
            error.problem, place=error.place or project.place(*key), remedy=error.remedy
        ) from None
    raise_all(_warning(said, source) for said in warnings.split("[WARNING]") if said.strip())
    return text


def to_pdf(text: str, source: Source, project: Project, folder: Path, timestamp: int) -> bytes:
    """The PDF of a Typst source; the same source gives the same bytes.

    Args:
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
        pdf, warnings = typst.compile_with_warnings(
            str(file),
            root=str(project.root),
            font_paths=[str(project.root / FONTS)],
            ignore_system_fonts=True,  # the same on every machine: those inside Typst and the project's own
            timestamp=timestamp,
            pdf_standards=["a-2b"],
        )
    except typst.TypstError as error:
        raise _fault(error, text, source, project) from None
    raise_all(_fault(warning, text, source, project) for warning in warnings)  # a font that is not there, say
    assert isinstance(pdf, bytes)
    return pdf


def _fault(
    error: typst.TypstError | typst.TypstWarning, text: str, source: Source, project: Project
) -> HandinError:
    """What Typst complains of, in the words of who wrote the document."""
    problem, place = f"Typst cannot set the document: {error.message}", Place(source.name)
    line = re.search(rf"{Path(source.name).stem}\.typ:(\d+):", error.diagnostic)
    blamed = "".join(text.splitlines()[int(line[1]) - 1 : int(line[1])]) if line else ""
    remedy = "mend the formula or the raw Typst block there, or the templates"
    if missing := re.search(r'text `"(.+?)"` could not be displayed', error.message):
        code = re.fullmatch(r"\\u\{(\w+)\}", missing[1])
        letter = chr(int(code[1], 16)) if code else missing[1]
        named = [number for number, author in enumerate(project.authors) if letter in author.name]
        problem = f"no font here has the letter {missing[1]}"
        place = project.place("author", named[0], "name") if named else source.find(re.escape(letter))
        remedy = f"write it in other letters, or put a font that has it into {FONTS}"
    elif large := re.search(r"(a table is too (?:wide|long) for its page): (.*)", error.message):
        problem, place = f"{large[1]}: {large[2][:60]}…", _alike(large[2], source)
        remedy = "leave columns or words out; a long one breaks over pages where no figure-placement is set"
    elif "CMYK" in error.message:
        problem, place = "a picture has colours for print (CMYK)", source.find(r"\.jpe?g\b")
        remedy = "save it as RGB"
    elif re.search("image|SVG|PDF", error.message) and (picture := PICTURE.search(error.diagnostic)):
        problem = f"the picture {picture[1]} cannot be read: {error.message}"
        place, remedy = source.find(re.escape(picture[1])), "save it anew as PNG, JPEG or SVG"
    elif "unknown font" in error.message:
        problem, place = error.message, project.place("format", "typst", "mainfont")
    if not place.line:
        place = _origin(blamed, source, project)
    return HandinError(problem, place=place, remedy=remedy)


def _warning(said: str, source: Source) -> HandinError:
    """What Pandoc warns of: mostly a formula that it cannot read, or a citation in the title."""
    named = re.search(r"TeX math\s+(?P<tex>.+?)\s*(?:\n|, rendering)|citation (?P<key>\S+) not found", said)
    place = source.find(re.escape(named["tex"] or named["key"])) if named else Place(source.name)
    if named and named["tex"]:
        why = re.search(r"unexpected .*", said)
        said = f"a formula that Pandoc cannot read, `{named['tex']}`: {why[0] if why else 'it is no TeX'}"
    return HandinError(
        said.strip(),
        place=place if place.line else source.front_matter.place(("title",)),
        remedy="mend it there, or write it in simpler TeX",
    )


def _origin(blamed: str, source: Source, project: Project) -> Place:
    """The line that Typst complains about where it stands in a template, else the line of the document that
    has most words in common with it."""
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
        HandinError: A partial is missing.
    """
    shutil.copytree(OWN_TEMPLATES, templates, dirs_exist_ok=True)
    for name in map(str, settings.typst.get("template-partials") or []):
        if not (project.root / name).is_file():
            remedy = "mend the name, or put the file back"
            raise HandinError(f"there is no template {name}", place=project.place(*TEMPLATES), remedy=remedy)
        shutil.copy(project.root / name, templates)


def _image(node: Node, folder: Path, root: Path) -> list[Node]:
    """An image with its alternative text, which Pandoc's writer leaves out, found from Typst's root."""
    _, _, attributes = attr(node["c"][0])
    target = unquote(node["c"][2][0])
    path = folder / target if (folder / target).is_file() else root / target
    alt = attributes.get("fig-alt") or plain_text(node["c"][1])
    arguments = [_string("/" + path.relative_to(root).as_posix()), f"alt: {_string(alt)}" if alt else ""]
    arguments += [f"width: {attributes['width']}" if "width" in attributes else ""]
    return [raw_inline(f"#box(image({', '.join(filter(None, arguments))}))")]


def _formula(node: Node, source: Source) -> list[Node]:
    """A formula as Pandoc sets it right.

    Raises:
        HandinError: Pandoc would lose a part of it.
    """
    kind, tex = node["c"]
    if found := LOST.search(tex) or THIRD_COLUMN.search(BRACKETED.sub("", tex)):
        raise HandinError(
            f"Pandoc would lose `{found[0]}` in a formula, or what sets it apart",
            place=source.find(re.escape(found[0].partition("\n")[0])),
            remedy="write it in simpler TeX, or as a table",
        )
    tex = CASES.sub(lambda cases: cases[0].replace("&", r"&\quad "), tex)
    wider = {r"\!": "", r"\;": r"\ "}
    return [{"t": "Math", "c": [kind, NARROW.sub(lambda space: wider.get(space[0], space[0] + "{}"), tex)]}]


def _words(node: Node) -> list[Node] | None:
    """Signs that Pandoc leaves bare, of which Typst would make lists, headings or dashes."""
    parts = SHORTHAND.split(node["c"]) if node["t"] == "Str" else ()
    if len(parts) < 2:
        return None
    typst_of = [re.sub(r"(\D)", r"\\\1", part) for part in parts]
    return [raw_inline(typst_of[n]) if n % 2 else {"t": "Str", "c": part} for n, part in enumerate(parts)]


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
