"""`python -m handin`, and the command `handin`."""

import signal


def main() -> None:
    """Run the command line."""
    # Until the command begins, Ctrl-C simply ends this: an exception can get lost while modules are imported.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from handin.cli import main as command

    command(prog_name="handin")


if __name__ == "__main__":
    main()
