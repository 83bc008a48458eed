"""The notebook: executed, rendered as a PDF, and every figure that it draws is in the PDF."""

from __future__ import annotations

from handin.reading.python_code import cell_source
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, at, cannot_tell, failed, passed
from handin.rules.floats import draws

NOTEBOOK = "notebook"
SHAPES = 8  # drawn paths that make a drawing: axes alone have as many


def notebook(submission: Submission) -> list[Finding]:
    """A notebook is there, has run, and its PDF holds all its figures; without Jupyter none is asked for."""
    if not submission.notebooks and not submission.notebook_pdfs:
        if submission.is_project:
            return [failed(NOTEBOOK, "there is no notebook PDF", remedy="run `handin render`")]
        return [passed(NOTEBOOK, "no Jupyter notebook, so no PDF of one is asked for")]
    if not submission.notebook_pdfs:
        place = submission.notebooks[0]
        return [
            failed(
                NOTEBOOK, "the notebook is not rendered as a PDF", place, _remedy(submission, "add its PDF")
            )
        ]
    document = submission.notebook
    assert document is not None
    if document.content is None:
        return [
            failed(NOTEBOOK, f"it cannot be read: {document.fault}", document.path, "write the PDF again")
        ]
    if not submission.notebooks:
        if submission.is_project:
            return [
                failed(NOTEBOOK, "there is no executed notebook", "notebook.ipynb", "run `handin render`")
            ]
        return [
            cannot_tell(
                NOTEBOOK, "a notebook's PDF without the notebook", document.path, "add the .ipynb file"
            )
        ]
    found: list[Finding] = []
    drawn = 0
    for path in submission.notebooks:
        held = submission.notebook_json(path)
        if held is None:
            found.append(failed(NOTEBOOK, "it is not a Jupyter notebook", path, "save it again in Jupyter"))
            continue
        cells = [c for c in held["cells"] if isinstance(c, dict) and c.get("cell_type") == "code"]
        if cells and not any(c.get("outputs") or c.get("execution_count") for c in cells):
            found.append(failed(NOTEBOOK, "it was never executed", path, "run all cells and save it"))
        errors = [n for n, c in enumerate(held["cells"], 1) if isinstance(c, dict) and _error(c)]
        if errors:
            place = f"{path}, cell {errors[0]}"
            found.append(failed(NOTEBOOK, "a cell ended in an error", place, "mend it and run all cells"))
        drawn += sum(_pictures(c) for c in cells)
    if found:
        return found
    found.extend(_figures(document, drawn, submission))
    return found or [passed(NOTEBOOK, f"rendered with all its figures ({drawn})", document.path)]


def _figures(document: Document, drawn: int, submission: Submission) -> list[Finding]:
    """Whether the PDF shows as many figures as the notebook draws."""
    assert document.content is not None
    assert document.layout is not None
    layout = document.layout
    figures = [caption for caption in layout.captions if caption.kind == "Figure"]
    pictures = [sum(p.raster or p.shapes >= SHAPES for p in page.pictures) for page in document.content.pages]
    remedy = _remedy(submission, "render the notebook again after running all cells")
    if submission.is_project:
        if len(figures) < drawn:
            return [
                failed(
                    NOTEBOOK,
                    f"the notebook draws {drawn} figures, its PDF has {len(figures)} with a caption",
                    document.path,
                    remedy,
                )
            ]
        for caption in figures:  # a caption below or above its picture, or with it on the next page
            near = pictures[max(caption.page - 2, 0) : caption.page + 1]
            if not any(near):
                return [
                    failed(
                        NOTEBOOK,
                        f"Figure {caption.number} has a caption and no picture",
                        at(document.path, page=caption.page),
                        remedy,
                    )
                ]
        if sum(pictures) < drawn:
            return [
                failed(
                    NOTEBOOK,
                    f"the notebook draws {drawn} figures, its PDF shows {sum(pictures)}",
                    document.path,
                    remedy,
                )
            ]
        return []
    if sum(pictures) >= drawn or len(figures) >= drawn:
        return []
    if not any(pictures):
        return [
            failed(NOTEBOOK, f"the notebook draws {drawn} figures, its PDF shows none", document.path, remedy)
        ]
    return [
        cannot_tell(
            NOTEBOOK,
            f"the notebook draws {drawn} figures, {sum(pictures)} were seen in its PDF",
            document.path,
            remedy,
        )
    ]


def _pictures(cell: dict[str, object]) -> int:
    """How many of a cell's outputs are pictures."""
    outputs = cell.get("outputs")
    return sum(draws({"outputs": [output]}) for output in outputs) if isinstance(outputs, list) else 0


def _error(cell: dict[str, object]) -> bool:
    """Whether a cell ended in an error that its author did not announce."""
    outputs = cell.get("outputs")
    announced = "raises-exception" in str(cell.get("metadata", "")) or "error: true" in cell_source(cell)
    return (
        isinstance(outputs, list)
        and not announced
        and any(isinstance(output, dict) and output.get("output_type") == "error" for output in outputs)
    )


def _remedy(submission: Submission, stranger: str) -> str:
    return "run `handin render`" if submission.is_project else stranger
