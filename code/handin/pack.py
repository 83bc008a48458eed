"""The ZIP that is handed in: one per student, the same bytes every time, in place only when complete."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from handin import sources
from handin.errors import HandinError, Place
from handin.reading.submission import Submission
from handin.rules import Finding, Status, apply

OF_A_BUILD = ("report", "notebook", "archive")  # rules that fail where nothing was built or packed yet
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a ZIP knows: when a file was written says nothing


class NotReadyError(HandinError):
    """The hand-in breaks rules, so it is not packed.

    Attributes:
        findings: What failed.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        count = f"{len(findings)} failure{'' if len(findings) == 1 else 's'}"
        super().__init__(f"not packed: {count}", remedy="mend what is listed and run `handin pack` again")


def require_worth_building(submission: Submission) -> None:
    """Refuse at once what no build mends: the example's login, a banned module, a figure without caption.

    Raises:
        NotReadyError: A rule fails whatever a build may write.
    """
    unbuilt = {name: data for name, data in submission.files.items() if name not in submission.built}
    findings = apply(replace(submission, files=unbuilt, built=()))
    failures = [one for one in findings if one.status is Status.FAIL and one.rule not in OF_A_BUILD]
    if failures:
        raise NotReadyError(failures)


def pack(submission: Submission, findings: Sequence[Finding]) -> list[Path]:
    """Write one ZIP per student into the output folder; earlier ones are replaced by complete ones only.

    Args:
        findings: What the rules said about it. A stale ZIP is no hindrance: it is replaced.

    Raises:
        NotReadyError: A rule failed.
        HandinError: The ZIPs cannot be written, and the earlier ones stay; or a file there is none of them.
    """
    failures = [one for one in findings if one.status is Status.FAIL and one.rule != "archive"]
    if failures:
        raise NotReadyError(failures)
    project = submission.project
    data = as_zip(submission.packed)
    paths = [project.output_dir / project.handin.archive_name(author.login) for author in project.authors]
    built = sources.Built(project.root)
    for path in paths:
        if path.is_file() and not built.is_ours(path) and path.read_bytes() != data:
            raise HandinError("no `handin pack` wrote this file", place=Place(path), remedy="move it away")
    sources.put_in_place(project.root, dict.fromkeys(paths, data), made_from="")
    return paths


def as_zip(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of the files: sorted, without dates and owners, so that the same files give the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return written.getvalue()
