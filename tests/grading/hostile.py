"""Hand-ins that attack whoever reads them, or that are broken: one function per kind, with its verdict.

`ATTACKS` maps a name to a writer and to the words that must stand in the verdict on what it writes. The rest
of each ZIP is a good hand-in, so that the words can only come from the fault. Nothing here is large on disk.
"""

from __future__ import annotations

import bz2
import io
import os
import random
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Files = Mapping[str, bytes]
Writer = Callable[[Path, Files], None]


@dataclass(frozen=True)
class Attack:
    """One kind of hostile or broken hand-in."""

    write: Writer  # writes it to the path; the files are those of a good hand-in
    verdict: str  # words of the finding it must get
    readable: bool = True  # whether the other files are still read


ATTACKS: dict[str, Attack] = {}


def attack(verdict: str, *, readable: bool = True) -> Callable[[Writer], Writer]:
    def register(write: Writer) -> Writer:
        ATTACKS[write.__name__.replace("_", "-")] = Attack(write, verdict, readable)
        return write

    return register


def pack(path: Path, files: Files, *extra: tuple[zipfile.ZipInfo, bytes]) -> None:
    """An ordinary ZIP of the files, with further entries as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        for entry, data in extra:
            archive.writestr(entry, data)


def _entry(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _patch(path: Path, old: bytes, new: bytes, count: int = -1) -> None:
    """Change bytes of a finished ZIP that no library would write."""
    assert len(old) == len(new)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, count))


# ── paths ──


@attack("leads outside")
def zip_slip(path: Path, files: Files) -> None:
    pack(path, files, (_entry("../../evil.py"), b"print('out')"))


@attack("leads outside")
def slip_in_the_middle(path: Path, files: Files) -> None:
    pack(path, files, (_entry("code/../../evil.py"), b"print('out')"))


@attack("leads outside")
def slip_by_backslash(path: Path, files: Files) -> None:
    pack(path, files, (_entry("..\\..\\evil.py"), b"print('out')"))


@attack("an absolute path")
def absolute_path(path: Path, files: Files) -> None:
    pack(path, files, (_entry("/etc/cron.d/evil"), b"* * * * * root true"))


@attack("an absolute path")
def drive_letter(path: Path, files: Files) -> None:
    pack(path, files, (_entry("C:\\Windows\\evil.dll"), b"MZ"))


@attack("a symbolic link")
def symbolic_link(path: Path, files: Files) -> None:
    pack(path, files, (_entry("secrets.txt", 0o120777), b"/etc/passwd"))


@attack("not a plain file")
def device(path: Path, files: Files) -> None:
    pack(path, files, (_entry("disk", 0o060666), b""))


@attack("control characters")
def control_characters(path: Path, files: Files) -> None:
    pack(path, files, (_entry("code/\x1b[2Jx.py"), b"x = 1"))


@attack("control characters")
def nul_in_name(path: Path, files: Files) -> None:
    pack(path, files, (_entry("code/evil.pyQ.txt"), b"x = 1"))
    _patch(path, b"evil.pyQ.txt", b"evil.py\0.txt")


@attack("reverse the order of letters")
def turned_name(path: Path, files: Files) -> None:
    pack(path, files, (_entry("report\u202efdp.exe"), b"MZ"))


@attack("characters, at most")
def long_name(path: Path, files: Files) -> None:
    pack(path, files, (_entry("code/" + "x" * 300 + ".py"), b"x = 1"))


@attack("folders deep")
def deep_folders(path: Path, files: Files) -> None:
    pack(path, files, (_entry("d/" * 60 + "x.py"), b"x = 1"))


@attack("a second entry of this name")
def duplicate_name(path: Path, files: Files) -> None:
    pack(path, files, (_entry("code/twin1.py"), b"x = 1"), (_entry("code/twin2.py"), b"x = 2"))
    _patch(path, b"code/twin2.py", b"code/twin1.py")


@attack("but for case")
def case_collision(path: Path, files: Files) -> None:
    pack(path, files, (_entry("README.TXT"), b"one"), (_entry("readme.txt"), b"two"))


@attack("but for case")
def accent_collision(path: Path, files: Files) -> None:
    name = "Lösung.txt"
    decomposed = unicodedata.normalize("NFD", name)
    pack(path, files, (_entry(name), b"one"), (_entry(decomposed), b"two"))


@attack("a file and a folder")
def file_is_folder(path: Path, files: Files) -> None:
    pack(path, files, (_entry("thing"), b"one"), (_entry("thing/inside.txt"), b"two"))


@attack("read as CP437")
def odd_encoding(path: Path, files: Files) -> None:
    pack(path, files, (_entry("L?sung.txt"), b"one"))
    _patch(path, b"L?sung.txt", b"L\xf6sung.txt")  # Latin-1, and nothing says so


@attack("marked as UTF-8", readable=False)
def broken_utf8(path: Path, files: Files) -> None:
    pack(path, files, (_entry("Lösung.txt"), b"one"))
    _patch(path, "Lösung".encode(), b"L\xff\xfesung")


# ── bombs ──


@attack("a ZIP bomb", readable=False)
def bomb_by_ratio(path: Path, files: Files) -> None:
    pack(path, files, (_entry("zeros.bin"), bytes(30 * 2**20)))


@attack("a ZIP bomb", readable=False)
def bomb_by_overlap(path: Path, files: Files) -> None:
    """Fifield's: many entries of the table of contents that all point to the same packed bytes."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = bytes(range(256)) * 16
    kernel = packed.compress(body) + packed.flush()
    name, crc = b"zeros.bin", zlib.crc32(body)
    fixed = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 0x21, crc, len(kernel), len(body), len(name), 0)
    local = b"PK\x03\x04" + fixed + name + kernel
    central = b"PK\x01\x02" + struct.pack("<H", 20) + fixed + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name
    table = central * 2000
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 2000, 2000, len(table), len(local), 0)
    path.write_bytes(local + table + end)


@attack("too large", readable=False)
def too_large_in_all(path: Path, files: Files) -> None:
    """Many files, each harmless: a tile of noise, repeated, packs about a hundredfold."""
    tile = random.Random(1).randbytes(30_000)
    pack(path, files, *((_entry(f"data/{i}.bin"), tile * 170) for i in range(24)))


@attack("too many entries", readable=False)
def many_entries(path: Path, files: Files) -> None:
    pack(path, files, *((_entry(f"d/{i}"), b"") for i in range(10_500)))


@attack("too many entries", readable=False)
def huge_directory(path: Path, files: Files) -> None:
    """A table of contents that says it is larger than any hand-in's."""
    pack(path, files)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x05\x06")
    table = int.from_bytes(data[at + 16 : at + 20], "little")
    entry = (
        b"PK\x01\x02"
        + struct.pack("<HHHHHHLLLHHHHHLL", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
        + b"x"
    )
    table_bytes = data[table:at] + entry * 110_000
    end = data[at:]
    end[12:16] = len(table_bytes).to_bytes(4, "little")
    path.write_bytes(bytes(data[:table]) + bytes(table_bytes) + bytes(end))


@attack("an archive (ZIP) inside")
def nested_archive(path: Path, files: Files) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("code.py", "x = 1")
    pack(path, files, (_entry("more.zip"), inner.getvalue()))


@attack("an archive (ZIP) inside")
def nested_bomb(path: Path, files: Files) -> None:
    """In the manner of 42.zip, under an innocent name."""
    layer = bytes(2**20)
    for depth in range(6):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            for i in range(8):
                archive.writestr(f"{depth}-{i}", layer)
        layer = inner.getvalue()
    pack(path, files, (_entry("figure.png"), layer))


# ── locked, damaged, something else ──


def _set_flag(path: Path, bit: int, only: bytes | None = None) -> None:
    data = bytearray(path.read_bytes())
    for signature, flags, name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = data.find(signature)
        while at >= 0:
            if only is None or data[at + name :].startswith(only):
                data[at + flags] |= bit
            at = data.find(signature, at + 4)
    path.write_bytes(bytes(data))


@attack("protected by a password", readable=False)
def password(path: Path, files: Files) -> None:
    pack(path, files)
    _set_flag(path, 1)


@attack("protected by a password")
def password_on_one(path: Path, files: Files) -> None:
    pack(path, files, (_entry("locked.py"), b"x = 1"))
    _set_flag(path, 1, b"locked.py")


@attack("unusual method")
def unusual_method(path: Path, files: Files) -> None:
    entry = _entry("code/x.py")
    entry.compress_type = zipfile.ZIP_LZMA
    pack(path, files, (entry, b"x = 1"))


@attack("damaged")
def wrong_checksum(path: Path, files: Files) -> None:
    entry = _entry("data.txt")
    entry.compress_type = zipfile.ZIP_STORED
    pack(path, files, (entry, b"one two three four"))
    _patch(path, b"one two three four", b"one two three five")


@attack("damaged")
def lying_size(path: Path, files: Files) -> None:
    """Says it unpacks to 20 bytes and holds a million."""
    entry = _entry("data.txt")
    pack(path, files, (entry, b"x" * 10**6))
    _patch(path, struct.pack("<L", 10**6), struct.pack("<L", 20))


@attack("damaged")
def name_in_two_versions(path: Path, files: Files) -> None:
    """The table of contents and the entry itself disagree on the name."""
    pack(path, files, (_entry("harmless.py"), b"x = 1"))
    _patch(path, b"harmless.py", b"../../ev.py", 1)


@attack("truncated", readable=False)
def truncated(path: Path, files: Files) -> None:
    pack(path, files)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


@attack("damaged", readable=False)
def broken_table(path: Path, files: Files) -> None:
    pack(path, files)
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at : at + 4] = b"oops"
    path.write_bytes(bytes(data))


@attack("other bytes stand before")
def bytes_before(path: Path, files: Files) -> None:
    pack(path, files)
    path.write_bytes(b"#!/bin/sh\nrm -rf ~\nexit\n" + path.read_bytes())


@attack("an empty file", readable=False)
def empty_file(path: Path, files: Files) -> None:
    path.write_bytes(b"")


@attack("holds no files", readable=False)
def empty_archive(path: Path, files: Files) -> None:
    pack(path, {})


@attack("not a ZIP", readable=False)
def plain_text(path: Path, files: Files) -> None:
    path.write_text("Dear Professor, I could not upload my solution.")


@attack("not a ZIP but a PDF", readable=False)
def pdf_as_zip(path: Path, files: Files) -> None:
    path.write_bytes(files["report.pdf"])


@attack("not a ZIP but a RAR", readable=False)
def rar_as_zip(path: Path, files: Files) -> None:
    path.write_bytes(b"Rar!\x1a\x07\x01\x00" + random.Random(2).randbytes(500))


@attack("not a ZIP but a bzip2", readable=False)
def bzip2_as_zip(path: Path, files: Files) -> None:
    path.write_bytes(bz2.compress(b"x" * 1000))


@attack("truncated", readable=False)
def noise(path: Path, files: Files) -> None:
    path.write_bytes(b"PK\x03\x04" + random.Random(3).randbytes(5000))


def make_hostile_folder(root: Path, files: Files) -> None:
    """A good hand-in as a folder, with a link out of it, a loop of links and a pipe nobody writes to."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "passwords.txt").symlink_to("/etc/passwd")
    (root / "loop").symlink_to(root, target_is_directory=True)
    os.mkfifo(root / "pipe.py")
