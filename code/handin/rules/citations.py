"""Citations and cross-references: each resolves, and every entry of the reference list is cited."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handin.reading.layout import Layout, Part
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, at, cannot_tell, failed, passed
from handin.rules.report import no_report

CITATIONS = "citations"
CROSS_REFERENCES = "cross-references"

_ENTRY = re.compile(r"(?m)^[ \t]*@(?!comment\b|string\b|preamble\b)(\w+)\s*\{\s*([^,\s]+)\s*,", re.IGNORECASE)
_YEAR = r"(?:19|20)\d\d[a-z]?\b"
_NAME = r"[A-ZÄÖÜ][\w’'-]{1,40}"
_UNRESOLVED = re.compile(
    r"\?@?(?:fig|tbl|sec|eq|lst)-[\w-]+|(?<![\w./])@(?:fig|tbl|sec|eq|lst)-[\w-]+"
    r"|(?<![\w?])\?\?(?![\w?])|\[\?\]|Error! (?:Reference|Bookmark)[\w ]*"
)


def citations(submission: Submission) -> list[Finding]:
    """Every citation has an entry, and every entry is cited."""
    document = submission.report
    if document is None or document.layout is None:
        return [no_report(CITATIONS)]
    entries = dict(_bibliography(submission))
    if submission.outline is not None:
        found = [
            *_unknown_keys(submission, entries),
            *_uncited_keys(submission, entries),
        ]
        if found:
            return found
    layout = document.layout
    references = [i for i, part in enumerate(layout.parts) if part is Part.REFERENCES]
    text = _without_references(layout)
    numbered = [i for i in references if re.match(r"\[\d{1,3}\]", layout.lines[i].text)]
    if numbered:
        found = list(_numbered(layout, numbered, text, document))
    elif references:
        found = list(_named(layout, references, text, document))
    elif numbers := re.findall(r"\[(\d{1,2})\](?=[\s.,;)])", text):
        found = [
            cannot_tell(
                CITATIONS,
                f"citations such as [{numbers[0]}] and no list of references",
                document.path,
                "add the list of references under the heading “References”",
            )
        ]
    else:
        return [passed(CITATIONS, "cites nothing", document.path)]
    if found:
        return found
    count = len(numbered) or len(_entries(layout, references))
    return [passed(CITATIONS, f"{count} references, each cited; each citation resolves", document.path)]


def _without_references(layout: Layout) -> str:
    """The text, captions last: a figure at the top of a page may stand in the middle of a citation."""
    captioned = {n for caption in layout.captions for n in range(caption.first, caption.last + 1)}
    lines = [n for n, part in enumerate(layout.parts) if part is not Part.REFERENCES]
    running = [n for n in lines if n not in captioned]
    return "\n".join(layout.lines[n].text for n in [*running, *(n for n in lines if n in captioned)])


def cross_references(submission: Submission) -> list[Finding]:
    """No reference in report or notebook is left unresolved."""
    found = []
    read = [d for d in (submission.report, submission.notebook) if d and d.content]
    if not read:
        return [no_report(CROSS_REFERENCES)]
    for document in read:
        assert document.content is not None
        for number, page in enumerate(document.content.pages, start=1):
            for match in _UNRESOLVED.finditer(page.text):
                label = match[0].lstrip("?@")
                found.append(
                    failed(
                        CROSS_REFERENCES,
                        f"unresolved reference `{match[0]}`",
                        _reference_place(submission, label, at(document.path, page=number)),
                        "mend the label, or add what it refers to",
                    )
                )
    return found or [passed(CROSS_REFERENCES, "every reference in report and notebook resolves")]


def _bibliography(submission: Submission) -> Iterator[tuple[str, str]]:
    """Key and place of every entry of the BibTeX files that `_quarto.yml` names."""
    named = submission.config.get("bibliography", [])
    for path in [named] if isinstance(named, str) else named if isinstance(named, list) else []:
        text = submission.text(str(path)) or ""
        for match in _ENTRY.finditer(text):
            yield match[2], at(str(path), line=text.count("\n", 0, match.start(2)) + 1)


def _unknown_keys(submission: Submission, entries: dict[str, str]) -> list[Finding]:
    assert submission.outline is not None
    return [
        failed(
            CITATIONS,
            f"`@{mention.label}` is cited, and no bibliography has it",
            mention.place,
            "mend the key, or add the entry",
        )
        for mention in submission.outline.citations
        if mention.label not in entries
    ]


def _uncited_keys(submission: Submission, entries: dict[str, str]) -> list[Finding]:
    assert submission.outline is not None
    cited = {mention.label for mention in submission.outline.citations}
    return [
        failed(
            CITATIONS,
            f"the reference `{key}` is never cited",
            place,
            "cite it where it is used, or remove it",
        )
        for key, place in entries.items()
        if key not in cited
    ]


def _numbered(layout: Layout, entries: list[int], text: str, document: Document) -> Iterator[Finding]:
    """References as [1], [2], …; a bracket with a zero or a large number is mathematics, not a citation."""
    listed = {int(re.findall(r"\d+", layout.lines[i].text)[0]): i for i in entries}
    cited: set[int] = set()
    for match in re.finditer(r"\[(\d{1,3}(?:\s?[,;–-]\s?\d{1,3})*)\]", text):
        numbers = _expanded(match[1])
        if 0 in numbers:
            continue
        cited |= numbers
        if (missing := sorted(numbers - set(listed))) and max(missing) <= len(listed) + 20:
            single = len(numbers) == 1
            say = failed if single else cannot_tell
            yield say(
                CITATIONS,
                f"[{match[1]}] cites what the list of references lacks",
                document.path,
                "add the entry, or mend the number",
            )
    for number, index in listed.items():
        if number not in cited:
            yield failed(
                CITATIONS,
                f"the reference [{number}] is never cited",
                at(document.path, page=layout.lines[index].page),
                "cite it where it is used, or remove it",
            )


def _named(layout: Layout, references: list[int], text: str, document: Document) -> Iterator[Finding]:
    """References by author and year."""
    flat = " ".join(text.split())
    listing = " ".join(layout.lines[i].text for i in references)
    for author, year in _by_author(flat):
        if author not in listing or year[:4] not in listing:
            yield cannot_tell(
                CITATIONS,
                f"`{author} {year}` looks like a citation, and the references lack it",
                document.path,
                "add the entry",
            )
    for index, entry in _entries(layout, references):
        named = re.match(rf"[\W\d]*({_NAME})", entry)
        dated = re.search(_YEAR, entry)
        if named and dated and not re.search(rf"{re.escape(named[1])}.{{0,80}}?{dated[0][:4]}", flat):
            yield failed(
                CITATIONS,
                f"the reference “{entry[:40]}…” is never cited",
                at(document.path, page=layout.lines[index].page),
                "cite it where it is used, or remove it",
            )


def _by_author(text: str) -> Iterator[tuple[str, str]]:
    """Author and year of what looks like a citation: "(Nguyen and Widrow 1990; …)", "Rumelhart (1986)"."""
    for match in re.finditer(r"\(([^()]{4,200})\)", text):
        for part in match[1].split(";"):
            if inner := re.fullmatch(
                rf"\s*({_NAME})(?:[\w\s.,&’'-]{{0,60}}?)[\s,]({_YEAR})[^;]{{0,20}}", part
            ):
                yield inner[1], inner[2]
    for match in re.finditer(rf"({_NAME})(?: et al\.?| (?:and|und|&) {_NAME})? [(\[]({_YEAR})[)\]]", text):
        yield match[1], match[2]


def _entries(layout: Layout, references: list[int]) -> list[tuple[int, str]]:
    """The list's entries: with a hanging indent each begins at the left edge, else after a gap."""
    body = references[1:]  # without the heading
    if not body:
        return []
    left = min(layout.lines[i].line.x for i in body)
    hanging = any(layout.lines[i].line.x > left + 4 for i in body)
    found: list[tuple[int, str]] = []
    for before, index in zip([references[0], *body], body, strict=False):
        one, above = layout.lines[index], layout.lines[before]
        gap = above.page != one.page or above.line.y - one.line.y > 1.6 * one.line.size
        starts = one.line.x <= left + 4 if hanging else gap
        if starts or not found:
            found.append((index, one.text))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]} {one.text}")
    return found


def _expanded(numbers: str) -> set[int]:
    found: set[int] = set()
    for part in re.split(r"[,;]", numbers):
        ends = [int(n) for n in re.findall(r"\d+", part)]
        found |= set(range(ends[0], min(ends[-1], ends[0] + 100) + 1))
    return found


def _reference_place(submission: Submission, label: str, page: str) -> str:
    """File and line of a reference where the sources are there."""
    for mention in submission.outline.mentions if submission.outline else ():
        if mention.label == label:
            return f"{mention.place} ({page})"
    return page
