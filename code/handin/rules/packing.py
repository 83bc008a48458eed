"""The ZIP: its name, what must not be in it, and the manifest that vouches for its files."""

from __future__ import annotations

import hashlib
import json
import re

from handin.reading.submission import Submission
from handin.rules.finding import Finding, failed, passed

ARCHIVE = "archive"
MANIFEST = "manifest"
MANIFEST_FILE = "manifest.json"

_CLUTTER = {
    "a repository": re.compile(r"(^|/)\.(git|hg|svn)(/|$)"),
    "an environment": re.compile(r"(?i)(^|/)(\.?venv|env|site-packages|node_modules|conda-meta)/"),
    "caches": re.compile(
        r"(^|/)(__pycache__|\.ipynb_checkpoints|\.(pytest|ruff|mypy)_cache|\.quarto|_store)(/|$)"
    ),
    "editors' files": re.compile(r"(^|/)(\.idea|\.vscode|\.DS_Store|__MACOSX|Thumbs\.db)(/|$)|~$|\.sw[op]$"),
    "an archive within the archive": re.compile(r"(?i)\.(zip|tar|tgz|gz|bz2|xz|7z|rar)$"),
}


def archive(submission: Submission) -> list[Finding]:
    """The ZIP is named as the course asks, after one of its students, and holds no clutter.

    Why: "Provide a single ZIP archive with name dl24-<assignment number>-<your ILIAS login>.zip."
    Certain: the name, and folders such as .git, .venv and __pycache__ in it.
    Fails: assignment1.zip, or a .venv in the ZIP
    Passes: dl24-1-mmuster.zip
    """
    if not submission.is_archive:
        names = [submission.course.archive_name(s.login) for s in submission.students if s.login]
        return [passed(ARCHIVE, "to be packed as " + " and ".join(names) if names else "not packed yet")]
    found = []
    login = submission.login_in_name
    asked = submission.course.archive_name("<login>")
    if not login:
        found.append(failed(ARCHIVE, f"its name is not {asked}", submission.name, f"rename it to {asked}"))
    elif submission.is_project and login.casefold() not in {s.login.casefold() for s in submission.students}:
        asked = " or ".join(submission.course.archive_name(s.login) for s in submission.students)
        message = f"its name says `{login}`, its documents do not"
        found.append(failed(ARCHIVE, message, submission.name, f"rename it to {asked}"))
    for what, pattern in _CLUTTER.items():
        paths = [path for path in submission.files if pattern.search(path)]
        if paths:
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            message = f"it holds {what}: {paths[0]}{more}"
            found.append(failed(ARCHIVE, message, paths[0], "leave it out and pack again"))
    message = f"named as the course asks, {len(submission.files)} files"
    return found or [passed(ARCHIVE, message, submission.name)]


def manifest(submission: Submission) -> list[Finding]:
    """Where a manifest is in it, every file is as the manifest says, and none is missing or extra.

    Why: good practice, because a ZIP that was changed after packing is not the one that was checked.
    Fails: a file that was edited inside the ZIP
    Passes: the ZIP as `handin pack` wrote it, or one of another tool without a manifest
    """
    if not submission.is_archive:
        return [passed(MANIFEST, "written by `handin pack`")]
    if MANIFEST_FILE not in submission.files:
        if submission.is_project:
            return [failed(MANIFEST, "there is no manifest", MANIFEST_FILE, "pack with `handin pack`")]
        return [passed(MANIFEST, "no manifest, and none is asked for")]
    try:
        held = json.loads(submission.files[MANIFEST_FILE])
        listed = {str(path): str(digest) for path, digest in held["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        if not submission.is_project:
            return [passed(MANIFEST, "no manifest of this tool, and none is asked for")]
        return [failed(MANIFEST, "it cannot be read", MANIFEST_FILE, "pack again with `handin pack`")]
    found = []
    remedy = "pack again with `handin pack`"
    for path in sorted({*listed, *submission.files} - {MANIFEST_FILE}):
        if path not in submission.files:
            found.append(failed(MANIFEST, "it is in the manifest and missing", path, remedy))
        elif path not in listed:
            found.append(failed(MANIFEST, "it is not in the manifest", path, remedy))
        elif hashlib.sha256(submission.files[path]).hexdigest() != listed[path]:
            found.append(failed(MANIFEST, "it was changed after packing", path, remedy))
    return found or [passed(MANIFEST, f"{len(listed)} files as the manifest says", MANIFEST_FILE)]
