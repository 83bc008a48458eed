"""A job for the sandbox: reads mutants of a PDF, as the teacher's tool reads a stranger's."""

import json
import random
from contextlib import suppress
from pathlib import Path

from mutating import mutant

from grading.sandbox import Say
from handin.reading import pdf


def read(job: str, say: Say) -> None:
    """Read `count` mutants of the file at `path`, drawn from `seed`."""
    given = json.loads(job)
    chance = random.Random(given["seed"])
    sound = Path(given["path"]).read_bytes()
    for number in range(given["count"]):
        with suppress(pdf.PdfError):
            pdf.read(mutant(sound, chance))
        say("reading", read=number + 1)
