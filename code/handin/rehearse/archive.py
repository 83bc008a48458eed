"""Reads a ZIP of one's own whole, or refuses it: what is rehearsed is unpacked and executed."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from pathlib import Path

from handin.errors import HandinError, Place

MOST_FILES = 5_000
MOST_BYTES = 500_000_000  # unpacked; `handin pack` writes a hundredth of it
_REMEDY = "rehearse a ZIP that `handin pack` wrote"
_FLAG_ENCRYPTED = 0x1


def read_own(archive: Path) -> dict[str, bytes]:
    """Path → content of every file in a ZIP.

    Raises:
        HandinError: It is no ZIP, is damaged, too large, or holds what `handin pack` never writes: a path
            that leads elsewhere, a link, a name twice, a password.
    """
    files: dict[str, bytes] = {}
    size = 0
    try:
        with zipfile.ZipFile(archive) as held:
            entries = [entry for entry in held.infolist() if not entry.is_dir()]
            for entry in entries:
                name = entry.filename
                size += entry.file_size
                if fault := _fault(entry) or ("occurs twice" if name in files else ""):
                    raise HandinError(f"`{ascii(name)[1:-1]}` {fault}", place=Place(archive), remedy=_REMEDY)
                if len(entries) > MOST_FILES or size > MOST_BYTES:
                    raise HandinError("larger than any hand-in", place=Place(archive), remedy=_REMEDY)
                files[name] = held.read(entry)  # at most `file_size` bytes, with their checksum compared
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, zlib.error) as error:
        raise HandinError(f"cannot be read: {error}", place=Place(archive), remedy=_REMEDY) from error
    return files


def _fault(entry: zipfile.ZipInfo) -> str:
    """Why an entry is not what `handin pack` writes; empty where it is."""
    name = entry.filename
    if not name.isprintable() or re.search(r"^/|\\|:|(^|/)\.\.?(/|$)|//", name):
        return "leads outside, or is no name for a file"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is no ordinary file"
    if entry.flag_bits & _FLAG_ENCRYPTED:
        return "is locked with a password"
    return ""
