"""Citations and cross-references: each leads somewhere."""

from __future__ import annotations

import re

from handin.errors import HandinError
from handin.qmd.places import keys
from handin.qmd.source import merged, on_disk, read_alone
from handin.reading.bibliography import entries
from handin.reading.submission import REPORT, Submission
from handin.rules.finding import Finding, cannot_tell, failed, noted, passed

# What Quarto numbers beside figures and tables: theorems and their kin, callouts.
_QUARTOS = re.compile(r"(thm|lem|cor|prp|cnj|def|exm|exr|sol|rem|alg|tip|nte|wrn|imp|cau)-")


def references(submission: Submission) -> list[Finding]:
    """Every citation has an entry in the bibliography, and nothing that is referred to is missing.

    Why: "include references if you used additional sources or material"; "follows standard scientific
    practice (e.g. when using images, tables or citations)"; "refer to figure labels in your write-up".
    Fails: `[@bishop2007]` and an entry `bishop2006`; `@fig-lost`, and no figure with that label.
    Passes: `@fig-errors`, and a chunk with `#| label: fig-errors`; an entry that is not cited, which stands
    in no list of references, is a note.
    """
    project, report = submission.project, submission.outlines[REPORT]
    if report is None:
        return [cannot_tell("the report's sources cannot be read")]
    outlines = [*filter(None, submission.outlines.values())]
    source = read_alone(on_disk(project.root), f"{REPORT}.qmd")
    metadata = merged(project.metadata, source.metadata)
    listed = str(metadata.get("nocite", ""))
    try:
        known = entries(metadata.get("bibliography"), project.root)
    except HandinError as error:
        return [cannot_tell(error.problem, str(error.place or ""), error.remedy)]
    found = [
        failed(f"nothing is labelled `@{one.label}`", one.place, "mend the label, or add what it refers to")
        for outline in outlines
        for one in outline.mentions
        if one.label not in outline.labels | {chunk.label for chunk in outline.chunks}
    ]
    found += [
        failed(f"no bibliography has `@{one.label}`", one.place, "mend the key, or add the entry")
        for one in report.citations
        if one.label not in known and not _QUARTOS.match(one.label)
    ]
    cited = {one.label for outline in outlines for one in outline.citations}
    if uncited := [key for key in known if key not in [*cited, *keys(listed)] and "@*" not in listed]:
        remedy = "cite them where they are used, or remove them"
        found.append(noted(f"never cited: {', '.join(uncited)}", str(known[uncited[0]]), remedy))
    return list(dict.fromkeys(found)) or [
        passed(f"{len(cited)} sources cited; every reference leads somewhere")
    ]
