"""The environment variables that the solution reads, each in one place: SEED, PLAN, FNN_STORE, DRAFT."""

import os
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


class EnvironmentVariableError(ValueError):
    """A variable that has a value it cannot have; the message names variable, value and remedy."""

    def __init__(self, name: str, value: str, remedy: str) -> None:
        super().__init__(f"the environment variable {name}={value!r}: {remedy}, or unset it")


def seed() -> int:
    """The seed of every study that names no other."""
    value = os.environ.get("SEED") or "24"
    try:
        return int(value)
    except ValueError:
        raise EnvironmentVariableError("SEED", value, "set a whole number, such as 24") from None


def plan(known: Iterable[str]) -> str:
    """The name of the plan, one of `known`."""
    value, names = os.environ.get("PLAN") or "full", list(known)
    if value not in names:
        raise EnvironmentVariableError("PLAN", value, f"set one of {', '.join(names)}")
    return value


def store() -> Path:
    """The folder of the model store, there or not."""
    path = Path(os.environ.get("FNN_STORE") or PROJECT / "_store")
    if path.exists() and not path.is_dir():
        raise EnvironmentVariableError("FNN_STORE", str(path), "set a folder, this is none")
    return path


def draft() -> bool:
    """Whether false claims are marked in the document."""
    value = os.environ.get("DRAFT") or "0"
    if value not in ("0", "1"):
        raise EnvironmentVariableError("DRAFT", value, "set 1 or 0")
    return value == "1"
