"""The ZIPs of the output folder hold the present files."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from handin.reading.submission import Submission
from handin.rules.finding import Finding, failed, passed


def archive(submission: Submission) -> list[Finding]:
    """A ZIP that was packed earlier holds the present files.

    Why: "Provide a single ZIP archive with name dl24-<assignment number>-<your ILIAS login>.zip."
    Fails: a ZIP of _output that was packed before a section was rewritten.
    Passes: no ZIP, which `handin pack` writes; and one that was packed after the last change.
    """
    project = submission.project
    names = [project.handin.archive_name(author.login) for author in project.authors]
    there = [path for name in names if (path := project.output_dir / name).is_file()]
    found = [
        failed(changes, path.relative_to(project.root).as_posix(), "run `handin pack`")
        for path in there
        if (changes := _changes(path, submission))
    ]
    message = f"{'' if there else 'to be '}packed as {' and '.join(names)}, {len(submission.files)} files"
    return found or [passed(message)]


def _changes(path: Path, submission: Submission) -> str:
    """What is not in a ZIP as it is here; empty where all is."""
    try:
        with zipfile.ZipFile(path) as held:
            packed = {name: held.read(name) for name in held.namelist()}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        return f"it cannot be read: {error}"
    now = submission.packed
    changed = sorted(name for name in {*packed, *now} if packed.get(name) != now.get(name))
    return (
        f"it is stale: {', '.join(changed[:3])}{' and others' if len(changed) > 3 else ''}" if changed else ""
    )
