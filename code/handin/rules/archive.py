"""The ZIPs of the output folder: named after who hands in, and of the present files."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from handin.reading.submission import Submission
from handin.rules.finding import Finding, failed, noted, passed

ARCHIVE = "archive"
# Files at the top of a project that nobody wonders to find in the ZIP.
_USUAL = re.compile(
    r"_.*|README.*|LICENSE.*|Makefile|pyproject\.toml|constraints\.txt|.*\.(qmd|bib|csl|pdf|ipynb|py)"
)
_AGAIN = "run `handin pack`"


def archive(submission: Submission) -> list[Finding]:
    """A ZIP that was packed earlier holds the present files; none is of somebody else.

    Why: "Provide a single ZIP archive with name dl24-<assignment number>-<your ILIAS login>.zip."

    Fails: a ZIP of _output that was packed before a section was rewritten.

    Passes: no ZIP, which `handin pack` writes; and one that was packed after the last change.
    """
    project = submission.project
    names = [project.handin.archive_name(author.login) for author in project.authors]
    found = []
    there = sorted(project.output_dir.glob("*.zip"))
    for path in there:
        place = path.relative_to(project.root).as_posix()
        if path.name in names:
            if changes := _changes(path, submission):
                found.append(failed(ARCHIVE, f"it is stale: {changes}", place, _AGAIN))
        elif re.fullmatch(project.handin.archive_pattern, path.name):
            found.append(noted(ARCHIVE, "it is of none of the authors", place, "remove it"))
    if stray := [name for name in submission.files if "/" not in name and not _USUAL.fullmatch(name)]:
        message = f"packed as well: {', '.join(stray)}"
        found.append(noted(ARCHIVE, message, stray[0], "take it out, or name it under `handin: left-out`"))
    if found:
        return found
    packed = any(path.name in names for path in there)
    message = "packed as" if packed else "to be packed as"
    return [passed(ARCHIVE, f"{message} {' and '.join(names)}, {len(submission.files)} files")]


def _changes(path: Path, submission: Submission) -> str:
    """What is not in a ZIP as it is here; empty where all is."""
    try:
        with zipfile.ZipFile(path) as held:
            packed = {name: held.read(name) for name in held.namelist()}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        return f"it cannot be read ({error})"
    now = submission.packed
    changed = sorted(name for name in {*packed, *now} if packed.get(name) != now.get(name))
    return ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
