"""A browser for tests: headless Chromium, driven by the few calls of WebDriver that they need."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(DRIVER is None, reason="there is no Chromium with its driver here")

FLAGS = (
    "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
    "disable-component-update disable-sync"
)


class Browser:
    """One window."""

    def __init__(self, session: str) -> None:
        self._session = session

    def open(self, address: str) -> None:
        _call("POST", f"{self._session}/url", {"url": address})

    def run(self, script: str) -> Any:
        """The value that a script returns."""
        return _call("POST", f"{self._session}/execute/sync", {"script": script, "args": []})["value"]

    def wait_for(self, script: str, seconds: float = 120.0) -> Any:
        """The first value of a script that is true."""
        return wait_for(lambda: self.run(script), script, seconds)


def wait_for(ask: Callable[[], Any], what: str, seconds: float = 120.0) -> Any:
    """The first answer that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"after {seconds} s still not: {what}")


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A window of headless Chromium, closed at the end."""
    assert DRIVER is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    driver = subprocess.Popen(
        [DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    server = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _ready(server), "the driver listens")
        arguments = [f"--{flag}" for flag in FLAGS.split()] + [f"--user-data-dir={profile}"]
        wanted = {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}
        opened = _call("POST", f"{server}/session", {"capabilities": wanted})
        session = f"{server}/session/{opened['value']['sessionId']}"
        try:
            yield Browser(session)
        finally:
            _call("DELETE", session)
    finally:
        driver.terminate()
        driver.wait()


def _ready(server: str) -> bool:
    try:
        return bool(_call("GET", f"{server}/status")["value"]["ready"])
    except OSError:
        return False


def _call(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        held: dict[str, Any] = json.load(answer)
    return held
