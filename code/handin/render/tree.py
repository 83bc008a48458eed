"""An executed notebook as the tree that is set: Markdown, values, tables in HTML, conditions, references."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbformat import NotebookNode

from handin.errors import Faults, HandinError
from handin.qmd import pandoc
from handin.qmd.chunks import Chunk, Prose
from handin.qmd.outline import from_level_one, numbering
from handin.qmd.pandoc import Node, rewrite
from handin.qmd.places import Places
from handin.qmd.source import Source
from handin.render.crossref import resolve_references
from handin.render.markdown import Converter
from handin.render.refusals import refuse_unknown
from handin.render.settings import DocumentSettings
from handin.render.values import put_values

NOTE = re.compile(r"(Duplicate note reference|Note with key) '(?P<label>[^']+)'.*")


def to_tree(
    notebook: NotebookNode,
    blocks: Sequence[Prose | Chunk],
    source: Source,
    settings: DocumentSettings,
    citations: set[str],
    roots: tuple[Path, Path],
) -> Node:
    """The tree of a document with everything resolved that Pandoc's Typst does not know.

    Args:
        notebook: Executed, one cell per block.
        blocks: The document's prose and chunks.
        source: Where they come from.
        settings: Of the document.
        citations: Keys of the bibliography.
        roots: A scratch folder, which takes the images of chunks, and the project.

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
        place = places.find(rf"^\s*\[\^{re.escape(match['label'])}\]:", last=True)
        remedy = "give each note a label of its own, and refer to it"
        faults.found.append(HandinError(match[0], place=place, remedy=remedy))
    faults.raise_all()
    tree = put_values(tree, converter.values, root)
    tree = from_level_one(rewrite(tree, lambda node: _table(node, converter.tables)))
    with faults.noted():
        refuse_unknown(tree, places, roots)
    with faults.noted():
        depth = len(re.findall("[1aAiI]", numbering(settings.metadata | settings.typst)))
        tree = resolve_references(tree, places, citations, depth)
    faults.raise_all()
    return tree


def _table(node: Node, tables: Mapping[str, list[Node]]) -> list[Node] | None:
    """The table that a piece of HTML is."""
    return tables.get(node["c"][1].strip()) if node["t"] == "RawBlock" else None
