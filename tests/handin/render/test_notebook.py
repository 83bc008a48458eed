"""What chunks print, as it stands in the documents."""

from typing import Any

import pytest

from handin.render.notebook import READABLE, as_notebook, on_terminal, tidy


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("a\nb\n", "a\nb\n"),
        ("0%\r50%\r100%\n", "100%\n"),
        ("a\r\nb\r", "a\nb"),
        ("a\x1b[Kb\x1b[31mc\x1b[0m", "abc"),
        ("a\r\r\n", "a\n"),
    ],
)
def test_it_is_what_a_terminal_shows_in_the_end(printed: str, shown: str) -> None:
    assert on_terminal(printed) == shown


def stream(name: str, text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def tidied(*outputs: dict[str, Any]) -> list[Any]:
    notebook = as_notebook([{"cell_type": "code", "outputs": list(outputs)}])
    tidy(notebook)
    return list(notebook.cells[0].outputs)


def test_only_neighbouring_streams_are_merged() -> None:
    """How often each is flushed is a matter of time; a display between them is none."""
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "x" * READABLE}}
    pieces = [stream("stderr", "b"), stream("stdout", "a\r"), stream("stderr", "c"), stream("stdout", "d")]
    assert tidied(*pieces, shown, stream("stdout", "e")) == [
        stream("stdout", "d"),
        stream("stderr", "bc"),
        shown,
        stream("stdout", "e"),
    ]


def test_what_nobody_can_read_is_cut() -> None:
    (output,) = tidied(stream("stdout", "row\n" * READABLE))
    assert len(output.text) < 1.1 * READABLE
    assert "characters left out" in output.text
