"""Reads a folder that somebody unpacked: links are not followed, pipes and devices are not opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from grading.intake.collector import Collector


def read_folder(root: Path, collector: Collector) -> None:
    """Give every file below the folder to the collector.

    Raises:
        RefusedError: too many files, or too many bytes.
    """
    total = 0
    for count, (name, entry) in enumerate(_walk(root, "", collector), start=1):
        collector.check_total(count, total)
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            collector.fault(name, "a symbolic link", "put the file itself there")
        elif not stat.S_ISREG(mode):
            collector.fault(name, "not a plain file (a device, a pipe or a socket)", "leave it out")
        elif collector.admit(name):
            bytes_there = entry.stat(follow_symlinks=False).st_size
            if collector.check_size(name, bytes_there):
                total += bytes_there
                collector.check_total(count, total)
                _read_file(entry.path, name, collector)


def _walk(folder: Path, prefix: str, collector: Collector) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything but folders, sorted by name. At most as deep as `names.DEEPEST`."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except PermissionError:
        collector.fault(prefix, "no permission to look into this folder", "set its permissions")
        return
    for entry in entries:
        name = prefix + entry.name
        if not entry.is_dir(follow_symlinks=False):
            yield name, entry
        elif collector.admit_folder(name):
            yield from _walk(Path(entry.path), name + "/", collector)


def _read_file(path: str, name: str, collector: Collector) -> None:
    # What was a file when listed may be a link or a pipe by now.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            data = file.read(collector.limits.file + 1)
    except OSError as error:
        collector.fault(name, f"cannot be read: {error.strerror}", "set its permissions")
        return
    if collector.check_size(name, len(data)):
        collector.keep(name, data)
