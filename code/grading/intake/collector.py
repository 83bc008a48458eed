"""What intake gathers: the files of one hand-in, within limits, and the findings about the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from grading.intake import names
from handin.rules.finding import Finding, Status, cannot_tell, failed, passed

RULE = "intake"
MIB = 2**20
NAMED = 50  # entries that are named in findings; more are counted


@dataclass(frozen=True)
class Limits:
    """What a hand-in may ask of the reader; `names` limits the paths."""

    archive: int = 64 * MIB  # bytes of the ZIP itself
    directory: int = 4 * MIB  # bytes of the ZIP's table of contents
    entries: int = 10_000  # files and folders
    file: int = 32 * MIB  # bytes of one file, unpacked
    total: int = 96 * MIB  # bytes of all files, unpacked
    ratio: int = 200  # unpacked to packed bytes, where more than `ratio_from` bytes are unpacked
    ratio_from: int = 2 * MIB


LIMITS = Limits()


@dataclass(frozen=True)
class Intake:
    """The files that were read, by their path in the hand-in, and what is to be said about the rest."""

    name: str  # the ZIP's file name, or the folder's
    files: Mapping[str, bytes]
    findings: tuple[Finding, ...]  # of the rule `intake`, at least one

    @property
    def refused(self) -> bool:
        """Whether nothing could be read."""
        return not self.files


class RefusedError(Exception):
    """The hand-in as a whole is not read."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Collector:
    """Keeps the files that may be read and a finding about every one that may not."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._files: dict[str, bytes] = {}
        self._findings: list[Finding] = []
        self._unnamed: Counter[Status] = Counter()  # findings beyond `NAMED`
        self._seen: dict[str, str] = {}  # a file's name as a case-blind file system sees it → the name
        self._folders: set[str] = set()  # likewise
        self._clutter: Counter[str] = Counter()
        self._total = 0  # bytes kept

    def intake(self, name: str) -> Intake:
        """All that was gathered, without the one folder around the files that many tools add."""
        files = self._files
        tops = {path.partition("/")[0] for path in files}
        if len(tops) == 1 and all("/" in path for path in files):
            files = {path.partition("/")[2]: data for path, data in files.items()}
        return Intake(name, files, tuple(self._all_findings()))

    def _all_findings(self) -> Iterator[Finding]:
        yield from self._findings
        for status, count in self._unnamed.items():
            yield Finding(RULE, status, f"{count} more entries like these", remedy="pack fewer, plain files")
        if self._clutter:
            listing = ", ".join(f"{part} ({count})" for part, count in sorted(self._clutter.items()))
            yield cannot_tell(RULE, f"not looked at: {listing}", remedy="leave environments and caches out")
        if Status.FAIL in self._unnamed or any(one.status is Status.FAIL for one in self._findings):
            return
        if self._files:
            yield passed(RULE, f"{len(self._files)} files, {size(self._total)}, all read safely")
        else:
            yield failed(RULE, "it holds no files", remedy="pack the report, the code and the notebook")

    def _add(self, finding: Finding) -> None:
        if len(self._findings) < NAMED:
            self._findings.append(finding)
        else:
            self._unnamed[finding.status] += 1

    def fault(self, name: str, message: str, remedy: str) -> None:
        """One entry is left out."""
        self._add(failed(RULE, f"{message}; left out", names.printable(name), remedy))

    def objection(self, name: str, message: str, remedy: str) -> None:
        """Something is wrong that does not keep the file from being read."""
        self._add(failed(RULE, message, names.printable(name), remedy))

    def remark(self, name: str, message: str) -> None:
        """Something a person may want to know."""
        self._add(cannot_tell(RULE, message, names.printable(name)))

    def admit(self, name: str) -> bool:
        """Whether the file of this path may be read; a refusal leaves a finding, clutter is counted."""
        if not self.admit_folder(name):
            return False
        key = names.case_blind(name)
        parents = {key[:end] for end in range(len(key)) if key[end] == "/"}
        twin = self._seen.get(key)
        if twin is not None:
            shown = names.printable(twin)
            what = "a second entry of this name" if twin == name else f"the same name as {shown} but for case"
        elif key in self._folders or parents & self._seen.keys():
            what = "a file and a folder of the same name"
        else:
            self._seen[key] = name
            self._folders |= parents
            return True
        self.fault(name, what, "give every file a name of its own")
        return False

    def admit_folder(self, name: str) -> bool:
        """Whether a folder may be looked into; a refusal leaves a finding, clutter is counted."""
        fault = names.fault(name)
        if fault:
            self.fault(name, fault, "pack the files with short, plain, relative paths")
            return False
        part = names.clutter(name)
        if part and names.worth_a_word(part):
            self._clutter[part] += 1
        return not part

    def keep(self, name: str, data: bytes) -> None:
        """Keep a file's bytes; an archive inside is kept as bytes but never opened, and said so."""
        self._total += len(data)
        self._files[name] = data
        kind = nested_archive(name, data)
        if kind:
            message = f"an archive ({kind}) inside the hand-in; it is not opened"
            self.objection(name, message, "unpack it and hand in the files themselves")

    def check_size(self, name: str, count: int) -> bool:
        """Whether a file is small enough to be read."""
        if count > self.limits.file:
            self.fault(name, f"{size(count)}, at most {size(self.limits.file)}", "leave large files out")
        return count <= self.limits.file

    def check_total(self, entries: int, total: int) -> None:
        """Refuse a hand-in of too many entries, or of too many bytes in all."""
        if entries > self.limits.entries:
            raise RefusedError(
                f"too many entries: {entries}, at most {self.limits.entries}",
                "leave environments and caches out",
            )
        if total > self.limits.total:
            raise RefusedError(
                f"too large: {size(total)} unpacked, at most {size(self.limits.total)}",
                "leave large files out; hand in what the report needs",
            )


_ARCHIVE_NAMES = re.compile(r".*\.(zip|rar|7z|tar|tgz|tbz2?|txz|jar|iso|cab|(tar|zip)\.\w+)", re.IGNORECASE)
_ZIP_BASED = re.compile(r".*\.(npz|pth?|docx|xlsx|pptx|od[tsp]|whl|epub|keras|mlx)", re.IGNORECASE)
_SIGNATURES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("ZIP", lambda head: head.startswith((b"PK\x03\x04", b"PK\x05\x06"))),
    ("RAR", lambda head: head.startswith(b"Rar!\x1a\x07")),
    ("7z", lambda head: head.startswith(b"7z\xbc\xaf\x27\x1c")),
    ("tar", lambda head: head[257:262] == b"ustar"),
)


def archive_kind(head: bytes) -> str:
    """The kind of archive that begins with these bytes; empty where none does."""
    return next((kind for kind, is_one in _SIGNATURES if is_one(head)), "")


def nested_archive(name: str, data: bytes) -> str:
    """The kind of archive that a file is; empty for others, also for formats that only build on ZIP."""
    if _ZIP_BASED.fullmatch(name):
        return ""
    by_name = name.rsplit(".", 1)[-1].lower() if _ARCHIVE_NAMES.fullmatch(name) else ""
    return archive_kind(data[:512]) or by_name


def size(count: int) -> str:
    """A number of bytes for people."""
    if count < 10_000:
        return f"{count} bytes"
    return f"{count / 1024:.0f} KiB" if count < MIB else f"{count / MIB:.1f} MiB"
