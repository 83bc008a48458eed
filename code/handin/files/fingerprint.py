"""What the documents were built from: a hash of every source, and the version of every package.

The renderer takes the fingerprint before it runs the first chunk and writes it into both PDFs (document
information) and the executed notebook (metadata). A document is fresh when the fingerprint in it equals
the one of the files beside it; otherwise the difference names what changed.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import platform
import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

import pypdf
from pydantic import TypeAdapter, ValidationError
from pypdf.generic import DictionaryObject, NameObject, NumberObject, TextStringObject

from handin.files.inventory import sources
from handin.project import Project

KEY = "HandinFingerprint"  # in the PDF's document information
NOTEBOOK_KEY = "handin"  # in the notebook's metadata
DRAFT = "draft"  # among the versions: rendered as a draft, with claims unchecked

# Files that cannot change what the documents say.
_NO_SOURCE = re.compile(
    r"tests/|benchmarks/|docs/|[^/]*\.pdf$|[^/]*\.ipynb$|manifest\.json$|"
    r"(?:.*/)?README[^/]*$|(?:.*/)?\.|LICENSE|Makefile|pyproject\.toml$|constraints\.txt$"
)
# The end of a PDF whose objects are listed in a table, not in a stream.
_TABLE_AT_END = re.compile(rb"trailer(?:(?!endobj).)*startxref\s+(?P<table>\d+)\s+%%EOF\s*\Z", re.DOTALL)
TOOL = "code/handin/"
# Of the tool, what these rooms hold and import counts: they run the chunks and set the pages.
_BUILDING = (f"{TOOL}render/", f"{TOOL}memory/")


@dataclass(frozen=True)
class Fingerprint:
    """Hashes (SHA-256, 16 hexadecimal digits) by path, versions by package; both sorted by name."""

    files: Mapping[str, str]
    versions: Mapping[str, str]

    @property
    def digest(self) -> str:
        """One hash of it all, 16 hexadecimal digits."""
        return _hash(self.as_json().encode())

    def as_json(self) -> str:
        """The same text for the same fingerprint."""
        held = {"files": dict(self.files), "versions": dict(self.versions)}
        return json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    def changes(self, now: Fingerprint) -> list[str]:
        """What is different `now`, in words: changed, new and missing files, then packages.

        Versions are compared where both sides know them.
        """
        found = []
        for name in sorted({*self.files, *now.files}):
            before, after = self.files.get(name), now.files.get(name)
            if before != after:
                what = "is new" if before is None else "is gone" if after is None else "changed"
                found.append(f"{name} {what}")
        if self.versions and now.versions:
            for name in sorted({*self.versions, *now.versions}):
                before, after = self.versions.get(name, "absent"), now.versions.get(name, "absent")
                if before != after:
                    found.append(f"{name} was {before}, is {after}")
        return found


_HELD = TypeAdapter(Fingerprint)


def of(project: Project, environment: Mapping[str, str] = os.environ) -> Fingerprint:
    """The fingerprint of the project on disk and the packages of this environment.

    Args:
        project: What is rendered.
        environment: The variables that it is rendered with; DRAFT=1 marks a draft.

    Raises:
        OSError: A source cannot be read.
    """
    files = {name: path.read_bytes() for name, path in sources(project).files.items()}
    draft = {DRAFT: "1"} if environment.get("DRAFT") == "1" else {}
    return of_files(files, versions(files.get("pyproject.toml", b"")) | draft)


def of_files(files: Mapping[str, bytes], packages: Mapping[str, str]) -> Fingerprint:
    """The fingerprint of a hand-in's files."""
    hashes = {name: _hash(files[name]) for name in sorted(read_by_a_build(files))}
    return Fingerprint(hashes, dict(sorted(packages.items())))


def read_by_a_build(files: Mapping[str, bytes]) -> set[str]:
    """The files of a hand-in that can change what its documents say; of the tool, what rendering imports."""
    found = {name for name in files if not _NO_SOURCE.match(name) and not name.startswith(TOOL)}
    waiting = [name for name in files if name.startswith(_BUILDING)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [path for path in _imported(files[name]) if name.endswith(".py") and path in files]
    return found


@cache
def _imported(code: bytes) -> frozenset[str]:
    """Files in which the modules stand that a module may import, packages included; no others of the tool."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = (module.split(".") for module in modules)
    paths = {"/".join(name[:end]) for name in parts for end in range(1, len(name) + 1)}
    return frozenset(f"code/{path}{suffix}" for path in paths for suffix in (".py", "/__init__.py"))


def versions(pyproject: bytes) -> dict[str, str]:
    """Installed versions of Python (minor) and of what `pyproject.toml` depends on, without local tags."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in dependencies(pyproject):
        try:
            found[name] = metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def dependencies(pyproject: bytes) -> Iterable[str]:
    """Names of the packages that a `pyproject.toml` depends on; none where it says nothing readable."""
    try:
        listed = tomllib.loads(pyproject.decode()).get("project", {}).get("dependencies", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return []
    names = (re.match(r"[A-Za-z0-9._-]+", str(entry)) for entry in listed)
    return [match[0].lower() for match in names if match]


def embed_pdf(data: bytes, fingerprint: Fingerprint) -> bytes:
    """The PDF with the fingerprint in its document information; the same bytes every time.

    It is appended as an incremental update (ISO 32000-1, 7.5.6). PDF/A (ISO 19005-2, 6.1) wants line ends
    around its parts, a table of objects behind a table and the file's identifier in the last trailer; pypdf's
    update has none of these, and serves PDFs with other ends alone.
    """
    reader = pypdf.PdfReader(io.BytesIO(data))
    said: dict[Any, Any] = {NameObject(f"/{KEY}"): TextStringObject(fingerprint.as_json())}
    end = _TABLE_AT_END.search(data)
    if end is None or "/Info" not in reader.trailer:
        writer = pypdf.PdfWriter(reader, incremental=True)
        writer.add_metadata(said)
        written = io.BytesIO()
        writer.write(written)
        return written.getvalue()
    number = reader.trailer.raw_get("/Info").idnum
    information, trailer = io.BytesIO(), io.BytesIO()
    DictionaryObject({**(reader.metadata or {}), **said}).write_to_stream(information)
    kept = {NameObject(key): reader.trailer.raw_get(key) for key in ("/Size", "/Root", "/Info", "/ID")}
    DictionaryObject({**kept, NameObject("/Prev"): NumberObject(end["table"])}).write_to_stream(trailer)
    before = data + b"\n"
    table = before + b"%d 0 obj\n%b\nendobj\n" % (number, information.getvalue())
    return table + b"xref\n%d 1\n%010d 00000 n\r\ntrailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (
        number,
        len(before),
        trailer.getvalue(),
        len(table),
    )


def embed_notebook(notebook: dict[str, Any], fingerprint: Fingerprint) -> None:
    """Writes the fingerprint into the metadata of a notebook (as JSON data, or an nbformat node)."""
    notebook["metadata"][NOTEBOOK_KEY] = json.loads(fingerprint.as_json())


def from_pdf(info: Mapping[str, str]) -> Fingerprint | None:
    """The fingerprint in a PDF's document information, None where there is none."""
    with suppress(ValidationError):
        return _HELD.validate_json(info.get(KEY, ""))
    return None


def from_notebook(notebook: Mapping[str, Any]) -> Fingerprint | None:
    """The fingerprint in a notebook's metadata, None where there is none."""
    held = notebook.get("metadata")
    with suppress(ValidationError):
        return _HELD.validate_python(held.get(NOTEBOOK_KEY) if isinstance(held, Mapping) else None)
    return None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
