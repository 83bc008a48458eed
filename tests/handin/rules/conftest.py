"""Rules are tried on a hundred projects that are nearly the same: what does not differ is asked once."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from handin import sources
from handin.qmd import pandoc

run = pandoc.run
packages = cache(sources._packages)
parse = cache(lambda text, form: run([f"--from={form}", "--to=json"], text, folder=Path()))


def remembered(arguments: list[str], text: str, *, folder: Path) -> tuple[str, str]:
    if arguments[1:] == ["--to=json"] and text:
        return parse(text, arguments[0].removeprefix("--from="))
    return run(arguments, text, folder=folder)


@pytest.fixture(scope="module", autouse=True)
def answers() -> Iterator[None]:
    """Pandoc's answers to the same text, and the installed packages, while these tests run and no longer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pandoc, "run", remembered)
        patch.setattr(sources, "_packages", packages)
        yield
