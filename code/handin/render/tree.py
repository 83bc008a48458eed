"""An executed notebook as the tree that is set: Markdown, values, tables in HTML, conditions, references."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

from handin.errors import Faults, HandinError
from handin.qmd import pandoc
from handin.qmd.chunks import Chunk, Prose
from handin.qmd.conditional import resolve_conditions
from handin.qmd.outline import from_level_one, numbering
from handin.qmd.pandoc import Node
from handin.qmd.places import Places
from handin.qmd.source import Source
from handin.render.crossref import resolve_references
from handin.render.html_tables import set_html_tables
from handin.render.markdown import Converter
from handin.render.refusals import refuse_left_over, refuse_unsupported
from handin.render.settings import DocumentSettings
from handin.render.values import put_values

NOTE = re.compile(r"(Duplicate note reference|Note with key) '(?P<label>[^']+)'")


def to_tree(
    notebook: NotebookNode,
    blocks: Sequence[Prose | Chunk],
    source: Source,
    settings: DocumentSettings,
    citations: set[str],
    roots: tuple[Path, Path],
    *,
    ran: bool,
) -> Node:
    """The tree of a document with everything resolved that Pandoc's Typst does not know.

    Args:
        notebook: Executed, one cell per block.
        blocks: The document's prose and chunks.
        source: Where they come from.
        settings: Of the document.
        citations: Keys of the bibliography.
        roots: A scratch folder, which takes the images of chunks, and the project.
        ran: Whether the chunks have run; before, a picture that one of them writes may be missing.

    Raises:
        HandinError: What is wrong with the document, each thing at its line.
    """
    scratch, root = roots
    places, faults, warned = Places(source, settings.metadata), Faults(), list[str]()
    converter = Converter(settings, scratch / f"{Path(source.name).stem}-media")
    markdown = converter.convert(notebook, blocks)
    # Quarto takes a second block of YAML for metadata; here it stays, lest it vanish.
    tree = pandoc.parse(markdown, folder=root, form="markdown-yaml_metadata_block", warned=warned)
    for match in NOTE.finditer("\n".join(warned)):
        label = match["label"]
        twice = match[1].startswith("Duplicate")
        problem = f"the footnote [^{label}] " + ("is written twice" if twice else "is not used")
        remedy = "give each note a label of its own" if twice else "refer to it, or remove it"
        faults.found.append(
            HandinError(
                problem, place=places.find(rf"^\s*\[\^{re.escape(label)}\]:", last=True), remedy=remedy
            )
        )
    faults.raise_all()
    tree = put_values(tree, converter.values, root)
    tree = set_html_tables(tree, places, converter.html)
    tree = from_level_one(resolve_conditions(tree, source, settings.metadata))
    code = "" if ran else "\n".join(block.code for block in blocks if isinstance(block, Chunk) and block.runs)
    with faults.noted():
        tree = refuse_unsupported(tree, places, roots, written=code)
    with faults.noted():
        depth = len(re.findall("[1aAiI]", numbering(settings.metadata | settings.typst)))
        tree = resolve_references(tree, places, citations, depth)
    faults.raise_all()
    refuse_left_over(tree, places)
    return tree
