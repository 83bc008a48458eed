"""Citations and cross-references: each resolves, and every entry of the reference list is cited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from handin.errors import Place
from handin.qmd.outline import Outline
from handin.reading.layout import REFERENCES, Layout
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, at, cannot_tell, failed, passed
from handin.rules.report import on_report

CITATIONS = "citations"
CROSS_REFERENCES = "cross-references"

_ENTRY = re.compile(r"(?m)^[ \t]*@(?!comment\b|string\b|preamble\b)(\w+)\s*\{\s*([^,\s]+)\s*,", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d[a-z]?\b")
_NAME = r"[^\W\d_][\w’'-]+"
_LABELLED = re.compile(r"\[([A-Za-z+]{2,}\d{2}[a-z]?|\d{1,3})\](?!\()|(\d{1,3})\.(?=\s)")
_AUTHOR = re.compile(
    rf"(?:[A-Z]\.[ -]?)*\s*({_NAME}),\s+[A-Z]"
    rf"|((?:[A-Z][\w.’'-]*\s+){{1,3}}?)({_NAME})(?=[,.]| and | und )"
)
_BRACKET = re.compile(r"\[([^\[\]]{1,80})\](?:\s?[–-]\s?\[(\d{1,3})\])?")
_UNRESOLVED = re.compile(
    r"\?@?(?:fig|tbl|sec|eq|lst)-[\w-]+|(?<![\w./])@(?:fig|tbl|sec|eq|lst)-[\w-]+|(?:(?i:figure|fig\.|table|section|equation|eq\.)\s*\(?)\?\?(?!\?)"
    r"|\[\?\]|Error! (?:Reference|Bookmark)[\w ]*|Fehler! (?:Verweisquelle|Textmarke)[\w ]*"
)
_CITE = "cite it where it is used, or remove it"


@on_report(CITATIONS)
def citations(submission: Submission, document: Document, layout: Layout) -> list[Finding]:
    """Every citation has an entry, and every entry is cited.

    Why: "include references if you used additional sources or material"; "follows standard scientific
    practice (e.g. when using images, tables or citations)".

    Certain: a numbered or lettered entry that no bracket of the report names, while brackets name more than
    half of the list; an entry of a list by authors whose first author's name stands nowhere else, while
    others are cited by name. What looks like a citation without an entry may be mathematics: "cannot tell".

    Fails: entries [1], [2], [3] and a text with [1] and [3].

    Passes: “[1]–[3]”, “(Bishop 2006)”, “[Bis06]”; the call train1([10]) is no citation.
    """
    if outline := submission.outline:
        found = [*_against_bibliography(submission, outline)]
        return found or [passed(CITATIONS, "every citation has an entry, every entry is cited")]
    headings = [h.index for h in layout.headings if REFERENCES.match(h.title)]
    start = headings[-1] if headings else None
    listed = () if start is None else _run(layout, start)
    text = " ".join(one.text for n, one in enumerate(layout.lines) if n not in listed)
    if start is None:
        looks = re.search(rf"(?<=\s)\[\d{{1,2}}\](?=[\s.,;])|\({_NAME}[^()]{{0,40}}\b(?:19|20)\d\d\)", text)
        if looks:
            message = f"{looks[0]} looks like a citation; no list of references was found"
            return [cannot_tell(CITATIONS, message, document.path, "add the list under “References”")]
        return [passed(CITATIONS, "cites nothing", document.path)]
    entries = _entries(layout, listed[1:])
    labelled = {label: place for label, _, place in entries if label}
    found = [*(_by_label(labelled, text, document) if labelled else _by_author(entries, text, document))]
    return found or [passed(CITATIONS, f"{len(labelled or entries)} references, each cited", document.path)]


def _run(layout: Layout, start: int) -> range:
    """The lines of the part that begins at one."""
    end = start
    while end < len(layout.lines) and layout.parts[end] is layout.parts[start]:
        end += 1
    return range(start, end)


def _entries(layout: Layout, body: Sequence[int]) -> list[tuple[str, str, int]]:
    """Label ("1", "Bis06" or none), text and page of every entry of the list in some lines.

    Entries begin with labels, or at the left edge above a hanging indent, or below a gap.
    """
    labels = {n: m for n in body if (m := _LABELLED.match(layout.lines[n].text))}
    edges: dict[int, float] = {}  # the left one of every page
    for n in body:
        page = layout.lines[n].page
        edges[page] = min(edges.get(page, 1e9), layout.lines[n].x)
    hanging = any(layout.lines[n].x > edges[layout.lines[n].page] + 4 for n in body)
    found: list[tuple[str, str, int]] = []
    for n in body:
        one = layout.lines[n]
        above = layout.lines[n - 1]
        gap = above.page == one.page and above.y - one.y > 1.5 * one.size
        at_edge = one.x <= edges[one.page] + 4
        starts = n in labels if labels else at_edge if hanging else gap
        if starts or not found:
            label = (labels[n][1] or labels[n][2]) if n in labels else ""
            found.append((label, one.text, one.page))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]} {one.text}", found[-1][2])
    return [entry for entry in found if entry[0] or not labels]


def _by_label(entries: dict[str, int], text: str, document: Document) -> Iterator[Finding]:
    """References as [1] or [Bis06]: whatever a bracket names counts as cited."""
    cited: set[str] = set()
    for match in _BRACKET.finditer(text):
        cited |= set(re.findall(r"[A-Za-z+]{2,}\d{2}[a-z]?|\d{1,3}", match[1]))
        for first, last in [*re.findall(r"(\d+)\s?[–-]\s?(\d+)", match[1]), (match[1], match[2])]:
            if str(first).isdigit() and last:
                cited |= {str(n) for n in range(int(first), min(int(last), int(first) + 100) + 1)}
    lacking = [label for label in entries if label not in cited]
    say = failed if len(lacking) < len(entries) / 2 else cannot_tell
    for label in lacking:
        place = at(document.path, page=entries[label])
        yield say(CITATIONS, f"the reference [{label}] is never cited", place, _CITE)
    for match in re.finditer(r"(?<=[a-z,.] )\[(\d{1,2})\](?=[\s.,;])", text):
        if match[1] not in entries and match[1] != "0" and int(match[1]) <= len(entries) + 5:
            message = f"[{match[1]}] may be a citation, and the list of references lacks it"
            yield cannot_tell(CITATIONS, message, document.path, "add the entry, or mend the number")


def _by_author(entries: list[tuple[str, str, int]], text: str, document: Document) -> Iterator[Finding]:
    """References by author and year: cited where the first author's name stands in the text."""
    authors = []
    for _, entry, page in entries:
        named = _AUTHOR.match(entry)
        if named and _YEAR.search(entry):
            authors.append((named[1] or named[3], entry, page))
    lacking = [one for one in authors if not _named(one[0], text)]
    listing = " ".join(entry for _, entry, _ in entries)
    others = len(authors) == len(entries) and len(lacking) < len(authors) / 2
    for author, entry, page in lacking:
        # A second time in the list it may stand in a footnote below it.
        say = failed if others and len(_named(author, listing)) == 1 else cannot_tell
        message = f"the reference “{entry[:40]}…” is never cited"
        yield say(CITATIONS, message, at(document.path, page=page), _CITE)


def _named(author: str, text: str) -> list[str]:
    """Where a name stands in a text; a footnote's mark may stand close before it."""
    return re.findall(rf"(?<![^\W\d_]){re.escape(author)}", text)


def cross_references(submission: Submission) -> list[Finding]:
    """No reference in report or notebook is left unresolved.

    Why: good practice, because a reference to “??” leads nowhere.

    Certain: “Figure ??”, “[?]”, “?@fig-errors”, “Error! Reference source not found”.

    Fails: “As Section ?? says”.

    Passes: “Really??”.
    """
    found = []
    remedy = "mend the label, or add what it refers to"
    for name in ("report.qmd", "notebook.qmd"):
        if outline := submission.outline_of(name):
            found += [
                failed(CROSS_REFERENCES, f"nothing is labelled `@{mention.label}`", mention.place, remedy)
                for mention in outline.mentions
                if mention.label not in outline.labels | {chunk.label for chunk in outline.chunks}
            ]
    if found:
        return found
    if not submission.readable:
        return [cannot_tell(CROSS_REFERENCES, "there is no report to read")]
    for path, content in submission.readable:
        for number, page in enumerate(content.pages, start=1):
            for match in _UNRESOLVED.finditer(page.text):
                place = at(path, page=number)
                message = f"unresolved reference `{match[0]}`"
                found.append(failed(CROSS_REFERENCES, message, place, remedy))
    return found or [passed(CROSS_REFERENCES, "every reference in report and notebook resolves")]


def _against_bibliography(submission: Submission, outline: Outline) -> Iterator[Finding]:
    """Keys that no bibliography has, and entries that are never cited."""
    entries = dict(_bibliography(submission))
    for mention in outline.citations:
        if mention.label not in entries:
            message = f"`@{mention.label}` is cited, and no bibliography has it"
            yield failed(CITATIONS, message, mention.place, "mend the key, or add the entry")
    cited = {mention.label for mention in outline.citations}
    for key, place in entries.items():
        if key not in cited:
            yield failed(CITATIONS, f"the reference `{key}` is never cited", place, _CITE)


def _bibliography(submission: Submission) -> Iterator[tuple[str, str]]:
    """Key and place of every entry of the BibTeX files that `_quarto.yml` names."""
    named = submission.config.get("bibliography", [])
    for path in [named] if isinstance(named, str) else named if isinstance(named, list) else []:
        text = submission.text(str(path)) or ""
        for match in _ENTRY.finditer(text):
            yield match[2], str(Place(str(path), text.count("\n", 0, match.start(2)) + 1))
