"""The model store: what was computed once is read from disk, until something that determines it changes.

An entry is one safetensors file, `_store/<digest>.safetensors`: the tensors, and in the file's own header
three texts: `key` and `metadata`, both JSON, and `sha256`, the checksum of key, metadata and tensors. The
file's name is the digest of the key: another key is another file. Nothing is ever unpickled.

An entry that is damaged, truncated or foreign is reported in one line, computed again and replaced. Entries
are written beside their place and moved there, so that several processes may use one store, and any of them
may be killed at any time. Where nothing can be written, one line says so and the work goes on without.

The store stands in the project's folder, or where the environment variable `FNN_STORE` says.
"""

import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from fnn.inputs import environment
from fnn.runs import progress

Key = Mapping[str, Any]  # JSON values only
LEFTOVER_AGE = 3600  # seconds after which an unfinished file belongs to a process that died


class Entry(NamedTuple):
    """What the store keeps under a key."""

    tensors: dict[str, Tensor]
    metadata: dict[str, Any]  # JSON values


class DamagedEntryError(Exception):
    """A file of the store that is not what was written under its key; the message says why."""


def get(key: Key, root: Path | None = None) -> Entry | None:
    """The entry under `key`, tensors on the CPU; None if there is none that is sound."""
    path = entry_path(key, root)
    try:
        return load(path, key)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (DamagedEntryError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        report(f"the stored record {path} cannot be used ({reason}); computing it again")
        return None


def put(
    key: Key, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any], root: Path | None = None
) -> Entry:
    """Store tensors and metadata under `key`; returns the entry as `get` would, stored or not."""
    path = entry_path(key, root)
    entry = Entry({name: _plain(tensor) for name, tensor in tensors.items()}, json.loads(_as_json(metadata)))
    try:
        save(path, key, entry)
    except OSError as error:
        report(f"records cannot be stored in {path.parent} ({error.strerror}); going on without storing them")
    return entry


def entry_path(key: Key, root: Path | None = None) -> Path:
    """Where the entry under `key` is or would be."""
    root = root or environment.store()
    return root / f"{hashlib.sha256(_as_json(key).encode()).hexdigest()}.safetensors"


def save(path: Path, key: Key, entry: Entry) -> None:
    """Write an entry to a file of any name, whole or not at all.

    Raises:
        OSError: if that is impossible.
    """
    header = {"key": _as_json(key), "metadata": _as_json(entry.metadata)}
    header["sha256"] = _checksum(header["key"], header["metadata"], entry.tensors)
    write_whole(path, safetensors.torch.save(entry.tensors, metadata=header))


def load(path: Path, key: Key | None = None) -> Entry:
    """Read what `save` wrote, under `key` if one is given.

    Raises:
        OSError: if the file cannot be read.
        DamagedEntryError: if it is anything else.
    """
    data = path.read_bytes()
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise DamagedEntryError(f"not a sound safetensors file: {error}") from None
    header = _header(data)
    if header["sha256"] != _checksum(header["key"], header["metadata"], tensors):
        raise DamagedEntryError("its checksum does not match")
    if key is not None and header["key"] != _as_json(key):
        raise DamagedEntryError("it belongs to another key")
    return Entry(tensors, json.loads(header["metadata"]))


def key_of(path: Path) -> dict[str, Any]:
    """The key in the header of an entry, whose tensors are not looked at.

    Raises:
        OSError: if the file cannot be read.
        DamagedEntryError: if it is no entry.
    """
    key = json.loads(_header(path.read_bytes())["key"])
    if not isinstance(key, dict):
        raise DamagedEntryError("its key is none of this store")
    return key


def _header(data: bytes) -> dict[str, str]:
    """The texts in the header; layout of safetensors: length of the header, header, tensors."""
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except (ValueError, AttributeError) as error:
        raise DamagedEntryError(f"not a sound safetensors file: {error}") from None
    if not {"key", "metadata", "sha256"} <= header.keys():
        raise DamagedEntryError("not written by this store")
    return {name: str(header[name]) for name in header}


def tensor_digest(*tensors: Tensor) -> str:
    """The SHA-256 of dtypes, shapes and bytes; for a key, and the core of an entry's checksum."""
    data = {str(i): _plain(tensor) for i, tensor in enumerate(tensors)}
    return hashlib.sha256(safetensors.torch.save(data)).hexdigest()


def _plain(tensor: Tensor) -> Tensor:
    """A copy that owns its memory, as safetensors asks for."""
    return tensor.detach().cpu().contiguous().clone()


def _checksum(key: str, metadata: str, tensors: Mapping[str, Tensor]) -> str:
    names = sorted(tensors)
    parts = [key, metadata, *names, tensor_digest(*(tensors[name] for name in names))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write beside `path`, under a name of its own, and move into place: a reader sees all of it or nothing.

    Raises:
        OSError: if that is impossible.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path.parent)
    part = path.with_name(f"{path.stem[:16]}-{uuid.uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk is noticed here, before the move
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _remove_leftovers(folder: Path) -> None:
    for part in folder.glob("*.part"):
        try:
            if time.time() - part.stat().st_mtime > LEFTOVER_AGE:
                part.unlink()
        except FileNotFoundError:
            continue  # another process was faster


def _as_json(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the store keeps JSON values, finite numbers among them: {error}") from None


_reported: set[str] = set()


def report(line: str) -> None:
    """One line per cause: a study of a thousand shards on a full disk says so once."""
    if line not in _reported:
        _reported.add(line)
        progress.say(f"fnn: {line}")
