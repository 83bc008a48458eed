"""Reads a ZIP somebody else made.

The format is PKWARE's APPNOTE.TXT 6.3; entries that share their packed bytes, the densest kind of bomb, are
described in D. Fifield, "A better zip bomb" (WOOT 2019).
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from grading.intake import names
from grading.intake.collector import Collector, Limits, RefusedError, archive_kind, size

_UNIX = 3  # `create_system` of entries that carry file types
_ENCRYPTED = 0x41  # flag bits 0 and 6
_UTF8 = 0x800  # flag bit 11: the name is UTF-8
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError)


def read_archive(path: Path, collector: Collector) -> None:
    """Give every file of the ZIP to the collector.

    Raises:
        RefusedError: not a ZIP, a damaged one, a bomb, or one that is locked altogether.
    """
    with path.open("rb") as file:
        packed = os.fstat(file.fileno()).st_size
        head = file.read(512)
        _refuse_before_opening(file, head, packed, collector.limits)
        try:
            archive = zipfile.ZipFile(file)
        except UnicodeDecodeError:
            raise RefusedError("names marked as UTF-8 that are not", "pack it with another tool") from None
        except _DAMAGED as error:
            raise RefusedError(f"a damaged ZIP: {error}", "pack and upload it again") from None
        with archive:
            if archive_kind(head) != "ZIP":
                collector.objection(path.name, "other bytes stand before the ZIP", "pack a plain ZIP")
            _read_entries(archive, packed, collector)


def _refuse_before_opening(file: BinaryIO, head: bytes, packed: int, limits: Limits) -> None:
    """`zipfile` reads the whole table of contents at once: look at the sizes before it does."""
    if packed == 0:
        raise RefusedError("an empty file of 0 bytes", "upload the ZIP again")
    if packed > limits.archive:
        raise RefusedError(
            f"too large: {size(packed)}, at most {size(limits.archive)}", "leave large files out"
        )
    directory = _directory_bytes(file, packed)
    if directory is None:
        raise RefusedError(*_why_no_archive(head))
    if directory > limits.directory:
        message = f"too many entries: a table of contents of {size(directory)}"
        raise RefusedError(message, "leave environments and caches out")


def _read_entries(archive: zipfile.ZipFile, packed: int, collector: Collector) -> None:
    entries = archive.infolist()
    _refuse_bomb(entries, packed, collector.limits)
    collector.check_total(len(entries), sum(entry.file_size for entry in entries))
    files = [entry for entry in entries if not _name(entry)[0].endswith("/")]
    if files and all(entry.flag_bits & _ENCRYPTED for entry in files):
        raise RefusedError("protected by a password", "pack it without one")
    for entry in entries:
        name, remark = _name(entry)
        if name.endswith("/") and name.strip("/"):
            collector.admit_folder(name[:-1])
        elif collector.admit(name):
            if remark:
                collector.remark(name, remark)
            _read_entry(archive, entry, name, collector)


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, collector: Collector) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
    if kind == stat.S_IFLNK:
        collector.fault(name, "a symbolic link", "pack the file it points to")
    elif kind not in (0, stat.S_IFREG):
        collector.fault(name, "not a plain file (a device, a pipe or a socket)", "leave it out")
    elif entry.flag_bits & _ENCRYPTED:
        collector.fault(name, "protected by a password", "pack it without one")
    elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        message = f"packed by an unusual method (number {entry.compress_type})"
        collector.fault(name, message, "pack it with an ordinary ZIP tool")
    elif collector.check_size(name, entry.file_size):
        try:
            with archive.open(entry) as stream:
                data = stream.read()  # stops at the stated size and compares the checksum
            if len(data) != entry.file_size:
                raise EOFError("it ends too early")
        except _DAMAGED as error:
            reason = str(error) or "it ends too early"
            collector.fault(name, f"damaged: {names.printable(reason)}", "pack and upload it again")
        else:
            collector.keep(name, data)


def _name(entry: zipfile.ZipInfo) -> tuple[str, str]:
    """An entry's path with '/' between its parts, and a remark on how its name had to be read."""
    # zipfile cuts a name at a NUL; the original shows what other tools may see.
    name, remark = entry.orig_filename, ""
    if not entry.flag_bits & _UTF8 and not name.isascii():
        try:
            name = name.encode("cp437").decode("utf-8")  # what macOS writes
        except UnicodeDecodeError:
            remark = "the ZIP does not say in which encoding this name is; read as CP437"
    if "\\" in name:
        name = name.replace("\\", "/")
        remark = remark or "backslashes between the parts of its path; read as folders"
    return name, remark


def _why_no_archive(head: bytes) -> tuple[str, str]:
    """Message and remedy for a file without the end record of a ZIP."""
    if archive_kind(head) == "ZIP":
        return "a truncated ZIP: its end is missing", "upload it again, whole"
    others = {b"%PDF": "PDF", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
    kind = archive_kind(head) or next((kind for start, kind in others.items() if head.startswith(start)), "")
    return f"not a ZIP{f' but a {kind} file' if kind else ''}", "hand in a ZIP archive"


def _directory_bytes(file: BinaryIO, packed: int) -> int | None:
    """How long the table of contents says it is; None without an end record. APPNOTE 4.3.14 to 4.3.16."""
    file.seek(max(packed - 0xFFFF - 22, 0))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        return None
    (length,) = struct.unpack_from("<L", tail, at + 12)
    if at >= 20 and tail.startswith(b"PK\x06\x07", at - 20):  # a ZIP64 has a second end record
        file.seek(max(packed - len(tail) + at - 20 - 56, 0))  # where zipfile looks for it
        record = file.read(56)
        if record.startswith(b"PK\x06\x06"):
            (length,) = struct.unpack_from("<Q", record, 40)
    return int(length)


def _refuse_bomb(entries: list[zipfile.ZipInfo], packed: int, limits: Limits) -> None:
    """Refuse an archive whose entries grow too much, or share packed bytes."""
    end = 0  # of the entry before: a header of 30 bytes, then its packed bytes
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise RefusedError("a ZIP bomb: its entries overlap", "pack it with an ordinary ZIP tool")
        end = entry.header_offset + 30 + entry.compress_size
    what = [("all in all", packed, sum(entry.file_size for entry in entries))]
    what += [(names.printable(entry.filename), entry.compress_size, entry.file_size) for entry in entries]
    for name, small, large in what:
        if large > limits.ratio_from and large > limits.ratio * small:
            message = f"a ZIP bomb: {name}, {size(small)} become {size(large)}"
            raise RefusedError(message, "hand in the files that the report needs")
