"""Makes the PDFs of this folder with the tools that students use. Not needed to run the tests: see README.md.

    python tests/grading/corpus/make.py [NAME ...]

Needs pdflatex, lualatex, xelatex, latex, dvipdfmx and extractbb, bibtex, biber, soffice, chromium, pdftoppm, convert,
qpdf on the path, the packages typst, pypandoc-binary, pillow and matplotlib, and Quarto where QUARTO names its program.
What each PDF truly holds stands in truths.csv, written by hand.
"""

# ruff: noqa: E501 (sources of other languages)
from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
WHO = "Maria Muster (mmuster)"

SENTENCES = """The network has one hidden layer with logistic units.
Its output is linear, so that every real number can be reached.
We train all weights at once and stop when the gradient is small.
Restarting from other weights leads to other results.
With few units the curve cannot follow every wave of the sine.
With many units it can, and the error on the training data falls to that of the noise.
The error on unseen data falls as well, and rises again only slightly.
Each hidden unit adds one smooth step to the curve.
Steps of opposite sign make a bump.
The place of a step is given by its bias, the width by its weight.
Two steps are not enough for two full periods.
Nothing in this argument depends on the optimiser.
The loss is the mean of squared differences.
Its gradient follows by the chain rule.
We write vectors as columns and batches as rows.
A batch is a matrix with one example in each row.
The product of that matrix with the weights gives all outputs at once.
Adding the bias repeats it for each row.
The same code serves a single vector.
We compared the results with automatic differentiation and found no difference beyond rounding.
Some runs end in a flat region where progress is slow.
More restarts make a good result more likely.
The best of ten runs is reported, together with the spread.
One run takes less than a second.""".splitlines()

BIB = """
@book{bishop, author = {Bishop, Christopher M.}, title = {Pattern Recognition and Machine Learning},
  publisher = {Springer}, address = {New York}, year = {2006}}
@article{nguyen, author = {Nguyen, Derrick and Widrow, Bernard}, title = {Improving the learning speed of networks},
  journal = {Neural Networks}, volume = {3}, pages = {21--26}, year = {1990}}
@article{rumelhart, author = {Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.},
  title = {Learning representations by back-propagating errors}, journal = {Nature}, volume = {323},
  pages = {533--536}, year = {1986}}
"""
HAYAGRIVA = """bishop: {type: book, title: Pattern Recognition and Machine Learning, author: "Bishop, Christopher M.", date: 2006}
nguyen: {type: article, title: Improving the learning speed of networks, author: ["Nguyen, Derrick", "Widrow, Bernard"], date: 1990}
rumelhart: {type: article, title: Learning representations, author: ["Rumelhart, David E.", "Hinton, Geoffrey E."], date: 1986}
"""

Make = Callable[[Path, str], None]
DOCUMENTS: dict[str, Make] = {}


def filled(text: str, seed: str) -> str:
    """The text with every ¶N replaced by N sentences, others for other seeds."""
    draw = random.Random(seed)
    return re.sub(r"¶(\d+)", lambda m: " ".join(draw.choice(SENTENCES) for _ in range(int(m[1]))), text)


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        sys.exit(f"{' '.join(command)} in {folder}:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")


def plots(folder: Path) -> None:
    """plot.pdf with text as Matplotlib writes it, plot.png, plot.svg."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for kind in ("pdf", "png", "svg"):
        figure, axes = plt.subplots(figsize=(3.2, 1.7), layout="tight", dpi=60)
        axes.plot([0, 1, 2, 3], [3, 1.2, 0.6, 0.5], "k.-")
        axes.set_xlabel("units")
        figure.savefig(folder / f"plot.{kind}")
        plt.close(figure)
    run(folder, "convert", "plot.png", "-colors", "8", "plot.png")


# ── LaTeX ──

TASKS = r"""
\renewcommand{\thesubsection}{\thesection\alph{subsection}}
"""
TITLE = rf"\title{{Deep Learning, Assignment 1}}\author{{{WHO}}}\date{{}}"
FIGURE = r"""
\begin{figure}[PLACE]\centering\includegraphics[width=.5\columnwidth]{plot.pdf}
\caption{CAPTION}\label{LABEL}\end{figure}
"""
TABLE = r"""
\begin{table}[PLACE]\centering\caption{CAPTION}\label{LABEL}
\begin{tabular}{lrr}\hline units & training & test\\\hline 1 & 0.41 & 0.44\\ 2 & 0.32 & 0.36\\ 10 & 0.01 & 0.02\\\hline
\end{tabular}\end{table}
"""


def figure(label: str, caption: str, place: str = "htbp") -> str:
    return FIGURE.replace("PLACE", place).replace("CAPTION", caption).replace("LABEL", label)


def table(label: str, caption: str, place: str = "htbp") -> str:
    return TABLE.replace("PLACE", place).replace("CAPTION", caption).replace("LABEL", label)


def body(fig: str = r"Figure~\ref{%s}", tab: str = r"Table~\ref{%s}", cite: str = r"\cite{%s}") -> str:
    """Two tasks with two figures, a table and three citations."""
    return rf"""
\section{{Implement an MLP}}
¶4 We follow the usual notation {cite % "bishop"}.
\subsection{{Logistic regression}}
¶6 {fig % "fig:one"} shows how the error falls with the number of units. ¶7
{figure("fig:one", "Error over units. ¶1")}
\subsection{{The class}}
¶9 The errors are listed in {tab % "tab:one"}. ¶8
{table("tab:one", "Errors of the best of ten runs.")}
\section{{Experiment with MLPs}}
¶5
\subsection{{Conjecture}}
¶9 As {cite % "nguyen"} propose, the weights of a unit cover a part of the input. ¶5
\subsection{{Two units}}
¶7 What we see in {fig % "fig:two"} is explained by {cite % "rumelhart"}. ¶9
{figure("fig:two", "The fit with two units, best of ten.")}
"""


PLAIN = r"\bibliographystyle{%s}\bibliography{sources}"


def latex(
    preamble: str, text: str, *, engine: str = "pdflatex", bib: str = "bibtex", dvi: bool = False
) -> Make:
    """A document of LaTeX: preamble, text, and the programs that typeset it."""

    def make(folder: Path, name: str) -> None:
        source = f"{preamble}\n\\usepackage{{graphicx}}\n\\begin{{document}}\n{text}\n\\end{{document}}\n"
        (folder / "paper.tex").write_text(filled(source, name))
        (folder / "sources.bib").write_text(BIB)
        if dvi:
            run(folder, "extractbb", "plot.png")
        typeset = [engine, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        run(folder, *typeset)
        if bib:
            run(folder, bib, "paper")
        for _ in range(3):
            run(folder, *typeset)
        if dvi:
            run(folder, "dvipdfmx", "paper.dvi")

    return make


ARTICLE = r"\documentclass[a4paper]{article}\usepackage{mathptmx}" + TASKS
HYPER = r"\usepackage{hyperref}"
MAKETITLE = TITLE + r"\maketitle "

DOCUMENTS["latex-article"] = latex(ARTICLE + HYPER, MAKETITLE + body() + PLAIN % "plain")
DOCUMENTS["latex-natbib"] = latex(
    ARTICLE + r"\usepackage[round]{natbib}", MAKETITLE + body(cite=r"\citet{%s}") + PLAIN % "plainnat"
)
DOCUMENTS["latex-natbib-parenthesised"] = latex(
    ARTICLE + r"\usepackage[authoryear]{natbib}" + HYPER,
    MAKETITLE + body(cite=r"\citep{%s}", fig=r"Fig.~\ref{%s}") + PLAIN % "abbrvnat",
)
DOCUMENTS["latex-superscript"] = latex(
    ARTICLE + r"\usepackage[super,comma]{natbib}", MAKETITLE + body() + PLAIN % "unsrtnat"
)
DOCUMENTS["latex-koma-german"] = latex(
    r"\documentclass[a4paper]{scrartcl}\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\usepackage[ngerman]{babel}"
    r"\usepackage{csquotes}\usepackage[style=numeric,backend=biber]{biblatex}\addbibresource{sources.bib}"
    + TASKS,
    MAKETITLE + body(fig=r"Abb.~\ref{%s}", tab=r"Tabelle~\ref{%s}") + r"\printbibliography",
    bib="biber",
)
DOCUMENTS["latex-koma-german-long-words"] = latex(
    r"\documentclass[a4paper,11pt]{scrartcl}\usepackage[ngerman]{babel}\usepackage{csquotes}"
    r"\usepackage[style=authoryear,backend=biber]{biblatex}\addbibresource{sources.bib}" + TASKS + HYPER,
    MAKETITLE
    + body(fig=r"Abbildung~\ref{%s}", tab=r"Tab.~\ref{%s}", cite=r"\textcite{%s}")
    + r"\printbibliography[title=Literaturverzeichnis]",
    engine="lualatex",
    bib="biber",
)
DOCUMENTS["latex-biblatex-bibliography"] = latex(
    r"\documentclass[a4paper]{scrartcl}\usepackage[english]{babel}\usepackage{csquotes}"
    r"\usepackage[style=authoryear-comp,backend=biber]{biblatex}\addbibresource{sources.bib}" + TASKS,
    MAKETITLE + body(cite=r"\parencite{%s}") + r"\printbibliography[title=Bibliography]",
    engine="lualatex",
    bib="biber",
)
DOCUMENTS["latex-alphabetic"] = latex(
    ARTICLE
    + r"\usepackage{csquotes}\usepackage[style=alphabetic,backend=biber]{biblatex}\addbibresource{sources.bib}",
    MAKETITLE + body() + r"\printbibliography",
    bib="biber",
)
DOCUMENTS["latex-twocolumn"] = latex(
    r"\documentclass[twocolumn]{article}" + TASKS + HYPER,
    MAKETITLE
    + body(fig=r"Fig.~\ref{%s}")
    + r"¶12 \begin{figure*}[t]\centering\includegraphics[width=.4\textwidth]{plot.pdf}\includegraphics[width=.4\textwidth]{plot.png}"
    + r"\caption{Two plots side by side over both columns. ¶2}\label{fig:wide}\end{figure*} As Fig.~\ref{fig:wide} says, ¶9 "
    + PLAIN % "plain",
)
DOCUMENTS["latex-ieee"] = latex(
    r"\documentclass{IEEEtran}\renewcommand{\thesection}{\arabic{section}}"
    r"\renewcommand{\thesubsection}{\thesection\alph{subsection}}"
    r"\renewcommand{\thesectiondis}{\thesection}\renewcommand{\thesubsectiondis}{\thesubsection}",
    MAKETITLE + body(fig=r"Fig.~\ref{%s}") + PLAIN % "IEEEtran",
)
DOCUMENTS["latex-llncs"] = latex(
    r"\documentclass{llncs}\setcounter{secnumdepth}{2}" + TASKS,
    TITLE
    + rf"\institute{{University of Mannheim}}\maketitle {body(fig='Fig.~' + chr(92) + 'ref{%s}')}"
    + PLAIN % "splncs04",
)
DOCUMENTS["latex-revtex"] = latex(
    r"\documentclass[aps,reprint]{revtex4-2}\renewcommand{\thesection}{\arabic{section}}"
    r"\renewcommand{\thesubsection}{\thesection\alph{subsection}}\makeatletter\def\p@subsection{}\makeatother",
    rf"\title{{Deep Learning, Assignment 1}}\author{{{WHO}}}\maketitle "
    + body(fig=r"FIG.~\ref{%s}", tab=r"TABLE~\ref{%s}")
    + r"\bibliography{sources}",
)
DOCUMENTS["latex-ams"] = latex(
    r"\documentclass{amsart}" + TASKS + HYPER, MAKETITLE + body() + PLAIN % "amsplain"
)
LONG = (
    TITLE
    + r"""\maketitle\tableofcontents\listoffigures\listoftables
\chapter{Implement an MLP} ¶14
\section{Logistic regression} ¶14\footnote{See also Figure 5.1 of \cite{bishop}.} Figure~\ref{fig:one} shows it. ¶14
"""
    + figure("fig:one", "Error over units.")
    + r""" ¶14
\section{The class} ¶14 Table~\ref{tab:one} lists them.\footnote{¶2} ¶14 """
    + table("tab:one", "Errors of all runs.")
    + r"""
\chapter{Experiment with MLPs} ¶10
\section{Conjecture} ¶14 Figures~\ref{fig:two} and~\ref{fig:three} are what \cite{nguyen} expect. ¶14
"""
    + figure("fig:two", "Two units.")
    + figure("fig:three", "Three units.")
    + r"""
\section{Two units} ¶14 \cite{rumelhart}
\appendix\chapter{Derivations} ¶14 The first step is drawn in Figure~\ref{fig:a}. """
    + figure("fig:a", "A step.")
)
DOCUMENTS["latex-report-with-contents"] = latex(
    r"\documentclass[a4paper,oneside,openany]{report}\renewcommand{\thesection}{\thechapter\alph{section}}"
    + HYPER,
    LONG + PLAIN % "plain",
)
DOCUMENTS["latex-koma-report"] = latex(
    r"\documentclass[a4paper,oneside,open=any]{scrreprt}\renewcommand{\thesection}{\thechapter\alph{section}}",
    LONG.replace(r"\appendix", PLAIN % "alpha" + r"\appendix"),
)
MANY = (
    r"""
\section{Implement an MLP} ¶6
\subsection{Logistic regression} ¶4 We compare Figures~\ref{f1}--\ref{f3}, of which figures~\ref{f2}(a), \ref{f2}(b)
show the two parts; figures \ref{f3}, \ref{f4} and~\ref{f5} come later. ¶5
"""
    + figure("f1", "One unit.")
    + r"""
\begin{figure}[htbp]\centering\begin{subfigure}{.4\textwidth}\includegraphics[width=\textwidth]{plot.pdf}\caption{training}\end{subfigure}
\begin{subfigure}{.4\textwidth}\includegraphics[width=\textwidth]{plot.png}\caption{test}\end{subfigure}
\caption{Errors on both sets.}\label{f2}\end{figure}
"""
    + figure("f3", "Three units.")
    + r"""
\subsection{The class} ¶9
\section{Experiment with MLPs} ¶4 \subsection{Conjecture} ¶5 """
    + figure("f4", "Four units.")
    + figure("f5", "Five.")
    + r"""
\subsection{Two units} ¶9 Here [0, 1] is an interval, train1([10]) a call, and Figure 5.1 of Bishop's book another's. ¶3
"""
)
DOCUMENTS["latex-subfigures"] = latex(
    ARTICLE + r"\usepackage{caption,subcaption}" + HYPER, MAKETITLE + MANY, bib=""
)
DOCUMENTS["latex-cleveref"] = latex(
    r"\documentclass[a4paper]{article}\usepackage{fontspec}\setmainfont{DejaVu Serif}"
    + TASKS
    + r"\usepackage{hyperref,caption,subcaption,cleveref}",
    MAKETITLE
    + MANY.replace(r"Figures~\ref{f1}--\ref{f3}", r"\cref{f1,f2,f3}").replace(
        r"figures \ref{f3}, \ref{f4} and~\ref{f5}", r"\cref{f3,f5} and \cref{f4}"
    ),
    engine="xelatex",
    bib="",
)
DOCUMENTS["latex-dash-captions"] = latex(
    ARTICLE + r"\usepackage[labelsep=endash,labelfont=bf,font=small]{caption}",
    MAKETITLE + body() + PLAIN % "unsrt",
)
DOCUMENTS["latex-space-captions"] = latex(
    ARTICLE + r"\usepackage[labelsep=quad,labelfont=bf]{caption}", MAKETITLE + body() + PLAIN % "unsrt"
)
DOCUMENTS["latex-appendix-first"] = latex(
    ARTICLE + HYPER + r"\usepackage{chngcntr}",
    MAKETITLE
    + body()
    + r"\appendix\counterwithin{figure}{section}\section{Derivations} ¶20 See Figure~\ref{fig:a}. ¶9 "
    + figure("fig:a", "A step.")
    + r" \section{More runs} ¶30 "
    + PLAIN % "plain",
)
DOCUMENTS["latex-decimal-headings"] = latex(
    r"\documentclass{article}" + HYPER,
    MAKETITLE
    + body()
    .replace("{Logistic regression}", "{a)}")
    .replace("{The class}", "{b)}")
    .replace("{Conjecture}", "{a)}")
    .replace("{Two units}", "{b)}")
    + PLAIN % "plain",
)
DOCUMENTS["latex-task-headings"] = latex(
    r"\documentclass{article}",
    MAKETITLE
    + body()
    .replace(r"\section{Impl", r"\section*{Task 1: Impl")
    .replace(r"\section{Exp", r"\section*{Task 2: Exp")
    .replace(r"\subsection{Log", r"\subsection*{a) Log")
    .replace(r"\subsection{The", r"\subsection*{b) The")
    .replace(r"\subsection{Conj", r"\subsection*{a) Conj")
    .replace(r"\subsection{Two", r"\subsection*{b) Two")
    + PLAIN % "plain",
)
DOCUMENTS["latex-dvipdfmx"] = latex(
    r"\documentclass{article}\PassOptionsToPackage{dvipdfmx}{graphicx}" + TASKS,
    MAKETITLE + body().replace("plot.pdf", "plot.png") + PLAIN % "plain",
    engine="latex",
    dvi=True,
)
DOCUMENTS["latex-numbered-references"] = latex(
    ARTICLE + HYPER,
    MAKETITLE
    + body()
    + r"\section{References}\begingroup\renewcommand{\section}[2]{}"
    + PLAIN % "plain"
    + r"\endgroup",
)
DOCUMENTS["latex-side-by-side"] = latex(
    ARTICLE,
    MAKETITLE
    + body().replace(
        r"\subsection{The class}",
        r"""\begin{figure}[htbp]
\begin{minipage}{.48\textwidth}\centering\includegraphics[width=.9\textwidth]{plot.pdf}\caption{Errors of one unit. ¶1}\label{l}\end{minipage}\hfill
\begin{minipage}{.48\textwidth}\centering\includegraphics[width=.9\textwidth]{plot.pdf}\caption{Errors of ten units. ¶1}\label{r}\end{minipage}
\end{figure} Figures~\ref{l} and~\ref{r} stand side by side. \subsection{The class}""",
    )
    + PLAIN % "plain",
)
DOCUMENTS["latex-double-spaced"] = latex(
    r"\documentclass[12pt,letterpaper]{article}\usepackage{setspace,mathptmx}\doublespacing" + TASKS,
    MAKETITLE + body() + PLAIN % "apalike",
)

# ── Word and Writer, by way of Pandoc and LibreOffice ──

MARKDOWN = f"""---
title: Deep Learning, Assignment 1
author: {WHO}
bibliography: sources.bib
---

# 1 Implement an MLP

¶5 We follow @bishop.

## 1a Logistic regression

¶7 Figure 1 shows how the error falls. ¶7

![Error over units. ¶1](plot.png)

## 1b The class

¶9 The errors are listed in Table 1. ¶5

| units | training | test |
|-------|----------|------|
| 1     | 0.41     | 0.44 |
| 2     | 0.32     | 0.36 |

: Errors of the best of ten runs.

# 2 Experiment with MLPs

¶6

## 2a Conjecture

¶9 As proposed before [@nguyen], ¶5

## 2b Two units

¶8 What we see in Figure 2 is explained elsewhere [@rumelhart]. ¶8

![The fit with two units.](plot.png)

# References
"""


def pandoc(folder: Path, text: str, target: str, *options: str) -> None:
    import pypandoc

    (folder / "sources.bib").write_text(BIB)
    (folder / "paper.md").write_text(text)
    run(folder, pypandoc.get_pandoc_path(), "paper.md", "--citeproc", *options, "-o", target)


def office(folder: Path, source: str) -> None:
    home = (folder / "home").as_uri()
    run(folder, "soffice", f"-env:UserInstallation={home}", "--headless", "--convert-to", "pdf", source)


def written(kind: str, text: str, *options: str) -> Make:
    """A document of a word processor: Markdown → docx or odt → LibreOffice."""

    def make(folder: Path, name: str) -> None:
        pandoc(folder, filled(text, name), f"paper.{kind}", *options)
        office(folder, f"paper.{kind}")

    return make


GERMAN = (
    MARKDOWN.replace("---\n\n# 1", "lang: de\n---\n\n# 1", 1)
    .replace("Figure 1 shows", "Abb. 1 shows")
    .replace("in Figure 2", "in Abbildung 2")
    .replace("in Table 1", "in Tabelle 1")
    .replace("# References", "# Literaturverzeichnis")
    .replace("![Error", "![Abb. 1: Error")
    .replace("![The fit", "![Abb. 2: The fit")
    .replace(": Errors of", ": Tabelle 1: Errors of")
)
DOCUMENTS["word-native-numbers"] = written("docx", MARKDOWN, "-t", "docx+native_numbering")
DOCUMENTS["word-german-captions"] = written("docx", GERMAN)
DOCUMENTS["word-contents"] = written("docx", MARKDOWN, "-t", "docx+native_numbering", "--toc")
DOCUMENTS["word-chapter-figures"] = written(
    "docx",
    MARKDOWN.replace("Figure 1 shows", "Figure 1.1 shows")
    .replace("in Figure 2", "in Figure 2.1")
    .replace("![Error", "![Figure 1.1 Error")
    .replace("![The fit", "![Figure 2.1 The fit")
    .replace("in Table 1", "in Table 1.1")
    .replace(": Errors of", ": Table 1.1 Errors of")
    .replace("# References", "# Works cited"),
)
DOCUMENTS["writer-native-numbers"] = written("odt", MARKDOWN, "-t", "odt+native_numbering")
DOCUMENTS["writer-dash-captions"] = written(
    "odt",
    MARKDOWN.replace("Figure 1 shows", "Fig. 1 shows")
    .replace("in Figure 2", "in fig. 2")
    .replace("![Error", "![Fig. 1 – Error")
    .replace("![The fit", "![Fig. 2 – The fit")
    .replace(": Errors of", ": Table 1 – Errors of")
    .replace("# References", "# 7 References"),
)

HTML = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Assignment 1</title>
<style>body {{font-family: "Liberation Sans"; font-size: 11pt}} figcaption {{font-size: 9pt}}</style>
<h1>Deep Learning, Assignment 1</h1><p>{WHO}</p>
<h2>1 Implement an MLP</h2><p>¶5 We follow the usual notation [1].</p>
<h3>1 a) Logistic regression</h3><p>¶7 Figure 1 shows how the error falls. ¶7</p>
<figure><img src="plot.png"><figcaption>Figure 1. Error over units. ¶1</figcaption></figure>
<h3>1 b) The class</h3><p>¶9</p><h2>2 Experiment with MLPs</h2><p>¶5</p>
<h3>2 a) Conjecture</h3><p>¶9 As proposed before [2], ¶5</p>
<h3>2 b) Two units</h3><p>¶7 What we see in Figure 2 is explained elsewhere [2, 3]. ¶7</p>
<figure><img src="plot.png"><figcaption>Figure 2. The fit with two units.</figcaption></figure>
<h2>References</h2>
<p>[1] C. Bishop. Pattern Recognition and Machine Learning. Springer, 2006.</p>
<p>[2] D. Nguyen and B. Widrow. Improving the learning speed of networks. 1990.</p>
<p>[3] D. Rumelhart, G. Hinton and R. Williams. Learning representations. Nature, 1986.</p>
"""


def browser(text: str) -> Make:
    def make(folder: Path, name: str) -> None:
        (folder / "paper.html").write_text(filled(text, name))
        run(
            folder,
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            "--disable-background-networking",
            "--print-to-pdf=paper.pdf",
            "paper.html",
        )

    return make


def web_office(text: str) -> Make:
    def make(folder: Path, name: str) -> None:
        (folder / "paper.html").write_text(filled(text, name))
        run(
            folder,
            "soffice",
            f"-env:UserInstallation={(folder / 'home').as_uri()}",
            "--headless",
            "--convert-to",
            "odt",
            "--infilter=HTML (StarWriter)",
            "paper.html",
        )
        office(folder, "paper.odt")

    return make


DOCUMENTS["browser-print"] = browser(HTML)
DOCUMENTS["writer-list-of-numbers"] = web_office(
    re.sub(r"<p>\[(\d)\] ", r"<p>\1. ", HTML)
    .replace("Figure 1.", "Figure 1:")
    .replace("Figure 2.", "Figure 2:")
)

# ── Typst ──

TYPST_HEAD = f"""#set page("a4", numbering: "1")
#set text(size: 10pt)
#set heading(numbering: "1a")
#align(center, text(15pt)[Deep Learning, Assignment 1 \\ {WHO}])
"""
TYPST = """
= Implement an MLP
¶5 We follow @bishop.
== Logistic regression
¶6 @one shows how the error falls. ¶8
#figure(image("plot.svg", width: 60%), caption: [Error over units. ¶1]) <one>
== The class
¶9 The errors are listed in @errors. ¶6
#figure(table(columns: 2, [units], [error], [1], [0.41], [2], [0.32]), caption: [Errors of the best of ten runs.]) <errors>
= Experiment with MLPs
¶5
== Conjecture
¶9 As proposed before @nguyen, ¶5
== Two units
¶7 What we see in @two is explained by @rumelhart. ¶8
#figure(image("plot.svg", width: 60%), caption: [The fit with two units.]) <two>
"""


def typst(text: str) -> Make:
    def make(folder: Path, name: str) -> None:
        import typst as program

        (folder / "sources.yml").write_text(HAYAGRIVA)
        (folder / "paper.typ").write_text(filled(text, name))
        (folder / "paper.pdf").write_bytes(bytes(program.compile(folder / "paper.typ")))

    return make


DOCUMENTS["typst-plain"] = typst(TYPST_HEAD + TYPST + '#bibliography("sources.yml")')
DOCUMENTS["typst-german"] = typst(
    '#set text(lang: "de")\n'
    + TYPST_HEAD
    + TYPST
    + '#bibliography("sources.yml", style: "apa", title: [Literatur])'
)
DOCUMENTS["typst-two-columns"] = typst(
    "#set page(columns: 2)\n#set par(justify: true)\n#show figure.where(kind: image): set figure(supplement: [Fig.])\n"
    + TYPST_HEAD
    + TYPST
    + '#bibliography("sources.yml", style: "ieee")'
)
DOCUMENTS["typst-chapter-figures"] = typst(
    '#set figure(numbering: n => numbering("1.1", counter(heading).get().first(), n))\n#set figure.caption(separator: [. ])\n'
    "#show heading.where(level: 1): it => { counter(figure.where(kind: image)).update(0); it }\n"
    + TYPST_HEAD
    + TYPST
    + '#bibliography("sources.yml", style: "chicago-author-date", title: [Works cited])'
)

# ── Quarto, a scanner ──

QUARTO = f"""---
title: Deep Learning, Assignment 1
author: {WHO}
bibliography: sources.bib
format:
  pdf: {{number-sections: false, documentclass: DOCUMENTCLASS}}
---
""" + (
    MARKDOWN.split("---\n", 2)[2]
    .replace("Figure 1 shows", "@fig-one shows")
    .replace("in Figure 2", "in @fig-two")
    .replace("in Table 1", "in @tbl-one")
    .replace("plot.png)", "plot.png){#fig-one}", 1)
    .replace("units.](plot.png)", "units.](plot.png){#fig-two}")
    .replace("ten runs.", "ten runs. {#tbl-one}")
)


def quarto(text: str) -> Make:
    def make(folder: Path, name: str) -> None:
        (folder / "sources.bib").write_text(BIB)
        (folder / "paper.qmd").write_text(filled(text, name))
        run(folder, os.environ.get("QUARTO", "quarto"), "render", "paper.qmd", "--to", "pdf")

    return make


DOCUMENTS["quarto-koma"] = quarto(QUARTO.replace("DOCUMENTCLASS", "scrartcl"))
DOCUMENTS["quarto-article"] = quarto(QUARTO.replace("DOCUMENTCLASS", "article"))


def scanned(folder: Path, name: str) -> None:
    """The pages as a scanner sees them: pictures, no text."""
    DOCUMENTS["latex-article"](folder, name)
    from PIL import Image

    run(folder, "pdftoppm", "-r", "60", "-mono", "paper.pdf", "scan")
    pages = [Image.open(path).rotate(0.4, fillcolor=1) for path in sorted(folder.glob("scan*.pbm"))]
    pages[0].save(folder / "paper.pdf", save_all=True, append_images=pages[1:], resolution=60)


DOCUMENTS["scanned"] = scanned

# ── one fault each ──


def without(text: str, *pieces: str) -> str:
    for piece in pieces:
        assert piece in text, piece
        text = text.replace(piece, "")
    return text


def swapped(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


DOCUMENTS["fault-figure-never-mentioned"] = latex(
    ARTICLE + HYPER, MAKETITLE + swapped(body(), r"in Figure~\ref{fig:two}", "there") + PLAIN % "plain"
)
DOCUMENTS["fault-mention-of-nothing"] = latex(
    ARTICLE + HYPER,
    MAKETITLE
    + swapped(body(), r"in Figure~\ref{fig:two}", r"in Figures~\ref{fig:two} and~7")
    + PLAIN % "plain",
)
DOCUMENTS["fault-no-caption"] = latex(
    ARTICLE,
    MAKETITLE
    + without(
        swapped(body(), r"What we see in Figure~\ref{fig:two}", "What we see"),
        r"\caption{The fit with two units, best of ten.}\label{fig:two}",
    )
    + PLAIN % "plain",
)
DOCUMENTS["fault-two-captions-of-one-number"] = written(
    "docx", swapped(GERMAN, "Abb. 2: The fit", "Abb. 1: The fit").replace("in Abbildung 2", "in Abbildung 1")
)
DOCUMENTS["fault-section-missing"] = latex(
    ARTICLE + HYPER, MAKETITLE + without(body(), r"\subsection{The class}") + PLAIN % "plain"
)
DOCUMENTS["fault-sections-out-of-order"] = latex(
    ARTICLE + HYPER,
    MAKETITLE
    + swapped(
        swapped(body(), r"\subsection{Logistic", r"\setcounter{subsection}{1}\subsection{Logistic"),
        r"\subsection{The class",
        r"\setcounter{subsection}{0}\subsection{The class",
    )
    + PLAIN % "plain",
)
DOCUMENTS["fault-twelve-pages"] = latex(
    ARTICLE + HYPER,
    MAKETITLE
    + swapped(body(), r"\subsection{Conjecture}", r"\subsection{Conjecture} ¶800")
    + PLAIN % "plain",
)
DOCUMENTS["fault-citation-without-entry"] = latex(
    ARTICLE,
    MAKETITLE
    + swapped(body(), r"explained by \cite{rumelhart}", r"explained by \cite{rumelhart} and [4]")
    + PLAIN % "plain",
)
DOCUMENTS["fault-entry-never-cited"] = typst(
    TYPST_HEAD
    + swapped(TYPST, "explained by @rumelhart", "explained elsewhere")
    + '#bibliography("sources.yml", full: true)'
)
DOCUMENTS["fault-author-never-cited"] = latex(
    ARTICLE + r"\usepackage{natbib}",
    MAKETITLE
    + swapped(
        body(cite=r"\citet{%s}"), r"explained by \citet{rumelhart}", r"explained elsewhere\nocite{rumelhart}"
    )
    + PLAIN % "plainnat",
)
DOCUMENTS["fault-unresolved-reference"] = latex(
    ARTICLE,
    MAKETITLE
    + swapped(body(), r"What we see in", r"As Section~\ref{sec:lost} says, what we see in")
    + PLAIN % "plain",
)
DOCUMENTS["fault-no-login"] = browser(without(HTML, f"<p>{WHO}</p>"))
DOCUMENTS["fault-notebook-as-report"] = latex(
    r"\documentclass{article}\setcounter{secnumdepth}{0}",
    MAKETITLE
    + r"\section{Task 1: Implement an MLP}"
    + "".join(
        r"\begin{verbatim}"
        + f"\n[{n}]: import torch\n     mlp{n} = MLP([1, {n}, 1])\n     print(mlp{n}(X1test))\n"
        + r"\end{verbatim} ¶2 "
        for n in range(1, 14)
    ),
    bib="",
)


def main(names: list[str]) -> None:
    for name in names or DOCUMENTS:
        with tempfile.TemporaryDirectory() as held:
            folder = Path(held)
            plots(folder)
            DOCUMENTS[name](folder, name)
            run(
                folder,
                "qpdf",
                "--object-streams=generate",
                "--compress-streams=y",
                "--recompress-flate",
                "--compression-level=9",
                "paper.pdf",
                "small.pdf",
            )
            shutil.copy(folder / "small.pdf", HERE / f"{name}.pdf")
        print(f"{name}.pdf: {(HERE / f'{name}.pdf').stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
