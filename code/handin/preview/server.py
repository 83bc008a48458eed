"""Shows pages in the browser: a small server on this machine alone, and an open line to every browser."""

from __future__ import annotations

import json
import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from handin.errors import HandinError

HOST = "127.0.0.1"
PORT = 4321  # where this is taken, any other
PAGE = Path(__file__).with_name("page.html")
KINDS = {".svg": "image/svg+xml", ".png": "image/png"}
PULSE = 2.0  # s between two signs of life: so a page that was closed is noticed

Message = dict[str, Any]


class Board:
    """What the browsers show: the latest message of each kind, and a queue for every open page."""

    def __init__(self, documents: list[str], first: str) -> None:
        self.documents = documents
        self.looked_at = first  # the document that was opened last
        self._latest: dict[str, Message] = {}
        self._queues: list[queue.Queue[Message]] = []
        self._lock = Lock()

    def post(self, message: Message) -> None:
        """Tell every page."""
        with self._lock:
            kind, *_ = message
            self._latest[f"{kind} {message['document']}" if kind == "document" else "state"] = message
            for waiting in self._queues:
                waiting.put(message)

    @contextmanager
    def listen(self, document: str) -> Iterator[queue.Queue[Message]]:
        """A queue of messages for one page, the latest of each kind first."""
        waiting: queue.Queue[Message] = queue.Queue()
        with self._lock:
            if document in self.documents:
                self.looked_at = document
            for message in self._latest.values():
                waiting.put(message)
            self._queues.append(waiting)
        try:
            yield waiting
        finally:
            with self._lock:
                self._queues.remove(waiting)

    @property
    def files(self) -> set[str]:
        """The pictures on show."""
        with self._lock:
            shown = [message.get("pages", []) for message in self._latest.values()]
        return {page["file"] for pages in shown for page in pages}


@contextmanager
def serve(board: Board, pictures: Path, title: str, port: int) -> Iterator[str]:
    """Serve until the block ends; the value is the address.

    Args:
        board: What is told to the pages.
        pictures: The folder of the pages' pictures.
        title: Of the browser's window.
        port: 0 for `PORT`, or any other where that is taken.

    Raises:
        HandinError: The port asked for is taken.
    """

    class Handler(_Handler):
        pass

    Handler.board, Handler.pictures, Handler.title = board, pictures, title
    try:
        server = _Server((HOST, port or PORT), Handler)
    except OSError as error:
        if port:
            raise HandinError(
                f"port {port} cannot be used: {error.strerror}",
                remedy="name another with --port, or none",
            ) from error
        server = _Server((HOST, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # Ctrl-C does not wait for browsers


class _Handler(BaseHTTPRequestHandler):
    board: Board
    pictures: Path
    title: str

    def do_GET(self) -> None:
        # A page of another site that got a name of its own to point here is not answered.
        if self.headers.get("Host", "").partition(":")[0] not in (HOST, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        url = urlsplit(self.path)
        if url.path == "/":
            names = json.dumps(self.board.documents)
            page = PAGE.read_text(encoding="utf-8").replace("{{title}}", self.title)
            page = page.replace("{{documents}}", names).replace("{{first}}", self.board.looked_at)
            self._answer(page.encode(), "text/html; charset=utf-8")
        elif url.path == "/events":
            self._events(parse_qs(url.query).get("document", [""])[0])
        elif match := re.fullmatch(r"/page/([0-9a-f]+(\.svg|\.png))", url.path):
            try:
                self._answer((self.pictures / match[1]).read_bytes(), KINDS[match[2]], "max-age=31536000")
            except FileNotFoundError:
                self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _answer(self, content: bytes, kind: str, cache: str = "no-store") -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", cache)
        self.end_headers()
        self.wfile.write(content)

    def _events(self, document: str) -> None:
        """Server-sent events, until the page is closed."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with self.board.listen(document) as messages:
            try:
                while True:
                    try:
                        line = f"data: {json.dumps(messages.get(timeout=PULSE))}\n\n"
                    except queue.Empty:
                        line = ": still here\n\n"
                    self.wfile.write(line.encode())
                    self.wfile.flush()
            except OSError:
                return  # the page was closed

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news."""
