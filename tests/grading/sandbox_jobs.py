"""What a job may do to the process it runs in; `test_sandbox` runs these by name."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from grading.sandbox import Say


def misbehave(job: str, say: Say) -> None:
    """Do the one thing that the job names, after having said so."""
    kind, _, rest = job.partition(" ")
    say(f"about to {kind}", kind=kind)
    match kind:
        case "answer":
            say("answering", answer=rest.upper())
        case "loop":
            while True:
                pass
        case "sleep":
            time.sleep(60)
        case "eat":
            say("eating", eaten=len([bytes(2**20) for _ in range(4000)]))
        case "meet":
            mine, other = rest.split()
            Path(mine).touch()
            while not Path(other).exists():
                time.sleep(0.01)
            say("met", met=True)
        case "hush":  # says no more, and stays
            os.closerange(3, 256)
            time.sleep(60)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leave":
            os._exit(7)
        case "raise":
            raise ValueError("a message\nof two lines")
        case "write":
            Path(rest).write_text("x" * 10)
        case "read":
            say("read", held=Path(rest).read_text())
        case "list":
            say("listed", held=sorted(os.listdir(rest)))
        case "touch":
            Path(rest).touch()
        case "remove":
            Path(rest).unlink()
        case "connect":
            socket.create_connection(("127.0.0.1", int(rest)), timeout=5).close()
        case "run":
            done = subprocess.run(rest.split(), capture_output=True, text=True, check=True)
            say("ran", held=done.stdout.split()[0])
        case "talk":
            while True:
                say("talking", words="x" * 100_000)
        case "print":
            print("not part of any protocol")
            os.system("echo nor this")
