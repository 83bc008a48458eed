"""The preview: what is saved is on the page, and nothing is left when it ends."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psutil
import pytest
from browser import Browser, chromium, needs_browser, wait_for

from handin.preview.server import Board, serve
from handin.preview.watching import saves

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small project."""
    project = tmp_path / "project"
    shutil.copytree(HERE.parent / "project", project)
    shutil.copytree(ROOT / "templates", project / "templates")
    return project


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_save_is_told_once_with_everything_in_it(folder: Path) -> None:
    told: list[list[str]] = []
    Thread(target=lambda: [told.append(names) for names in saves(folder)], daemon=True).start()
    time.sleep(0.3)
    (folder / "sections" / "1-words.qmd").write_text("# Words {#sec-1}\n", encoding="utf-8")
    (folder / "code" / "new.py").write_text("x = 1\n", encoding="utf-8")
    wait_for(lambda: told, "the save")
    assert told == [["code/new.py", "sections/1-words.qmd"]]
    (folder / "code" / "new.py").write_text("x = 22\n", encoding="utf-8")
    (folder / "sections" / "1-words.qmd").unlink()
    wait_for(lambda: len(told) == 2, "the second save")
    assert told[1] == ["code/new.py", "sections/1-words.qmd"]
    replace(folder / "_quarto.yml", "lang: en", "lang: [")
    wait_for(lambda: len(told) == 3, "a save that makes no sense")
    assert told[2] == ["_quarto.yml"]
    (folder / "_output").mkdir(exist_ok=True)
    (folder / "_output" / "report.pdf").write_text("no source")
    time.sleep(0.4)
    assert len(told) == 3


def test_the_server_answers_this_machine_and_shows_pages_alone(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "0a.svg").write_text("<svg/>")

    def status(path: str, host: str = "127.0.0.1") -> int:
        request = urllib.request.Request(address.rstrip("/") + path, headers={"Host": host})
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    with serve(Board(["report"], "report"), tmp_path / "pages", "Title", port=0) as address:
        assert status("/") == status("/page/0a.svg") == 200
        assert status("/", host="evil.example") == 403
        assert status("/page/../secret") == status("/page/0b.svg") == status("/secret") == 404


@pytest.fixture
def preview(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`handin preview` of the small project."""
    process = subprocess.Popen(
        [sys.executable, "-m", "handin", "preview", "--no-browser"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "code"), "HANDIN_MEMORY": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def address_of(preview: subprocess.Popen[str]) -> str:
    assert preview.stdout is not None
    found = re.search(r"http://\S+", preview.stdout.readline())
    assert found is not None
    return found[0]


PAGE_TEXT = "return [...document.querySelectorAll('.page text')].map(t => t.textContent).join(' ')"


def says(browser: Browser, words: str) -> bool:
    return words in " ".join(browser.run(PAGE_TEXT).split())


@needs_browser
def test_an_edit_is_on_the_page_and_ctrl_c_ends_it_all(
    folder: Path, preview: subprocess.Popen[str], tmp_path: Path
) -> None:
    section = folder / "sections" / "1-words.qmd"
    with chromium(tmp_path / "profile") as browser:
        browser.open(address_of(preview))
        wait_for(lambda: says(browser, "rhubarb"), "the first build")
        pictures = "return [...document.images].every(i => i.complete && i.naturalWidth > 100)"
        browser.wait_for(pictures)
        browser.run("scrollTo(0, 200)")

        replace(section, "*rhubarb*", "gooseberries")
        wait_for(lambda: says(browser, "gooseberries"), "the edit")
        assert browser.run("return scrollY") == 200
        browser.wait_for("return /^built in \\d/.test(document.querySelector('#state').textContent)")

        replace(section, "words.answer + 1", "words.question")
        fault = browser.wait_for("return document.querySelector('#fault').innerText")
        assert "sections/1-words.qmd:" in fault
        assert "question" in fault
        assert says(browser, "gooseberries")

        replace(section, "words.question", "words.answer + 2")
        browser.wait_for("return document.querySelector('#fault').hidden")
        browser.run("document.querySelectorAll('nav button')[1].click()")
        wait_for(lambda: says(browser, "custard"), "the notebook")

        replace(section, "words.answer + 2", "__import__('time').sleep(60)")
        browser.wait_for(r"return /^\d+\/\d+ /.test(document.querySelector('#state').textContent)")
        replace(section, "__import__('time').sleep(60)", "words.answer + 3")
        wait_for(lambda: says(browser, "45"), "the newer save overtakes a build that would take a minute")

    children = psutil.Process(preview.pid).children(recursive=True)
    assert children  # a worker waits for the next save
    preview.send_signal(signal.SIGINT)
    assert preview.wait(2) == 130
    assert not psutil.wait_procs(children, timeout=2)[1]
