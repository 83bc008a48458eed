"""The ZIP that is handed in: one per student, the same bytes every time, in place only when complete."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from handin.errors import HandinError
from handin.files import fingerprint
from handin.files.publish import publish
from handin.project import Handin, Project
from handin.reading.submission import Submission
from handin.rules import Finding, Status
from handin.rules.packing import MANIFEST_FILE, manifest

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a ZIP knows: when a file was written says nothing
_MODE = 0o644


class NotReadyError(HandinError):
    """The hand-in breaks rules, so it is not packed.

    Attributes:
        findings: What failed.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        count = f"{len(findings)} failure{'' if len(findings) == 1 else 's'}"
        super().__init__(f"not packed: {count}", remedy="mend what is listed and run `handin pack` again")


def pack(project: Project, submission: Submission, findings: Sequence[Finding]) -> list[Path]:
    """Write one ZIP per student into the output folder; existing ones are replaced by complete ones only.

    Args:
        project: Where the ZIPs go.
        submission: What goes into them, from `Submission.of`.
        findings: What the rules said about it; they go into the manifest.

    Raises:
        NotReadyError: A rule failed.
        HandinError: The ZIPs cannot be written; the earlier ones are as they were.
    """
    failures = [finding for finding in findings if finding.status is Status.FAIL]
    if failures:
        raise NotReadyError(failures)
    course = submission.course
    data = as_zip({**submission.files, MANIFEST_FILE: as_manifest(submission, findings)})
    paths = []
    for student in submission.students:
        name = course.archive_name(student.login)
        path = project.output_dir / name
        # The rule `identity` lets no such login pass; a path is not left to one check.
        if path.parent != project.output_dir or Path(name).name != name:
            raise HandinError(f"`{name}` is no name for a ZIP", remedy="mend `login` in _quarto.yml")
        paths.append(path)
    publish(dict.fromkeys(paths, data))
    for path in paths:
        _verify(path, course)
    return paths


def as_zip(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of the files: sorted, without dates and owners, so that the same files give the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = (stat.S_IFREG | _MODE) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return written.getvalue()


def as_manifest(submission: Submission, findings: Sequence[Finding]) -> bytes:
    """What is in the hand-in (SHA-256 of every file), by whom, and what the rules said."""
    held = {
        "course": submission.course.course,
        "assignment": submission.course.assignment,
        "students": [{"name": s.name, "login": s.login} for s in submission.students],
        "fingerprint": fingerprint.of_files(submission.files, submission.versions).digest,
        "versions": dict(sorted(submission.versions.items())),
        "files": {
            name: hashlib.sha256(submission.files[name]).hexdigest() for name in sorted(submission.files)
        },
        "checks": [finding.as_dict() for finding in findings],
    }
    return (json.dumps(held, indent=1, ensure_ascii=False) + "\n").encode()


def _verify(path: Path, course: Handin) -> None:
    """Read a ZIP back and compare it with its manifest."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for finding in manifest(Submission(path.name, files, course)):
        if finding.status is Status.FAIL:
            raise HandinError(f"{path.name} does not read back: {finding.place}: {finding.message}")
