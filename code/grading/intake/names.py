"""Names of files in hand-ins: which are unsafe, which are clutter, which are the same to some file system."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 240  # characters of a path
DEEPEST = 15  # folders in a path

# What tools and systems leave behind; nobody hands it in on purpose.
_SILENT_CLUTTER = re.compile(r"__MACOSX|\._.*|\.DS_Store|Thumbs\.db|desktop\.ini", re.IGNORECASE)
_CLUTTER = re.compile(
    r"\.git|\.hg|\.svn|\.venv|venv|\.env|__pycache__|\.ipynb_checkpoints|\.mypy_cache|\.pytest_cache|"
    r"\.ruff_cache|\.idea|\.vscode|\.quarto|node_modules|site-packages",
    re.IGNORECASE,
)
_CLUTTER_ENDING = re.compile(r".*(\.pyc|\.egg-info)", re.IGNORECASE)
_TURNS_TEXT = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # makes fdp.exe look like exe.pdf


def fault(name: str) -> str:
    """What makes a path ('/' between its parts) unsafe; empty where nothing does."""
    parts = name.split("/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    if ".." in parts:
        return "a path that leads outside (..)"
    if any(part in ("", ".") for part in parts):
        return "an empty or dotted part in its path"
    if any(unicodedata.category(sign) == "Cc" for sign in name):
        return "control characters in its name"
    if any(unicodedata.category(sign) == "Cs" for sign in name):
        return "a name in no known encoding"
    if _TURNS_TEXT & set(name):
        return "signs in its name that reverse the order of letters"
    if len(name) > LONGEST:
        return f"a name of {len(name)} characters, at most {LONGEST}"
    if len(parts) > DEEPEST + 1:
        return f"{len(parts) - 1} folders deep, at most {DEEPEST}"
    return ""


def clutter(name: str) -> str:
    """The part of a path that makes it clutter, as in `.venv` or `*.pyc`; empty for a file worth reading."""
    for part in name.split("/"):
        if _CLUTTER.fullmatch(part) or _SILENT_CLUTTER.fullmatch(part):
            return part
        if ending := _CLUTTER_ENDING.fullmatch(part):
            return f"*{ending[1]}"
    return ""


def worth_a_word(part: str) -> bool:
    """Whether clutter is to be mentioned: a forgotten environment is, a system's own files are not."""
    return not _SILENT_CLUTTER.fullmatch(part)


def case_blind(name: str) -> str:
    """The name as Windows and macOS compare it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def printable(name: str, longest: int = 120) -> str:
    """What strangers wrote, made fit for terminal and table: no control characters, not too long."""
    shown = "".join(
        sign if sign.isprintable() and sign not in _TURNS_TEXT else "\N{REPLACEMENT CHARACTER}"
        for sign in name
    )
    return shown if len(shown) <= longest else f"{shown[: longest - 20]}… ({len(shown)} characters)"
