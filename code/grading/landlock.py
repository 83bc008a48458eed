"""Landlock: a process gives up all files but those it names, for itself and all that it starts.

Linux has it since 5.13, for everybody; see landlock(7). Three system calls, which glibc does not wrap; their
numbers are the same on every processor. What it does not keep from: asking whether a file exists,
changing the times and permissions of one's own, UDP, and starting processes that run no other program.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
NO_NEW_PRIVILEGES = 38  # of prctl(2), without which only the superuser may restrict himself
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
# What is refused unless allowed, by the first version of the interface that knows it: all that can be done to
# files, TCP, sockets and signals beyond one's own processes.
FILES = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
NETWORK, SCOPES = {4: 0b11}, {6: 0b11}


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scopes")]


class _Beneath(ctypes.Structure):
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def version() -> int:
    """Of the interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    try:
        return _call(CREATE_RULESET, None, 0, 1)
    except OSError:
        return 0


def confine(readable: Iterable[Path], programs: Iterable[Path]) -> bool:
    """Leave this thread, and all that it starts, nothing but reading these files and running these programs.

    Args:
        readable: Files, and folders with all in them; those that are not there are passed over.
        programs: Executable files.

    Returns:
        Whether this system can.

    Raises:
        OSError: It can, but refused.
    """
    known = version()
    if not known:
        return False
    handled = [
        sum(bits for since, bits in rights.items() if since <= known) for rights in (FILES, NETWORK, SCOPES)
    ]
    # Earlier versions do not know the later fields.
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    rules = _call(CREATE_RULESET, ctypes.byref(_Ruleset(*handled)), size, 0)
    try:
        for path in readable:
            _allow(rules, path, READ_FILE | READ_DIR if path.is_dir() else READ_FILE)
        for program in programs:
            _allow(rules, program, EXECUTE | READ_FILE)
        _checked(_libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _call(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    return True


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _call(ADD_RULE, rules, 1, ctypes.byref(_Beneath(rights, place)), 0)
    finally:
        os.close(place)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    return _checked(_libc().syscall(ctypes.c_long(number), *arguments))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
