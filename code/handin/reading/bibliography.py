"""The bibliographies of a document: which entries they have, and where each stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

from handin.errors import HandinError, Place
from handin.qmd import pandoc

FORMATS = {".bibtex": "bibtex", ".json": "csljson", ".yaml": "markdown", ".yml": "markdown"}


def entries(named: object, root: Path, *, named_at: Place | None = None) -> dict[str, Place]:
    """Key and place of every entry, in whatever form Pandoc reads: BibTeX, BibLaTeX, CSL as JSON or YAML.

    Args:
        named: What `bibliography:` says: a file, relative to the project, or a list of them.
        named_at: Where they are named.

    Raises:
        HandinError: A file is missing, or Pandoc cannot read it.
    """
    found: dict[str, Place] = {}
    for name in map(str, named if isinstance(named, list) else [named] if named else []):
        if not (root / name).is_file():
            raise HandinError(f"there is no file `{name}`", place=named_at, remedy="mend the path")
        form = FORMATS.get(Path(name).suffix, "biblatex")
        written, _ = pandoc.run([f"--from={form}", "--to=csljson", name], "", folder=root)
        lines = (root / name).read_text(encoding="utf-8", errors="replace").splitlines()
        for entry in json.loads(written):
            key = str(entry["id"])
            begins = re.compile(rf"\s*@\w+\s*[{{(]\s*{re.escape(key)}\s*,|.*\bid\b.*{re.escape(key)}")
            line = next((number for number, text in enumerate(lines, start=1) if begins.match(text)), None)
            found[key] = Place(name, line)
    return found
