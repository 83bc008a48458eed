"""Shows pages in the browser: a small server on this machine alone, and an open line to every browser."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Any, cast

import pypdfium2
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

HOST = "127.0.0.1"
PAGE = Path(__file__).with_name("page.html")
DOTS_PER_POINT = 2.5  # of the pages' pictures, 180 dpi


class Board:
    """What the browsers show: the documents, named as `report`, and how the build goes."""

    def __init__(self, title: str, documents: list[str], first: str) -> None:
        self.title = title
        self.documents = documents
        self.looked_at = first  # the document that was opened last
        self.pdfs: dict[str, pypdfium2.PdfDocument] = {}
        self.news: dict[str, dict[str, Any]] = {"state": {"state": "starting", "error": ""}}  # by kind
        self.lines: set[_Line] = set()  # to the browsers

    def show(self, path: Path) -> None:
        """A document has been built."""
        pdf, name = path.read_bytes(), path.stem
        self.pdfs[name] = opened = pypdfium2.PdfDocument(pdf)
        version = hashlib.sha256(pdf).hexdigest()[:16]
        sizes = [opened.get_page_size(number) for number in range(len(opened))]
        self._tell(name, {"document": name, "version": version, "pages": sizes})

    def say(self, state: str, error: str = "") -> None:
        """How the build goes; an error lies over the pages until the next word."""
        self._tell("state", {"state": state, "error": error})

    def _tell(self, kind: str, news: dict[str, Any]) -> None:
        self.news[kind] = news
        for line in self.lines:
            with suppress(WebSocketClosedError):  # that browser is just leaving
                line.write_message(json.dumps(news))


@contextmanager
def serve(board: Board, port: int) -> Iterator[str]:
    """Serve at a port, any other where it is taken, until the block ends; the value is the address."""
    try:
        sockets = bind_sockets(port, HOST)
    except OSError:
        sockets = bind_sockets(0, HOST)
    routes = [("/", _Start), ("/news", _Line), (r"/page/([^/]+)/(\d+)", _Page)]
    application = Application(log_function=lambda handler: None, board=board)
    # A page of another site that got a name of its own to point here is not answered.
    application.add_handlers(rf"({HOST}|localhost)", routes)
    server = HTTPServer(application)
    server.add_sockets(sockets)
    try:
        yield f"http://{HOST}:{sockets[0].getsockname()[1]}/"
    finally:
        server.stop()


class _Handler(RequestHandler):
    @property
    def board(self) -> Board:
        return cast(Board, self.settings["board"])


class _Start(_Handler):
    def get(self) -> None:
        text = PAGE.read_text(encoding="utf-8").replace("{{title}}", escape(self.board.title))
        text = text.replace("{{documents}}", json.dumps(self.board.documents))
        self.write(text.replace("{{first}}", self.board.looked_at))


class _Page(_Handler):
    def get(self, document: str, number: str) -> None:
        try:
            self.write(as_svg(self.board.pdfs[document][int(number)]))
        except (KeyError, pypdfium2.PdfiumError):
            raise HTTPError(404) from None


class _Line(_Handler, WebSocketHandler):
    def open(self, *_: str) -> None:
        self.board.lines.add(self)
        for news in self.board.news.values():
            self.write_message(json.dumps(news))

    def on_message(self, message: str | bytes) -> None:
        self.board.looked_at = str(message)

    def on_close(self) -> None:
        self.board.lines.discard(self)


def as_svg(page: pypdfium2.PdfPage) -> str:
    """A page's picture, and over it its text, invisible, which can be found, selected and read aloud."""
    width, height = page.get_size()
    picture = io.BytesIO()
    page.render(scale=DOTS_PER_POINT).to_pil().save(picture, "JPEG", quality=92, subsampling=0)
    data = base64.b64encode(picture.getvalue()).decode()
    parts = [f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{data}"/>']
    text = page.get_textpage()
    for index in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(index)
        size, base = top - bottom, height - top + 0.8 * (top - bottom)
        words = escape(text.get_text_bounded(left, bottom, right, top))
        place = f'x="{left:.1f}" y="{base:.1f}" font-size="{size:.1f}" textLength="{right - left:.1f}"'
        parts.append(f'<text {place} lengthAdjust="spacingAndGlyphs">{words}</text>')
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
