"""`python -m handin.rehearse.offline COMMAND…` runs a command that can reach no network.

On Linux the command gets a network of its own, which holds nothing but the loopback device (a Jupyter kernel
is spoken to over it); see unshare(2), user_namespaces(7) and netdevice(7). Elsewhere, or where the
system forbids it, nothing is run and the exit status is `UNAVAILABLE`.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

UNAVAILABLE = 86

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP


def available() -> bool:
    """Whether this system can run a command without a network."""
    probe = [*prefix(), sys.executable, "-c", ""]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def prefix() -> list[str]:
    """What to put before a command to cut its network."""
    return [sys.executable, "-P", str(Path(__file__).resolve())]


def _cut() -> None:
    """Move this process to a network of its own.

    Raises:
        OSError: the system does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER | _NEW_NETWORK) == 0:
        # The new user namespace knows nobody; this process stays who it was.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    elif libc.unshare(_NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace")
    _raise_loopback()


def _raise_loopback() -> None:
    import fcntl  # not on Windows

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def main() -> None:
    try:
        if sys.platform != "linux":
            raise OSError("not Linux")
        _cut()
    except (OSError, AttributeError) as error:
        print(f"the network cannot be cut: {error}", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
