"""A small project that passes every rule and builds in two seconds: the faults happen to its copies."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from running import change

from handin import starter
from handin.project import load_project
from handin.render.builtin import Builder

ASSIGNMENT = {
    "course": "Testing (FSS24)", "number": "2", "title": "Small Things", "tasks": "1 One; 1a Part; 2 Two",
    "author": "Grace Hopper <ghopper>", "archive": "dl24-{assignment}-{login}.zip", "ban": "numpy",
    "require": "", "package": "solution",
}  # fmt: skip

# The same examples every time; `--hypothesis-profile=many` in `make test-faults`.
for profile, examples in {"many": 500, "few": 50}.items():
    settings.register_profile(profile, derandomize=True, database=None, deadline=None, max_examples=examples)
settings.load_profile("few")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, built; not to be written to."""
    folder = tmp_path_factory.mktemp("small") / "project"
    starter.create(folder, starter.filled(**ASSIGNMENT))
    Builder(load_project(folder)).render(["report.qmd", "notebook.qmd"])
    return folder


@pytest.fixture
def fresh(built: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes copies of the built project; with `changed` the sources of all documents have changed since."""
    numbers = iter(range(1_000_000))

    def copy(*, changed: bool = False) -> Path:
        folder = tmp_path / f"copy-{next(numbers)}" / "project"
        shutil.copytree(built, folder, symlinks=True)
        if changed:
            change(folder)
        return folder

    return copy


@pytest.fixture
def project(fresh: Callable[..., Path]) -> Path:
    """One such copy, unchanged."""
    return fresh()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Random numbers; the seed stands in the report of a failure, and FAULTS_SEED repeats it."""
    seed = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"FAULTS_SEED={seed}")
    return random.Random(seed)
