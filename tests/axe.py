"""axe-core finds what keeps people from reading a page. From npm, or the file that AXE_CORE names."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.browser import chromium

PACKAGE = "axe-core@4.14.1"
START = """;
window.found = null;
axe.run().then(
  result => { window.found = result.violations },
  error => { window.found = [{impact: "critical", id: "axe", help: String(error), nodes: []}] },
)"""
SEVERE = ("serious", "critical")


def axe_core(folder: Path) -> str:
    """The script; skips the test where it cannot be had."""
    if named := os.environ.get("AXE_CORE"):
        return Path(named).read_text(encoding="utf-8")
    npm = shutil.which("npm")
    done = npm and subprocess.run(
        [npm, "pack", PACKAGE, "--silent"], cwd=folder, capture_output=True, check=False
    )
    if not done or done.returncode:
        pytest.skip(f"{PACKAGE} cannot be had from npm, and AXE_CORE names no file")
    (archive,) = folder.glob("axe-core-*.tgz")
    with tarfile.open(archive) as packed:
        script = packed.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


def findings(page: Path, folder: Path, *, may_be_wide: bool = False) -> list[str]:
    """The serious findings on a page: on a desk, on a phone and in the dark; and what does not fit in."""
    script = axe_core(folder)
    found = []
    with chromium(folder / "profile") as browser:
        for width, dark in ((1200, False), (390, False), (390, True)):
            browser.resize(width, 900)
            browser.emulate(dark=dark)
            browser.open(page.resolve().as_uri())
            browser.run(script + START)
            for violation in browser.wait_for("return window.found && {all: window.found}")["all"]:
                if violation["impact"] in SEVERE:
                    nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
                    found.append(f"{width} px, dark {dark}: {violation['id']} ({violation['help']}): {nodes}")
            wide = browser.run("return document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0 and not may_be_wide:
                found.append(f"{width} px: the page is {wide} px wider than the window")
    return found
