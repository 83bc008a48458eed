"""The model store: what was computed once is read from disk, until something that determines it changes.

An entry is one safetensors file, `_store/<digest>.safetensors`: tensors, and in the file's header their
`key`, as JSON, and `sha256`, the checksum of both. The file's name is the digest of the key: another key is
another file. Nothing is ever unpickled.

An entry that is damaged, truncated or foreign is computed again and replaced. Entries are written beside
their place and moved there, so that several processes may use one store, and any of them may be killed at any
time. Where nothing can be written, the work goes on without. Both are told at the terminal, not in a
document: its bytes depend on no damage.

The store stands in the project's folder, or where the environment variable `FNN_STORE` says.
"""

import hashlib
import json
import os
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from fnn.inputs import environment

Key = Mapping[str, Any]  # JSON values only
ABANDONED = 3600  # seconds after which a file that is still being written is one that a killed process left


class DamagedEntryError(Exception):
    """A file of the store that is not what was written under its key; the message says why."""


def get(key: Key) -> dict[str, Tensor] | None:
    """The tensors under `key`; None if there are none that are sound."""
    path = entry_path(key)
    try:
        return _read(path, key)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (DamagedEntryError, OSError) as error:
        _tell(f"the stored record {path} cannot be used ({error}); computing it again")
        return None


def put(key: Key, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Store tensors under `key`; returns them as `get` would, stored or not.

    Raises:
        ValueError: if the key is not JSON.
    """
    path = entry_path(key)
    owned = {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}
    header = {"key": _as_json(key), "sha256": _checksum(_as_json(key), owned)}
    try:
        _write_whole(path, safetensors.torch.save(owned, metadata=header))
    except OSError as error:
        _tell(f"records cannot be stored in {path.parent} ({error}); going on without storing them")
    return owned


def entry_path(key: Key) -> Path:
    """Where the entry under `key` is or would be."""
    return environment.store() / f"{hashlib.sha256(_as_json(key).encode()).hexdigest()}.safetensors"


def tensor_digest(*tensors: Tensor) -> str:
    """The SHA-256 of dtypes, shapes and bytes, for a key."""
    named = {str(i): tensor.contiguous().clone() for i, tensor in enumerate(tensors)}
    return hashlib.sha256(safetensors.torch.save(named)).hexdigest()


def _read(path: Path, key: Key) -> dict[str, Tensor]:
    data = path.read_bytes()
    try:
        tensors = safetensors.torch.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        sound = header["sha256"] == _checksum(header["key"], tensors)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DamagedEntryError(f"not a sound file of this store: {error}") from None
    if not sound:
        raise DamagedEntryError("its checksum does not match")
    if header["key"] != _as_json(key):
        raise DamagedEntryError("it belongs to another key")
    return tensors


def _checksum(key: str, tensors: Mapping[str, Tensor]) -> str:
    names = sorted(tensors)
    parts = [key, *names, tensor_digest(*(tensors[name] for name in names))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _write_whole(path: Path, data: bytes) -> None:
    """Write beside `path`, under another name, and move into place: a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.part"):
        with suppress(FileNotFoundError):  # others move and remove their own
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()
    part = path.with_name(f"{path.stem[:16]}-{uuid.uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk is noticed here, before the move
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _as_json(value: Key) -> str:
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the store's keys hold JSON values and finite numbers: {error}") from None


def _tell(message: str) -> None:
    print(f"fnn: {message}", file=sys.__stderr__)  # `sys.stderr` of a kernel would enter the document
