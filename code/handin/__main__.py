"""`python -m handin`."""

import sys

try:
    from handin.cli import main
except KeyboardInterrupt:
    sys.exit(130)  # Ctrl-C while modules are imported: nothing has begun

main(prog_name="handin")
