"""A folder as a teacher gets it: good hand-ins of many students, and hostile or broken ones among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import good_handin
from hostile import ATTACKS, make_hostile_folder, pack
from hostile_pdfs import PDFS
from hostile_sources import SOURCES

from grading import Row
from grading.row import in_words

FOLDER = "unpacked-with-links"


@dataclass(frozen=True)
class Expected:
    """What must be said of one hand-in."""

    words: str = ""  # of a warning; empty for a good hand-in, which gets none
    place: str = ""  # in the warning's place
    readable: bool = True  # whether the good report in it is still read


def kinds() -> dict[str, Expected]:
    """Every kind of bad hand-in and what must be said of it."""
    expected = {name: Expected(attack.verdict, "", attack.readable) for name, attack in ATTACKS.items()}
    expected |= {f"report-{name}": Expected(words, "report.pdf", False) for name, (_, words) in PDFS.items()}
    expected |= {f"source-{name}": Expected(one.words, one.path) for name, one in SOURCES.items()}
    return {**expected, FOLDER: Expected("a symbolic link")}


def fill(folder: Path, good: int, bad: list[str]) -> dict[str, Expected]:
    """Write the hand-ins, every second good one long; gives what must be said of each, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    every = kinds()
    expected = {}
    for number in range(good):
        login = f"student{number:03}"
        pack(
            folder / f"dl24-1-{login}.zip",
            good_handin.files(login, f"Student {number} Müller", bool(number % 2)),
        )
        expected[f"dl24-1-{login}.zip"] = Expected()
    for kind in bad:
        name = f"dl24-1-{kind}" + ("" if kind == FOLDER else ".zip")
        _write_bad(folder / name, kind)
        expected[name] = every[kind]
    return expected


def _write_bad(path: Path, kind: str) -> None:
    files = good_handin.files(kind, "Mallory")
    if kind == FOLDER:
        make_hostile_folder(path, files)
    elif kind.startswith("report-"):
        make, _ = PDFS[kind.removeprefix("report-")]
        pack(path, {**files, "report.pdf": make()})
    elif kind.startswith("source-"):
        source = SOURCES[kind.removeprefix("source-")]
        pack(path, {**files, source.path: source.make()})
    else:
        ATTACKS[kind].write(path, files)


def wrong_verdicts(rows: list[Row], expected: dict[str, Expected]) -> list[str]:
    """What the rows say that they should not, or do not say that they should; empty if all is right."""
    by_name = {row.name: row for row in rows}
    wrong = [f"{name}: not in the table" for name in expected.keys() - by_name.keys()]
    for name, row in by_name.items():
        want = expected[name]
        said = [in_words(warning) for warning in row.warnings]
        wrong += [f"{name}: {line}" for line in said if "could not be applied" in line]
        if not want.words and not want.place:
            wrong += [f"{name}: {line}" for line in said]
        elif not any(want.words in line and want.place in line for line in said):
            wrong.append(f"{name}: nothing on {want.words!r} {want.place}, but {said}")
        if want.readable and (
            row.pages is None or row.tasks != good_handin.COURSE.tasks or not row.thumbnail
        ):
            wrong.append(f"{name}: the report was not read: {said}")
    return wrong
