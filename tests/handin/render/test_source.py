"""Includes are put in, and every line knows where it stands."""

from pathlib import Path

import pytest

from handin.errors import HandinError
from handin.qmd.source import read_source


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        (root / f"{name}.qmd").write_text(text, encoding="utf-8")
    return root


def test_every_line_keeps_its_file_and_number(tmp_path: Path) -> None:
    write(tmp_path, main="---\ntitle: T\n---\none\n{{< include part.qmd >}}\nlast\n", part="two\n\nthree")
    source = read_source(tmp_path, "main.qmd")
    assert source.metadata == {"title": "T"}
    assert [(line.text, str(line.place)) for line in source.lines] == [
        ("one", "main.qmd:4"),
        ("two", "part.qmd:1"),
        ("", "part.qmd:2"),
        ("three", "part.qmd:3"),
        ("", "main.qmd:5"),
        ("last", "main.qmd:6"),
    ]


def test_a_shortcode_inside_code_is_text(tmp_path: Path) -> None:
    write(tmp_path, main="```\n{{< include absent.qmd >}}\n{{< video x >}}\n```\n")
    assert len(read_source(tmp_path, "main.qmd").lines) == 4


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"main": "a\n{{< include absent.qmd >}}\n"}, r"main\.qmd:2: there is no file `absent\.qmd`"),
        ({"main": "{{< include ../../etc/passwd >}}\n"}, r"main\.qmd:1: .* outside the project"),
        ({"main": "{{< include main.qmd >}}\n"}, r"main\.qmd:1: this include goes in circles"),
        ({"main": "\n{{< video x.mp4 >}}\n"}, r"main\.qmd:2: .* no shortcode `video`"),
        ({"main": "{{< include a.qmd >}}\n", "a": "---\nx: 1\n---\n"}, r"a\.qmd:1: .* YAML front matter"),
        ({"main": "---\ntitle: T\n"}, r"main\.qmd:1: the YAML that begins here never ends"),
        ({"main": "---\ntitle: a: b\n---\n"}, r"main\.qmd:2: this is not YAML"),
        ({"main": "text\n```\ncode\n"}, r"main\.qmd:2: the code block that begins here never ends"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(HandinError, match=message):
        read_source(write(tmp_path, **files), "main.qmd")
