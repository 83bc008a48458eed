"""The preview: what is saved is on the page, and nothing is left when it ends."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import typst
from browser import Browser, chromium, needs_browser, wait_for

from handin.preview import saves, state
from handin.preview.server import Board, serve
from handin.project import load_project

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SECTION, LONG = "sections/1-words.qmd", "__import__('time').sleep(600)"


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


def pdf(text: str) -> bytes:
    return bytes(typst.compile(f'#set page("a6")\n{text}'.encode()))


def test_a_save_is_told_once_with_everything_in_it(folder: Path) -> None:
    async def watch() -> None:
        project = load_project(folder)
        before = state(project)
        (folder / "code" / "early.py").write_text("1\n")
        told = aiter(saves(project, before))
        assert await asyncio.wait_for(anext(told), 20) == ["code/early.py"]

        async def after(**edits: str | None) -> list[str]:
            waiting = asyncio.ensure_future(anext(told))
            await asyncio.sleep(0.5)  # until the folders are watched
            for name, text in edits.items():
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                path.unlink() if text is None else path.write_text(text)
            return await asyncio.wait_for(waiting, 20)

        assert await after(**{SECTION: "# W {#sec-1}\n", "code/new.py": "1\n"}) == ["code/new.py", SECTION]
        assert await after(**{"_output/report.pdf": "no source", SECTION: None}) == [SECTION]
        assert await after(**{"data/new.csv": "x\n"}) == ["data/new.csv"]
        assert await after(**{"data/new.csv": "y\n"}) == ["data/new.csv"]

    asyncio.run(watch())


def test_the_server_answers_this_machine_and_shows_pages_alone(tmp_path: Path) -> None:
    (tmp_path / "lab-report.pdf").write_bytes(pdf("Rhubarb & custard"))
    board = Board("Title", ["lab-report", "notebook"], "lab-report")
    board.show(tmp_path / "lab-report.pdf")

    def ask(address: str, host: str = "127.0.0.1") -> tuple[int, str]:
        request = urllib.request.Request(address, headers={"Host": host})
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, ""

    async def serving() -> None:
        with serve(board, 0) as address:
            assert "Title" in (await asyncio.to_thread(ask, address))[1]
            status, page = await asyncio.to_thread(ask, f"{address}page/lab-report/0")
            assert status == 200
            assert ">Rhubarb &amp; custard</text>" in page
            for path in ("page/lab-report/1", "page/notebook/0", "page/../report.pdf", "report.pdf"):
                assert (await asyncio.to_thread(ask, address + path))[0] == 404
            assert (await asyncio.to_thread(ask, address, "evil.example"))[0] == 404

    asyncio.run(serving())


@pytest.fixture
def preview(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`handin preview` of the small project, which was built once before and now takes minutes to build."""
    replace(folder / SECTION, "words.answer + 1", LONG)
    (folder / "_output").mkdir(exist_ok=True)
    (folder / "_output" / "report.pdf").write_bytes(pdf("Built before."))
    (folder / "_output" / "notebook.pdf").write_bytes(b"%PDF, and cut off")
    process = subprocess.Popen(
        [sys.executable, "-m", "handin", "preview", "--no-browser"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "code")},
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
    section, before = folder / SECTION, (folder / "_output" / "report.pdf").read_bytes()
    with chromium(tmp_path / "profile") as browser:
        browser.open(address_of(preview))
        wait_for(lambda: says(browser, "Built before."), "what there was")
        browser.wait_for(r"return /^\d+\/\d+ /.test(document.querySelector('#state').textContent)")
        replace(section, LONG, "words.answer + 3")
        wait_for(lambda: says(browser, "rhubarb"), "the newer save overtakes the build that takes minutes")
        browser.run("scrollTo(0, 200)")

        replace(section, "*rhubarb*", "gooseberries")
        wait_for(lambda: says(browser, "gooseberries"), "the edit")
        assert browser.run("return scrollY") == 200
        browser.wait_for("return /^built in \\d/.test(document.querySelector('#state').textContent)")
        assert (folder / "_output" / "report.pdf").read_bytes() == before
        browser.run("document.querySelectorAll('nav button')[1].click()")
        wait_for(lambda: says(browser, "45"), "the notebook")

        replace(section, "words.answer + 3", "words.question")
        fault = browser.wait_for("return document.querySelector('#fault').innerText")
        assert f"{SECTION}:" in fault
        assert "question" in fault
        assert says(browser, "45")
        replace(section, "words.question", "words.answer")
        browser.wait_for("return document.querySelector('#fault').hidden")

    children = psutil.Process(preview.pid).children(recursive=True)
    preview.send_signal(signal.SIGINT)
    assert preview.wait(60) == 130
    assert not psutil.wait_procs(children, timeout=60)[1]
