"""Sentences that a call in a chunk vouches for: their words stand in the prose.

`handin: stated-by: claim` in `_quarto.yml` says which call. In `claim(a < b, "a is smaller", a=a)` the first
literal text states the words. Where the prose no longer has them, the call vouches for nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handin.errors import HandinError, Place, raise_all
from handin.project import Project
from handin.qmd.chunks import INLINE, Chunk, chunks, read_blocks, without_magics
from handin.qmd.conditional import shown_lines
from handin.qmd.source import Source, merged, on_disk, read_source, with_roles

_VALUE = "\0"  # in the place of an inline value, which may be any word
_NO_WORDS = re.compile(r"\[[^\[\]]*@[^\[\]]*\]|@[\w:.-]+|\{[^{}]*\}")  # citations, references, attributes


def require_statements(project: Project) -> None:
    """Check that some document of the project shows the words that a chunk states.

    Raises:
        HandinError: None does, or a call states none, each at its line; or a document cannot be read.
    """
    call = project.handin.stated_by
    if call is None:
        return
    sources = [read_source(on_disk(project.root), name) for name in project.documents]
    shown = " ".join(_prose(source, merged(project.metadata, source.metadata)) for source in sources)
    raise_all(
        fault
        for source in sources
        for chunk in chunks(read_blocks(source))
        for fault in _faults(chunk, call, shown)
    )


def _faults(chunk: Chunk, call: str, shown: str) -> Iterator[HandinError]:
    """Every such call in a chunk whose first literal text is not among the words shown, or that has none."""
    try:
        tree = ast.parse(without_magics(chunk.code))
    except SyntaxError:  # a mistake that the build tells
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != call:
            continue
        texts = [one for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        words, line = (str(texts[0].value), texts[0].lineno) if texts else ("", node.lineno)
        place = Place(chunk.place.file, chunk.code_line + line - 1)
        if not _plain(words):
            remedy = "write them in quotes, as they stand in the prose and without a name before them"
            yield HandinError(f"this `{call}` states no words", place=place, remedy=remedy)
        elif not re.search(_pattern(words), shown):
            remedy = f"write the sentence that this `{call}` vouches for, or remove the call"
            yield HandinError(f"the prose does not say “{words}”", place=place, remedy=remedy)


def _pattern(words: str) -> str:
    """Whole words, for any of which an inline value may stand."""
    any_of = (f"(?:{re.escape(word)}|{_VALUE})" for word in _plain(words).split())
    return rf"(?<!\w){' '.join(any_of)}(?!\w)"


def _prose(source: Source, metadata: Mapping[str, Any]) -> str:
    """The words that a document shows, captions included."""
    shown = {line.place for line in shown_lines(source.lines, metadata, [])}
    prose = [line.text for line, role in with_roles(source.lines) if role == "prose" and line.place in shown]
    captions: Sequence[str] = [chunk.caption for chunk in chunks(read_blocks(source))]
    return _plain("\n".join([*prose, *captions]))


def _plain(text: str) -> str:
    """Words for comparing: no markup, no case, one blank between them, a sign for every inline value."""
    text = _NO_WORDS.sub(" ", INLINE.sub(_value, text))
    return " ".join(re.findall(rf"[\w{_VALUE}]+", text.casefold()))


def _value(match: re.Match[str]) -> str:
    """The literal texts of an inline value, which it may show, and the sign for it."""
    try:
        nodes = list(ast.walk(ast.parse(match["code"].strip())))
    except SyntaxError:
        nodes = []
    texts = [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return " ".join([match["before"], *texts, _VALUE, ""])
