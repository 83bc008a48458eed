"""The last build: from what it was made, and which files it wrote."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handin.files.publish import publish


class LastBuild:
    """What stands in a file about the last build.

    Args:
        file: Where; a file that cannot be read is as good as none.
        made_from: All that determines the outputs, as JSON values.
    """

    def __init__(self, file: Path, made_from: Sequence[Any]) -> None:
        self._file = file
        self._made_from = list(made_from)

    def made(self, wanted: Sequence[Path]) -> bool:
        """Whether the last build made the wanted files from the same, and all it wrote is as it left it."""
        try:
            held = json.loads(self._file.read_bytes())
            return (
                held["made_from"] == self._made_from
                and held["files"].keys() >= set(map(str, wanted))
                and all(_digest(Path(name).read_bytes()) == digest for name, digest in held["files"].items())
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def note(self, files: Mapping[Path, bytes]) -> None:
        """The build has written these files."""
        held = {
            "made_from": self._made_from,
            "files": {str(path): _digest(data) for path, data in files.items()},
        }
        publish({self._file: json.dumps(held).encode()})


def signatures(root: Path, besides: Path) -> list[Any]:
    """Name, size and times of everything in a project that a build might read, an image or a font, say.

    Args:
        root: The project's folder; what begins with a dot or an underscore is left out.
        besides: The folder of drawn figures, which the build itself writes; left out.
    """
    found: list[Any] = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name[0] not in "._" and Path(folder, name) != besides)
        for name in sorted(files):
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            found.append([path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])
    return found


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
