"""Reads the files of a hand-in that somebody else made: a ZIP, or a folder somebody unpacked.

Nothing is written to disk and nothing is executed. A fault of the whole hand-in (not a ZIP, truncated, a
bomb) refuses it; a fault of one entry (a path that leads outside, a link, a password) leaves that entry out
and the rest is read. Limits are those of `Limits` and `names`. What the PDFs hold is read later, in the
processes of `grading.sandbox`.
"""

from __future__ import annotations

import stat
from pathlib import Path

from grading.intake.collector import LIMITS, RULE, Collector, Intake, Limits, RefusedError
from grading.intake.folders import read_folder
from grading.intake.zips import read_archive
from handin.rules.finding import failed

__all__ = ["LIMITS", "RULE", "Intake", "Limits", "take_in"]


def take_in(path: Path, limits: Limits = LIMITS) -> Intake:
    """Read a ZIP or a folder within the limits; whatever is wrong with it becomes a finding."""
    collector = Collector(limits)
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise RefusedError("a symbolic link in the place of a hand-in", "put the ZIP itself there")
        if stat.S_ISDIR(mode):
            read_folder(path, collector)
        elif stat.S_ISREG(mode):
            read_archive(path, collector)
        else:
            raise RefusedError("neither a file nor a folder", "put the ZIP itself there")
    except RefusedError as refusal:
        finding = failed(RULE, str(refusal), path.name, refusal.remedy)
    except OSError as error:
        finding = failed(
            RULE, f"cannot be read: {error.strerror}", path.name, "look at it in the file manager"
        )
    else:
        return collector.intake(path.name)
    return Intake(path.name, {}, (finding,))
