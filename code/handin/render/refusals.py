"""What the built-in renderer supports, and the refusal of everything else by file and line."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from handin.errors import Faults, HandinError, Place, near
from handin.qmd.chunks import INLINE, OPTION, Chunk, Prose, chunks
from handin.qmd.conditional import CLASSES, PAGEBREAK, closed
from handin.qmd.pandoc import Node, attr, plain_text, rewrite, walk
from handin.qmd.places import Places
from handin.qmd.source import FENCE, Line, Role, Source, with_roles
from handin.render.crossref import CALLOUTS
from handin.yaml_lines import Located

# Chunk options, each with the type of its value, or its values. Quarto's others are refused by name.
OPTIONS: dict[str, type | tuple[object, ...]] = {
    "label": str,
    "fig-cap": str,
    "fig-alt": str,
    "tbl-cap": str,
    "echo": bool,
    "include": bool,
    "output": (True, False, "asis"),
    "warning": bool,
    "error": bool,
    "eval": bool,
    "cache": bool,  # false: never remembered, see docs/memory.md
    "code-fold": (True, False, "show"),  # on a web page
    "code-summary": str,
}
FLOATS = (("fig-cap", "fig-"), ("tbl-cap", "tbl-"))
SHORTCODE = re.compile(r"(?<!\{)\{\{<\s*(?P<name>\S+)")
DIVS = re.compile(r"refs|(fig|tbl|lst)-.+|")  # identifiers of fenced blocks
DIV_CLASSES = CLASSES | {f"callout-{kind}" for kind in CALLOUTS}
DIV_ATTRIBUTES = {"title", "icon", "appearance", "collapse"}
CODE_ATTRIBUTES = {"lst-cap", "filename", "code-fold", "code-summary"}  # on a web page, but for the first
SPANS = {"smallcaps", "underline", "mark"}
MARK = re.compile(r"[-*+>|]|1[.)]|#{1,6}")  # of a list, a quotation, a table, a heading
TEX = re.compile(
    r"\\\([^)]*[\\^_][^)]*\\\)|^\s*\\\[\s*$"
)  # formulas in \(…\) or \[…\], which Pandoc prints as text
IPYTHON = re.compile(r"(^|=)\s*[%!]|\?\s*$", re.MULTILINE)  # magics, commands of the shell, help
IMAGE_ATTRIBUTES = {"fig-alt", "alt", "width", "height"}


def refuse_chunks(source: Source, blocks: Iterable[Prose | Chunk]) -> None:
    """Look through a document for code blocks, chunk options and shortcodes that this renderer does not know.

    Raises:
        HandinError: All such things, each with its place; or two chunks have the same label.
    """
    faults = Faults()
    with faults.noted():
        closed(source.lines)
    for line, role in with_roles(source.lines):
        with faults.noted():
            _line(line, role)
    labels: dict[str, Place] = {}
    for chunk in chunks(blocks):
        for name, value in chunk.options.items():
            with faults.noted():
                _option(name, value, chunk.located.place((name,)))
        with faults.noted():
            _float(chunk.located)
        with faults.noted():
            _label(chunk, labels)
        with faults.noted():
            _syntax(chunk)
        with faults.noted():
            _late_option(chunk)
    faults.raise_all()


def _line(line: Line, role: Role) -> None:
    shortcode = SHORTCODE.search(line.text)
    if role == "prose" and TEX.search(line.text):
        raise HandinError("a formula in \\(…\\) or \\[…\\]", place=line.place, remedy="write $…$ or $$…$$")
    if role == "open":
        _fence(line)
    elif role == "prose" and shortcode and not PAGEBREAK.match(line.text):
        raise HandinError(
            f"the built-in renderer knows no shortcode `{shortcode['name']}` here",
            place=line.place,
            remedy="only `include` and `pagebreak` are supported, each on a line by itself",
        )


def _syntax(chunk: Chunk) -> None:
    """A slip in a chunk's code need not wait for the chunks before it; what only IPython reads must."""
    if not chunk.runs or chunk.options.get("error") or IPYTHON.search(chunk.code):
        return
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(chunk.code, chunk.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = chunk.code_line + (getattr(error, "lineno", None) or 1) - 1
        raise HandinError(
            f"this is no Python: {getattr(error, 'msg', error)}",
            place=Place(chunk.place.file, line),
            remedy="mend the chunk there",
        ) from None


def _late_option(chunk: Chunk) -> None:
    """Quarto reads options at the top of a chunk alone, before any other line."""
    with suppress(tokenize.TokenError, SyntaxError):  # what only IPython reads
        for token in tokenize.generate_tokens(io.StringIO(chunk.code).readline):
            if token.type == tokenize.COMMENT and OPTION.match(token.string):
                raise HandinError(
                    f"an option below other lines, which is ignored: {token.string}",
                    place=Place(chunk.place.file, chunk.code_line + token.start[0] - 1),
                    remedy="write it at the top of the chunk",
                )


def _label(chunk: Chunk, labels: dict[str, Place]) -> None:
    if chunk.label in labels:
        raise HandinError(
            f"the label `{chunk.label}` already stands at {labels[chunk.label]}",
            place=chunk.place,
            remedy="give each chunk a label of its own",
        )
    if chunk.label:
        labels[chunk.label] = chunk.place


def _fence(line: Line) -> None:
    fence = FENCE.match(line.text)
    assert fence is not None
    info = fence["info"].strip()
    if fence["fence"].startswith("~") or (info.startswith("{python") and fence["fence"] != "```"):
        raise HandinError(
            f"a code block opened by `{fence['fence']}`",
            place=line.place,
            remedy="open it with three backticks, as Quarto wants it",
        )
    if not info.startswith("{") or info.startswith(("{=", "{.", "{#", "{{")):
        return
    if fence["indent"]:
        raise HandinError(
            "a chunk must not be indented", place=line.place, remedy="begin its first and last line with ```"
        )
    if info != "{python}":
        raise HandinError(
            f"a chunk opened by `{info}`; only Python chunks are supported",
            place=line.place,
            remedy="write ```{python} and put options below it as `#| name: value`",
        )


def _option(name: object, value: object, place: Place) -> None:
    if not isinstance(name, str) or name not in OPTIONS:
        meant = near(str(name), OPTIONS)
        raise HandinError(
            f"the built-in renderer knows no chunk option `{name}`",
            place=place,
            remedy=f"did you mean `{meant}`?" if meant else f"remove it, or use one of {', '.join(OPTIONS)}",
        )
    kind = OPTIONS[name]
    if not (isinstance(value, kind) if isinstance(kind, type) else value in kind):
        written = {bool: "true or false", str: "text in quotes"}
        words = written[kind] if isinstance(kind, type) else f"true, false or {kind[-1]}"
        raise HandinError(f"`{name}: {value}` is not supported", place=place, remedy=f"write {words}")
    if INLINE.search(str(value)):
        raise HandinError(
            f"Quarto computes no value in `{name}`",
            place=place,
            remedy="let the chunk print it, or write it out",
        )


def _float(located: Located) -> None:
    """A figure or table needs label and caption together, else nobody can refer to it."""
    options = located.data
    for kind, prefix in FLOATS:
        if bool(options.get(kind)) != str(options.get("label", "")).startswith(prefix):
            raise HandinError(
                f"`{kind}` and a label that begins with `{prefix}` belong together",
                place=located.place(("label",) if kind not in options else (kind,)),
                remedy=f"add the missing one of `label: {prefix}…` and `{kind}: …`",
            )


def refuse_unsupported(tree: Node, places: Places, roots: Sequence[Path], *, written: str = "") -> Node:
    """Look through a tree, conditional content resolved, for what would be lost or come out different.

    Returns:
        The tree without pictures that chunks will make.

    Args:
        tree: The tree.
        places: Of its source.
        roots: Folders that images may stand in.
        written: Code of chunks that have not run yet and may write images.

    Raises:
        HandinError: All such things, each with its place.
    """
    faults = Faults()
    coming: list[Node] = []
    for node in walk(tree["blocks"]):
        with faults.noted():
            if node["t"] == "Image" and _is_coming(node, roots, written):
                coming.append(node)
            else:
                _node(node, places, roots)
    faults.raise_all()
    kept: Node = rewrite(tree, lambda node: [] if node in coming else None)
    return kept


def _node(node: Node, places: Places, roots: Sequence[Path]) -> None:
    match node["t"]:
        case "RawBlock" | "RawInline":
            _raw(node, places)
        case "Div":
            _div(node, places)
        case "Span":
            _, classes, _ = attr(node["c"][0])
            if set(classes) - SPANS:
                raise _refusal(
                    f"the span [{plain_text(node)}]{{.{classes[0]}}}", re.escape(classes[0]), places
                )
        case "CodeBlock":
            for name in set(attr(node["c"][0])[2]) - CODE_ATTRIBUTES:
                raise _refusal(f"the attribute `{name}` of code", re.escape(name), places)
        case "Image":
            _image(node, places, roots)
        case "Para" | "Plain":
            _paragraph(node["c"], places)
        case "Str" if note := re.search(r"\[\^[^\s\]]+\]", node["c"]):
            place = places.find(rf"(?<!\\){re.escape(note[0])}")
            if place.line:
                raise HandinError(
                    f"there is no footnote {note[0]}", place=place, remedy=f"write {note[0]}: …"
                )


def _paragraph(inlines: Sequence[Node], places: Places) -> None:
    """Lists, headings and the like begin behind a blank line; else Pandoc takes their marks for words."""
    for number, node in enumerate(inlines):
        before = inlines[number - 1] if number else None
        after = inlines[number + 1] if number + 1 < len(inlines) else None
        begins_line = before is None or before["t"] in ("SoftBreak", "LineBreak")
        if node["t"] != "Str" or not begins_line:
            continue
        swallowed = before and after and after["t"] == "Space" and MARK.fullmatch(node["c"])
        if swallowed or node["c"].startswith(":::"):
            words = [one["c"] for one in inlines[number : number + 3] if one["t"] == "Str"]
            raise HandinError(
                f"`{node['c']}` begins a line within a paragraph",
                place=places.find(r"^\s*" + r"\s+".join(map(re.escape, words))),
                remedy="put a blank line above the list, heading, table, quotation or block",
            )


def refuse_left_over(tree: Node, places: Places) -> None:
    """Look through a resolved tree for attributes that Pandoc has taken for words.

    Raises:
        HandinError: There is one.
    """
    for node in walk(tree["blocks"]):
        if node["t"] == "Str" and (left := re.match(r"\{[#.][\w-]+", node["c"])):
            raise HandinError(
                f"`{left[0]}…` belongs to nothing",
                place=places.containing(left[0]),
                remedy="write it right behind what it names, without a blank; behind $$ a label alone",
            )


def _raw(node: Node, places: Places) -> None:
    form, text = node["c"]
    comment = form == "html" and re.fullmatch(r"\s*<!--.*-->\s*", text, re.DOTALL)
    if form != "typst" and not comment:
        line = next((line for line in text.splitlines() if line.strip()), text)
        raise _refusal(f"raw {form}, which is lost in a PDF set by Typst: {line}", re.escape(line), places)


def _div(node: Node, places: Places) -> None:
    identifier, classes, attributes = attr(node["c"][0])
    for name in classes:
        if name not in DIV_CLASSES:
            raise _refusal(f"the block `::: {{.{name}}}`", rf"(:::|<div).*{re.escape(name)}", places)
    for name, value in attributes.items():
        if name not in DIV_ATTRIBUTES:
            raise _refusal(f'the block `::: {{{name}="{value}"}}`', rf"(:::|<div).*{re.escape(name)}", places)
    if not DIVS.fullmatch(identifier):
        raise _refusal(f"the block `::: {{#{identifier}}}`", rf"(:::|<div).*{re.escape(identifier)}", places)


def _inside(root: Path, target: str) -> bool:
    """Is there such a file, below this folder?"""
    path = Path(os.path.normpath(root / target))
    return path.is_relative_to(root) and path.is_file()


def _is_coming(node: Node, roots: Sequence[Path], written: str) -> bool:
    """Is it a picture that is missing and named by a chunk?"""
    target = unquote(node["c"][2][0])
    return Path(target).name in written and not any(_inside(root, target) for root in roots)


def _image(node: Node, places: Places, roots: Sequence[Path]) -> None:
    _, classes, attributes = attr(node["c"][0])
    target = unquote(node["c"][2][0])
    unknown = [*classes, *(set(attributes) - IMAGE_ATTRIBUTES)]
    if unknown:
        raise _refusal(f"the image attribute `{unknown[0]}`", re.escape(unknown[0]), places)
    if (
        max((float(size[:-1]) for size in attributes.values() if re.fullmatch(r"[\d.]+%", size)), default=0)
        > 100
    ):
        raise _refusal("an image wider than its line", re.escape(target), places)
    if "://" in target or not any(_inside(root, target) for root in roots):
        raise HandinError(
            f"there is no image `{target}` in the project",
            place=places.find(f"{re.escape(target)}|{re.escape(node['c'][2][0])}"),
            remedy="mend the path, which is relative to the project; a chunk that makes it has to name it",
        )


def _refusal(what: str, pattern: str, places: Places) -> HandinError:
    return HandinError(
        f"the built-in renderer does not support {what}",
        place=places.find(pattern),
        remedy="write it another way, or render with Quarto",
    )
