"""Citations and cross-references: each leads somewhere."""

from __future__ import annotations

import re

from handin.errors import HandinError
from handin.qmd.outline import keys
from handin.qmd.source import merged, on_disk, read_alone
from handin.reading.bibliography import entries
from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, cannot_tell, failed, noted, passed

CITATIONS = "citations"
CROSS_REFERENCES = "cross-references"
# What Quarto numbers beside figures and tables: theorems and their kin, callouts.
_QUARTOS = re.compile(r"(thm|lem|cor|prp|cnj|def|exm|exr|sol|rem|alg|tip|nte|wrn|imp|cau)-")


def citations(submission: Submission) -> list[Finding]:
    """Every citation has an entry in the bibliography.

    Why: "include references if you used additional sources or material"; "follows standard scientific
    practice (e.g. when using images, tables or citations)".

    Fails: `[@bishop2007]` and an entry `bishop2006`.

    Passes: an entry that is not cited, which stands in no list of references; it is a note.
    """
    outline = submission.outline(REPORT)
    if outline is None:
        return [cannot_tell(CITATIONS, "the report's sources cannot be read")]
    project = submission.project
    source = read_alone(on_disk(project.root), f"{REPORT}.qmd")
    metadata = merged(project.metadata, source.metadata)
    named, listed = metadata.get("bibliography", []), str(metadata.get("nocite", ""))
    try:
        known = entries([named] if isinstance(named, str) else named, project.root)
    except HandinError as error:
        return [cannot_tell(CITATIONS, error.problem, str(error.place or ""), error.remedy)]
    found = [
        failed(
            CITATIONS,
            f"`@{mention.label}` is cited, and no bibliography has it",
            mention.place,
            "mend the key, or add the entry",
        )
        for mention in outline.citations
        if mention.label not in known and not _QUARTOS.match(mention.label)
    ]
    outlines = [outline, submission.outline(NOTEBOOK)]
    cited = {mention.label for one in outlines if one for mention in one.citations}
    if uncited := [key for key in known if key not in cited | keys(listed) and "@*" not in listed]:
        message = f"never cited: {', '.join(uncited)}"
        place, remedy = str(known[uncited[0]]), "cite them where they are used, or remove them"
        found.append(noted(CITATIONS, message, place, remedy))
    return found or [passed(CITATIONS, f"{len(cited)} sources cited, each with an entry")]


def cross_references(submission: Submission) -> list[Finding]:
    """No cross-reference in report or notebook is left unresolved.

    Why: good practice, because a reference to nothing helps nobody.

    Fails: `@fig-lost`, and no figure with that label.

    Passes: `@fig-errors`, and a chunk with `#| label: fig-errors`.
    """
    if submission.outline(REPORT) is None:
        return [cannot_tell(CROSS_REFERENCES, "the report's sources cannot be read")]
    outlines = [outline for name in (REPORT, NOTEBOOK) if (outline := submission.outline(name))]
    found = [
        failed(
            CROSS_REFERENCES,
            f"nothing is labelled `@{mention.label}`",
            mention.place,
            "mend the label, or add what it refers to",
        )
        for outline in outlines
        for mention in outline.mentions
        if mention.label not in outline.labels | {chunk.label for chunk in outline.chunks}
    ]
    return list(dict.fromkeys(found)) or [passed(CROSS_REFERENCES, "every reference leads somewhere")]
