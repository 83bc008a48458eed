"""Who hands in: one or two students, with name and login on the first page of report and notebook."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from handin.project import Author
from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, failed, passed

_OWN = "put your own name and login under `author` in _quarto.yml"


def identity(submission: Submission) -> list[Finding]:
    """Names and logins are your own and stand at the beginning of both documents.

    Why: "The PDF report and notebook must clearly report the name and ILIAS login of both students right at
    the beginning."
    Fails: `login: alovelac` under `author`, which is the example's.
    Passes: "Maria Muster (mmuster)" below both titles.
    """
    authors = submission.project.authors
    found = [
        finding for number, author in enumerate(authors) for finding in _faults(submission, number, author)
    ]
    if len({author.login.casefold() for author in authors}) < len(authors):
        place = str(submission.project.place("author", 1, "login"))
        found.append(failed("the same login twice", place, "mend one of them"))
    for name in (REPORT, NOTEBOOK) if not found else ():
        content, _ = submission.pdfs[name]
        if content:
            found += _missing(authors, content.pages[0], f"{name}.pdf, page 1")
    return found or [passed(", ".join(f"{one.name} ({one.login})" for one in authors))]


def _faults(submission: Submission, number: int, author: Author) -> Iterator[Finding]:
    course = submission.project.handin
    for key, value, examples in (
        ("login", author.login, course.example_logins),
        ("name", author.name, course.example_names),
    ):
        place = str(submission.project.place("author", number, key))
        if _plain(value) in map(_plain, examples):
            yield failed(f"`{value}` is the example's {key}", place, _OWN)


def _missing(authors: list[Author], first_page: str, place: str) -> Iterator[Finding]:
    text = _plain(first_page)
    words = set(re.findall(r"\w+", text))
    remedy = "show `author` with name and login in the title of templates/, in letters that its font has"
    for author in authors:
        # Where letters run from right to left, the words of a line come out of a PDF in another order.
        if not words.issuperset(re.findall(r"\w+", _plain(author.name))):
            yield failed(f"the first page lacks the name `{author.name}`", place, remedy)
        if not re.search(rf"(?<![\w.-]){re.escape(_plain(author.login))}(?![\w-])", text):
            yield failed(f"the first page lacks the login `{author.login}`", place, remedy)


def _plain(text: str) -> str:
    """Text for comparing: composed letters, no ligatures, one kind of space and of apostrophe, no case."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    return re.sub(r"\s+", " ", re.sub("[\u00ad\ufffe\x02]", "", text)).strip()
