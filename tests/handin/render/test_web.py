"""The web pages of the real documents: whole, readable by all, and told from what a build already knows."""

import re
import shutil
from pathlib import Path

import pytest
from tests.axe import findings
from tests.browser import needs_browser
from tests.handin.render.quartos import each_quarto, page_words, use

from handin.project import Project, load_project
from handin.render.builtin import Builder
from handin.render.quarto import render_by_quarto


@pytest.fixture(scope="module")
def pages(documents: Project) -> dict[str, Path]:
    made = Builder(documents, to="html").render(documents.documents)
    return {path.stem: path for path in made}


@pytest.mark.long
@pytest.mark.parametrize("name", ["report", "notebook"])
def test_a_page_is_whole(pages: dict[str, Path], documents: Project, name: str) -> None:
    page = pages[name].read_text(encoding="utf-8")
    assert not re.search(r"<script|(src|href)=\"(?!#|https?:|data:)|<img(?![^>]*(alt|aria-label)=)", page)
    contents = page[page.index("<nav") : page.index("</nav>")]
    numbers = re.findall(r'header-section-number">(\w+)<', contents)
    assert numbers[: len(documents.handin.tasks)] == list(documents.handin.tasks)
    assert numbers[len(documents.handin.tasks)] == "A"
    for author in documents.authors:
        assert author.name in page
        assert f"({author.login})" in page
    assert documents.handin.course in page
    assert page.count("<math") > 20
    assert not re.search(
        r"\?\?|@(fig|tbl|sec|eq)-|:::|\{python\}", re.sub(r"<annotation.*?</annotation>", "", page)
    )


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize("name", ["report", "notebook"])
def test_a_page_can_be_read_by_all(pages: dict[str, Path], name: str, tmp_path: Path) -> None:
    assert findings(pages[name], tmp_path) == []


@pytest.mark.long
@each_quarto
def test_quarto_makes_the_same_pages(
    quarto: str,
    pages: dict[str, Path],
    documents: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(quarto, monkeypatch)
    copy = tmp_path / "copy"
    shutil.copytree(documents.root, copy, ignore=shutil.ignore_patterns("_output", "_build", "*.svg"))
    for path in render_by_quarto(load_project(copy), documents.documents, to="html"):
        its, our = path.read_text(encoding="utf-8"), pages[path.stem].read_text(encoding="utf-8")
        assert page_words(its) == page_words(our)
        assert not re.search(r"<script|(src|href)=\"(?!#|https?:|data:)", its)
