"""A bibliography is read in one place, in whatever form Pandoc reads; every entry has its line."""

from pathlib import Path

import pytest

from handin.errors import HandinError, Place
from handin.reading.bibliography import entries


def test_entries_have_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.bib").write_text("% @book{no,\n@book{one,\n title={A}}\n\n@misc{ two:2 ,\n title={B}}\n")
    (tmp_path / "b.json").write_text('[\n {"id": "three", "type": "book", "title": "C"}\n]')
    found = entries(["a.bib", "b.json"], tmp_path)
    assert found == {"one": Place("a.bib", 2), "two:2": Place("a.bib", 5), "three": Place("b.json", 2)}


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HandinError, match=r"_quarto\.yml:3: there is no file `lost\.bib`"):
        entries(["lost.bib"], tmp_path, named_at=Place("_quarto.yml", 3))
