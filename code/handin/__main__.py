"""`python -m handin`, and the command `handin`."""

import os
import signal
import sys


def main() -> None:
    """Run the command line, unless it would run on modules of other places."""
    # Until the command begins, Ctrl-C simply ends this: an exception can get lost while modules are imported.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if os.environ.get("PYTHONPATH"):
        from handin.shadows import shadows

        for path, name in shadows():
            sys.exit(
                f"error: {path}: PYTHONPATH puts it before the installed {name}; "
                "unset PYTHONPATH, or take that out of it"
            )
    from handin.cli import main as command

    command(prog_name="handin")


if __name__ == "__main__":
    main()
