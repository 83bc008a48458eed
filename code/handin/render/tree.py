"""An executed notebook as the tree that is set: Markdown, values, references."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

from handin.errors import Faults, HandinError
from handin.qmd import pandoc
from handin.qmd.chunks import Chunk, Prose
from handin.qmd.outline import from_level_one, numbering
from handin.qmd.pandoc import Node
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
        roots: A scratch folder, which takes the images of chunks, and the project.

    Raises:
        HandinError: What is wrong with the document, each thing at its line.
    """
    scratch, root = roots
    places, faults = Places(source, settings.metadata), Faults()
    converter = Converter(settings, scratch / f"{Path(source.name).stem}-media")
    tree, warnings = pandoc.parse(converter.convert(notebook, blocks), folder=root)
    for match in NOTE.finditer(warnings):
        place = places.find(rf"^\s*\[\^{re.escape(match['label'])}\]:", last=True)
        remedy = "give each note a label of its own, and refer to it"
        faults.found.append(HandinError(match[0], place=place, remedy=remedy))
    faults.raise_all()
    tree = from_level_one(put_values(tree, converter.values, root))
    with faults.noted():
        refuse_unknown(tree, places, roots)
    with faults.noted():
        depth = len(re.findall("[1aAiI]", numbering(settings.metadata | settings.typst)))
        tree = resolve_references(tree, places, citations, depth)
    faults.raise_all()
    return tree
