"""Rules are tried on a hundred projects that are nearly the same: what does not differ is asked once."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from handin import sources
from handin.qmd import pandoc


@pytest.fixture(scope="session", autouse=True)
def answers() -> Iterator[None]:
    """Pandoc's answers to the same text, and the installed packages."""
    run = pandoc.run

    def remembered(arguments: list[str], text: str, *, folder: Path) -> tuple[str, str]:
        if arguments[1:] == ["--to=json"] and text:
            return parse(text, arguments[0].removeprefix("--from="))
        return run(arguments, text, folder=folder)

    parse = cache(lambda text, form: run([f"--from={form}", "--to=json"], text, folder=Path()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pandoc, "run", remembered)
        patch.setattr(sources, "_packages", cache(sources._packages))
        yield
