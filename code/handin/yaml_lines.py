"""YAML whose every value remembers its line, so that a complaint can name it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from handin.errors import HandinError, Place

Key = tuple[str | int, ...]


class Located:
    """A YAML mapping as plain Python data, and the line of each of its parts.

    Args:
        first_line: Line of the file on which `text` begins (front matter begins on 2).

    Raises:
        HandinError: `text` is not YAML, holds a key twice, or is not a mapping.
    """

    def __init__(self, text: str, file: Path | str, first_line: int = 1) -> None:
        self.file = file
        self.lines: dict[Key, int] = {}
        self._first_line = first_line
        try:
            loader = yaml.SafeLoader(text)
            node = loader.get_single_node()
            if node is not None:
                self._note_lines(node, ())
            data = {} if node is None else loader.construct_document(node)
        except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError) as error:
            # The last three come of a date such as 2024-99-99, of `!!bool x`, of `!!timestamp x`.
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            said = getattr(error, "problem", None) or str(error).partition("\n")[0]
            raise HandinError(
                f"this is not YAML: {said}",
                place=Place(file, first_line + (mark.line if mark else 0)),
                remedy="check indentation, colons and quotes around this line",
            ) from error
        if not isinstance(data, Mapping):
            raise HandinError(
                "a list or a single value stands where `key: value` lines are expected",
                place=Place(file, first_line),
                remedy="write one setting per line as `key: value`",
            )
        self.data: dict[str, Any] = dict(data)

    def place(self, key: Key = ()) -> Place:
        """Place of the value at `key`, or of its nearest ancestor where it is absent."""
        while key and key not in self.lines:
            key = key[:-1]
        return Place(self.file, self.lines.get(key, self._first_line))

    def _note_lines(self, node: yaml.Node, key: Key) -> None:
        self.lines.setdefault(key, node.start_mark.line + self._first_line)
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                line = name.start_mark.line + self._first_line
                if not isinstance(name, yaml.ScalarNode):
                    raise HandinError(
                        "a list or a mapping stands where a name is expected",
                        place=Place(self.file, line),
                        remedy="put a text that begins with a brace or a bracket in quotes",
                    )
                inner = (*key, name.value)
                if inner in self.lines:
                    raise HandinError(
                        f"`{name.value}` is set twice, first on line {self.lines[inner]}",
                        place=Place(self.file, line),
                        remedy="keep one of the two",
                    )
                self.lines[inner] = line
                self._note_lines(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._note_lines(value, (*key, index))
