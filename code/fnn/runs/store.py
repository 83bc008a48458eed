"""The model store: what was computed once is read from disk, until something that determines it changes.

An entry is one safetensors file, `_store/<digest>.safetensors`: the tensors, and in the file's header `key`
and `metadata`, both JSON, and `sha256`, the checksum of the two and the tensors. The file's name is the
digest of the key: another key is another file. Nothing is ever unpickled.

An entry that is damaged, truncated or foreign is warned of, computed again and replaced. Entries are written
beside their place and moved there, so that several processes may use one store, and any of them may be killed
at any time. Where nothing can be written, a warning says so and the work goes on without.

The store stands in the project's folder, or where the environment variable `FNN_STORE` says.
"""

import hashlib
import json
import os
import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
from torch import Tensor

from fnn.inputs import environment

Key = Mapping[str, Any]  # JSON values only


class Entry(NamedTuple):
    """What the store keeps under a key."""

    tensors: dict[str, Tensor]
    metadata: dict[str, Any]  # JSON values


class DamagedEntryError(Exception):
    """A file of the store that is not what was written under its key; the message says why."""


def get(key: Key) -> Entry | None:
    """The entry under `key`, tensors on the CPU; None if there is none that is sound."""
    path = entry_path(key)
    try:
        return _read(path, key)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (DamagedEntryError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        _warn(f"the stored record {path} cannot be used ({reason}); computing it again")
        return None


def put(key: Key, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> Entry:
    """Store tensors and metadata under `key`; returns the entry as `get` would, stored or not.

    Raises:
        ValueError: if key or metadata is not JSON.
    """
    path = entry_path(key)
    owned = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    header = {"key": _as_json(key), "metadata": _as_json(metadata)}
    header["sha256"] = _checksum(header, owned)
    try:
        _write_whole(path, safetensors.torch.save(owned, metadata=header))
    except OSError as error:
        _warn(f"records cannot be stored in {path.parent} ({error.strerror}); going on without storing them")
    return Entry(owned, json.loads(header["metadata"]))


def entry_path(key: Key) -> Path:
    """Where the entry under `key` is or would be."""
    return environment.store() / f"{hashlib.sha256(_as_json(key).encode()).hexdigest()}.safetensors"


def tensor_digest(*tensors: Tensor) -> str:
    """The SHA-256 of dtypes, shapes and bytes, for a key."""
    named = {str(i): tensor.cpu().contiguous().clone() for i, tensor in enumerate(tensors)}
    return hashlib.sha256(safetensors.torch.save(named)).hexdigest()


def _read(path: Path, key: Key) -> Entry:
    data = path.read_bytes()
    try:
        tensors = safetensors.torch.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        sound = header["sha256"] == _checksum(header, tensors)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DamagedEntryError(f"not a sound file of this store: {error}") from None
    if not sound:
        raise DamagedEntryError("its checksum does not match")
    if header["key"] != _as_json(key):
        raise DamagedEntryError("it belongs to another key")
    return Entry(tensors, json.loads(header["metadata"]))


def _checksum(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    names = sorted(tensors)
    parts = [header["key"], header["metadata"], *names, tensor_digest(*(tensors[name] for name in names))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _write_whole(path: Path, data: bytes) -> None:
    """Write beside `path`, under another name, and move into place: a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem[:16]}-{uuid.uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk is noticed here, before the move
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _as_json(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the store keeps JSON values, finite numbers among them: {error}") from None


def _warn(message: str) -> None:
    warnings.warn(f"fnn: {message}", stacklevel=2)
