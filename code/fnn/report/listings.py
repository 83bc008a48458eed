"""Listings of the code that was written, taken from the sources when the notebook is built."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Listing:
    """Source text that a document shows as code."""

    source: str

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.source.rstrip()}\n```"


def listing(*objects: type | Callable[..., Any]) -> Listing:
    """The definitions of classes and functions of one module, in this order, below the name of its file."""
    file = f"# code/{objects[0].__module__.replace('.', '/')}.py"
    return Listing("\n\n\n".join([file, *(inspect.getsource(each).rstrip() for each in objects)]))
