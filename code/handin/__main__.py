"""`python -m handin`, and the command `handin`."""

import os
import sys


def main() -> None:
    """Run the command line, unless it would run on modules of other places."""
    try:
        if os.environ.get("PYTHONPATH"):
            from handin.shadows import shadows

            for path, name in shadows():
                sys.exit(
                    f"error: {path}: PYTHONPATH puts it before the installed {name}; "
                    "unset PYTHONPATH, or take that out of it"
                )
        from handin.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C while modules are imported: nothing has begun
    command(prog_name="handin")


if __name__ == "__main__":
    main()
