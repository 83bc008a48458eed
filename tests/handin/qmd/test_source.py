"""Includes are put in, and every line knows where it stands."""

from pathlib import Path

import pytest

from handin.errors import HandinError
from handin.qmd.source import Read, on_disk, read_source
from handin.render.refusals import refuse_lines


def in_memory(**files: str) -> Read:
    return {f"{name}.qmd": text.encode() for name, text in files.items()}.get


def test_every_line_keeps_its_file_and_number() -> None:
    text = "---\ntitle: T\n---\none\n{{< include part.qmd >}}\nlast\n"
    source = read_source(in_memory(main=text, part="two\n\nthree"), "main.qmd")
    assert source.metadata == {"title": "T"}
    assert [(line.text, str(line.place)) for line in source.lines] == [
        ("one", "main.qmd:4"),
        ("two", "part.qmd:1"),
        ("", "part.qmd:2"),
        ("three", "part.qmd:3"),
        ("", "main.qmd:5"),
        ("last", "main.qmd:6"),
    ]


def test_a_folder_is_read_as_a_zip_is(tmp_path: Path) -> None:
    (tmp_path / "main.qmd").write_text("a\n{{< include b.qmd >}}\n", encoding="utf-8")
    (tmp_path / "b.qmd").write_text("b", encoding="utf-8")
    read = in_memory(main="a\n{{< include b.qmd >}}\n", b="b")
    assert read_source(on_disk(tmp_path), "main.qmd").lines == read_source(read, "main.qmd").lines


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"main": "a\n{{< include absent.qmd >}}\n"}, r"main\.qmd:2: there is no file `absent\.qmd`"),
        ({"main": "{{< include ../../etc/passwd >}}\n"}, r"main\.qmd:1: .* outside the project"),
        ({"main": "{{< include main.qmd >}}\n"}, r"main\.qmd:1: this include goes in circles"),
        ({"main": "{{< include a.qmd >}}\n", "a": "---\nx: 1\n---\n"}, r"a\.qmd:1: .* YAML front matter"),
        ({"main": "---\ntitle: T\n"}, r"main\.qmd:1: the YAML that begins here never ends"),
        ({"main": "---\ntitle: a: b\n---\n"}, r"main\.qmd:2: this is not YAML"),
        ({"main": "text\n```\ncode\n"}, r"main\.qmd:2: the code block that begins here never ends"),
    ],
)
def test_what_cannot_be_read_is_named(files: dict[str, str], message: str) -> None:
    with pytest.raises(HandinError, match=message):
        refuse_lines(read_source(in_memory(**files), "main.qmd"), [])
