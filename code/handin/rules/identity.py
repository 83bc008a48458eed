"""Who hands in: one or two students, with name and login on the first page of report and notebook."""

from __future__ import annotations

import re
import unicodedata

from handin.project import login_fault
from handin.qmd.source import lines_of
from handin.reading import pdf
from handin.reading.submission import Student, Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed

IDENTITY = "identity"
LONGEST_NAME = 120


def identity(submission: Submission) -> list[Finding]:
    """Names and logins are real, fit for a file name, and stand at the beginning of both documents.

    Why: "The PDF report and notebook must clearly report the name and ILIAS login of both students right at
    the beginning."
    Certain: the login in the ZIP's name is missing on the first page; what the name is, a person must see.
    Fails: `login: alovelac` under `author`, which is the example's.
    Passes: "Maria Muster (mmuster)" below both titles, in a ZIP called dl24-1-mmuster.zip.
    """
    students = submission.students
    if not students:
        message = "nobody is named: no `author` in _quarto.yml, no login in the ZIP's name"
        remedy = f"name the ZIP {submission.course.archive_name('<login>')}"
        return [cannot_tell(IDENTITY, message, remedy=remedy)]
    found = [finding for student in students for finding in _faults(student, submission)]
    if len(students) > 2:
        remedy = "hand in alone or with one other"
        found.append(failed(IDENTITY, f"{len(students)} students", "_quarto.yml", remedy))
    if len({student.login.casefold() for student in students}) < len(students):
        place = _place(submission, "login")
        found.append(failed(IDENTITY, "the same login twice", place, "mend one of them"))
    if not found:
        for path, content in submission.readable:
            found += _on_first_page(path, content, students, submission)
    if found:
        return found
    who = ", ".join(f"{s.name} ({s.login})" if s.name else s.login for s in students)
    if not all(student.name for student in students):
        return [passed(IDENTITY, f"login {who} on the first page; the name is for a person to see")]
    return [passed(IDENTITY, who)]


def name_fault(name: str) -> str:
    """Why a name cannot be set in the documents; empty where it can."""
    text = unicodedata.normalize("NFC", name)
    if len(text) > LONGEST_NAME:
        return f"has {len(text)} characters, more than {LONGEST_NAME}"
    for sign in text:
        category = unicodedata.category(sign)
        if category in ("Cc", "Cf", "Co", "Cs", "Cn", "So", "Sk") and sign not in "\u200c\u200d":
            return f"holds {unicodedata.name(sign, 'a control character').lower()} (U+{ord(sign):04X})"
    return "" if any(sign.isalpha() for sign in text) else "has no letter"


def _faults(student: Student, submission: Submission) -> list[Finding]:
    course, name, login = submission.course, student.name, student.login
    own = "put your own name and login under `author` in _quarto.yml"
    found = []
    if fault := login_fault(login):
        say = "give the ILIAS login: Latin letters, digits, dot, hyphen, underscore"
        found.append(("login", login, f"the login {login[:40]!r} {fault}", say))
    elif _plain(login) in map(_plain, course.example_logins):
        found.append(("login", login, f"`{login}` is the example's login", own))
    if name and (fault := name_fault(name)):
        say = "write the name in letters that the document's font has"
        found.append(("name", name, f"the name {name[:40]!r} {fault}", say))
    elif not name and submission.is_project:
        found.append(("author", "", "a student without a name", "add `name:` beside the login"))
    elif name and _plain(name) in map(_plain, course.example_names):
        found.append(("name", name, f"`{name}` is the example's name", own))
    return [failed(IDENTITY, what, _place(submission, key, value), say) for key, value, what, say in found]


def _on_first_page(
    path: str, content: pdf.Content, students: tuple[Student, ...], submission: Submission
) -> list[Finding]:
    place = f"{path}, page 1"
    foreign = any(not _latin(student.name) for student in students)
    if foreign and (count := pdf.boxes(submission.files[path])):
        message = f"{count} letters of the first page are empty boxes: the font lacks them"
        remedy = "write names in letters that the font has, or choose another `mainfont`"
        return [failed(IDENTITY, message, place, remedy)]
    text = _plain(content.pages[0].text)
    if not text:
        return [cannot_tell(IDENTITY, "the first page holds no text to read", place)]
    words = set(re.findall(r"\w+", text))
    missing = []
    for student in students:
        # Where letters run from right to left, the words of a line come out of a PDF in another order.
        if not words.issuperset(re.findall(r"\w+", _plain(student.name))):
            missing.append(f"name `{student.name}`")
        if not re.search(rf"(?<![\w.-]){re.escape(_plain(student.login))}(?![\w-])", text):
            missing.append(f"login `{student.login}`")
    remedy = "render again" if submission.is_project else "put name and login at the very beginning"
    return [failed(IDENTITY, f"the first page lacks the {what}", place, remedy) for what in missing]


def _latin(text: str) -> bool:
    """Whether all letters are Latin, which every font has."""
    return all(unicodedata.name(sign, "").startswith("LATIN ") for sign in text if sign.isalpha())


def _place(submission: Submission, key: str, value: str = "") -> str:
    """Line of `_quarto.yml` that sets a key to a value; the ZIP's name where there is no such file."""
    text = submission.text("_quarto.yml")
    if text is None:
        return submission.name
    for number, line in enumerate(lines_of(text), start=1):
        if re.match(rf"\s*(-\s*)?{key}:", line) and value in line:
            return f"_quarto.yml:{number}"
    return "_quarto.yml"


def _plain(text: str) -> str:
    """Text for comparing: composed letters, one kind of space, one kind of apostrophe, no case."""
    text = unicodedata.normalize("NFC", text).casefold().replace("\u2019", "'").replace("\u00ad", "")
    return re.sub(r"\s+", " ", text).strip()
