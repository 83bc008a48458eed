"""Pandoc, and its document tree as JSON: `{"t": type, "c": content}` nested in lists."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pypandoc

from handin.errors import HandinError, Place

Node = dict[str, Any]
Attr = tuple[str, list[str], dict[str, str]]


@cache
def executable() -> str:
    """The Pandoc that came with `pypandoc-binary`."""
    return str(pypandoc.get_pandoc_path())


def run(arguments: Sequence[str], text: str, *, folder: Path) -> tuple[str, str]:
    """Pipe text through Pandoc.

    Returns:
        What it wrote, and its warnings.

    Raises:
        HandinError: Pandoc failed.
    """
    command = [executable(), *arguments]
    pipes: dict[str, Any] = {"capture_output": True, "encoding": "utf-8"}
    variables = {**os.environ, "LC_ALL": "C.UTF-8"}  # else a path with an umlaut cannot be opened under C
    done = subprocess.run(command, input=text, cwd=folder, env=variables, check=False, **pipes)
    if done.returncode:
        said = done.stderr.strip().replace(f"{folder}/", "")
        at = re.search(r'Error at "(?P<file>[^"]+)" \(line (?P<line>\d+)', said)
        place = Place(at["file"], int(at["line"])) if at else None
        raise HandinError(f"Pandoc failed: {said}", place=place, remedy="mend what it names")
    return done.stdout, done.stderr


def parse(markdown: str, *, folder: Path) -> tuple[Node, str]:
    """The tree of a text, and what Pandoc warns of."""
    # Quarto takes a second block of YAML for metadata; here it stays, lest it vanish.
    tree, warnings = run(["--from=markdown-yaml_metadata_block", "--to=json"], markdown, folder=folder)
    return json.loads(tree), warnings


def walk(node: Any) -> Iterator[Node]:
    """Every element of a tree, parents before children."""
    if isinstance(node, dict):
        if "t" in node:
            yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def rewrite(node: Any, change: Callable[[Node], list[Node] | None]) -> Any:
    """The tree with every element put through `change`, children before parents.

    `change` returns what stands in the element's place, several elements or none, or None to keep it.
    """
    if isinstance(node, dict):
        return {key: rewrite(value, change) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    result: list[Any] = []
    for value in node:
        value = rewrite(value, change)
        replaced = change(value) if isinstance(value, dict) and "t" in value else None
        result += [value] if replaced is None else replaced
    return result


def plain_text(node: Any) -> str:
    """The words of a tree, for messages."""
    words = []
    for element in walk(node):
        if element["t"] in ("Space", "SoftBreak", "LineBreak"):
            words.append(" ")
        elif element["t"] == "Str":
            words.append(element["c"])
        elif element["t"] in ("Code", "Math"):
            words.append(element["c"][1])
    return "".join(words)


def attr(raw: Any) -> Attr:
    """Identifier, classes and attributes out of Pandoc's triple."""
    identifier, classes, pairs = raw
    return identifier, list(classes), dict(pairs)


def raw_block(typst: str) -> Node:
    return {"t": "RawBlock", "c": ["typst", typst]}


def raw_inline(typst: str) -> Node:
    return {"t": "RawInline", "c": ["typst", typst]}
