"""`python -m handin` is the console script `handin`."""

from handin.cli import main

main(prog_name="handin")
