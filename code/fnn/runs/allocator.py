"""Memory for training: what one step frees, the next step uses."""

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt
LARGEST_REUSED = 32 * 2**20  # bytes of a block; the most that glibc accepts
KEPT = 2**30 - 1  # bytes that stay with the process


def keep_freed_memory() -> None:
    """Let glibc keep large freed blocks instead of giving each back to the system and clearing it anew.

    A step of m = 100 frees and takes tens of megabytes: a third of its time went into that. Other C libraries
    are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST_REUSED)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)
